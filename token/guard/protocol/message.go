package protocol

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// Version is the protocol's version. A guard and a client that do not share one do not talk.
const Version = 3

// What a message may hold at most.
const (
	MaxData    = 16 << 20 // data to sign, encrypt, ... in one message, and a record
	MaxMessage = MaxData + 1<<20
	MaxMedium  = 1<<20 + maxSmall // what a client makes parts of, and what goes with one
	MaxPacket  = packetBody
	maxPIN     = 255
	maxSmall   = 64 << 10 // parameters and the like
	maxParts   = 32
	maxReason  = 1 << 10
	maxReport  = 64 << 10
)

// headLen is the room for the first packet's head that a buffer begins with.
const headLen = 4

// Message is the body of a request or of a reply.
type Message interface{ code(*coder) }

// AppendRequest writes a request into a buffer for Conn.Send, whose old contents are overwritten. The buffer may have secrets in it afterwards, also where that fails.
func AppendRequest(buffer []byte, method Method, m Message) ([]byte, error) {
	c := &coder{b: buffer[:0]}
	c.room(headLen)
	number(c, &method, 1)
	m.code(c)
	return c.finished()
}

// DecodeRequest reads a request. Its byte slices alias b.
func DecodeRequest(b []byte) (Method, Message, error) {
	c := &coder{b: b, reading: true}
	var method Method
	number(c, &method, 1)
	row := method.row()
	if c.err != nil || row == nil {
		return 0, nil, ErrMalformed
	}
	m := row.request()
	m.code(c)
	if err := c.ended(); err != nil {
		Release(m)
		return 0, nil, err
	}
	return method, m, nil
}

// Release wipes what a decoded request has of its own: its PIN. The rest is the buffer's that it was read from.
func Release(m Message) {
	if owner, ok := m.(interface{ release() }); ok {
		owner.release()
	}
}

// AppendReply writes a reply: m, or err where it is not nil.
func AppendReply(buffer []byte, m Message, err error) ([]byte, error) {
	c := &coder{b: buffer[:0]}
	c.room(headLen)
	failed := err != nil
	c.flag(&failed)
	if failed {
		failureOf(err).code(c)
	} else {
		m.code(c)
	}
	return c.finished()
}

// DecodeReply reads a reply into m, whose byte slices alias b afterwards, or gives the error that the guard answered.
func DecodeReply(b []byte, m Message) error {
	c := &coder{b: b, reading: true}
	var failed bool
	c.flag(&failed)
	if !failed {
		m.code(c)
		return c.ended()
	}
	var f failure
	f.code(c)
	if err := c.ended(); err != nil {
		return err
	}
	return f.err()
}

func (c *coder) finished() ([]byte, error) {
	if c.err == nil && len(c.b) > MaxMessage {
		c.err = ck.Errorf(ck.CKR_DATA_LEN_RANGE, "a message of %d bytes is too long", len(c.b))
	}
	return c.b, c.err
}

// ended refuses what follows the last field.
func (c *coder) ended() error {
	if c.err == nil && len(c.b) > 0 {
		c.fail()
	}
	return c.err
}

// failure is an error on its way from a guard to its client.
type failure struct {
	rv     ck.RV
	cause  uint8
	reason string
}

// causes are the errors that a client must know again. Their places in the list are the protocol's.
var causes = []error{nil, seal.ErrDead, seal.ErrForeign, seal.ErrAbsent}

func (f *failure) code(c *coder) {
	number(c, &f.rv, 8)
	number(c, &f.cause, 1)
	c.text(&f.reason, maxReason)
	if f.rv == ck.CKR_OK || int(f.cause) >= len(causes) {
		c.fail()
	}
}

func failureOf(err error) *failure {
	f := &failure{rv: ck.Code(err), reason: err.Error()}
	var full *ck.Error
	if errors.As(err, &full) {
		f.reason = full.Reason
	}
	for i, cause := range causes {
		if cause != nil && errors.Is(err, cause) {
			f.cause = uint8(i)
		}
	}
	return f
}

// err gives the error back: a bare CK_RV stays one.
func (f *failure) err() error {
	if f.cause == 0 && f.reason == f.rv.Error() {
		return f.rv
	}
	return &ck.Error{RV: f.rv, Reason: f.reason, Cause: causes[f.cause]}
}
