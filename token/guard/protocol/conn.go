package protocol

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// A message travels in packets of at most packetLen bytes. Each has a head of four bytes: one that says whether more packets of the
// message follow, and three that give the length of what comes after the head. On a socket that keeps packets apart (SOCK_SEQPACKET) a packet is one
// send; on a stream the head says where it ends.
const (
	packetLen  = 64 << 10
	more       = 1
	packetBody = packetLen - headLen
)

// Stall is how long a peer may take with the rest of a message of which it has sent or taken a part.
const Stall = 10 * time.Second

// keepLen is how large a buffer may be that is kept for the next message.
const keepLen = 2 * packetLen

// Transport is a connection: net.Conn without what is not used.
type Transport interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Conn sends and receives messages. It is used by one goroutine at a time.
type Conn struct {
	t      Transport
	stream bool
	in     []byte // the last message that was received
	clock  bool   // a read deadline runs, for the rest of a message
	more   func(length int) error
}

// NewConn makes a connection of a transport that keeps packets apart, or of one that is a stream.
func NewConn(t Transport, stream bool) *Conn { return &Conn{t: t, stream: stream} }

// OnMore has ask decide, before another packet of a long message is taken, whether there is room for as much as the message would then have. Its error
// ends the connection.
func (c *Conn) OnMore(ask func(length int) error) { c.more = ask }

// Close closes the transport and wipes what was received.
func (c *Conn) Close() error {
	c.Wipe()
	return c.t.Close()
}

// Wipe zeroes the message that was received last.
func (c *Conn) Wipe() {
	secret.Wipe(c.in)
	if c.in = c.in[:0]; cap(c.in) > keepLen {
		c.in = nil // whoever once sent much does not keep as much memory for good
	}
}

// Send sends what AppendRequest or AppendReply made, and wipes it.
func (c *Conn) Send(message []byte) error {
	defer secret.Wipe(message)
	for start := 0; ; {
		body := message[start+headLen:]
		n := min(len(body), packetBody)
		packet := message[start : start+headLen+n]
		binary.BigEndian.PutUint32(packet, uint32(n)) // over the end of what was sent before
		if n < len(body) {
			packet[0] = more
		}
		if sent, err := c.t.Write(packet); err != nil {
			return err
		} else if sent != len(packet) {
			return io.ErrShortWrite
		}
		if start += n; n == len(body) {
			return nil
		}
	}
}

// Receive gives the next message. It is valid until the next Receive or Wipe.
func (c *Conn) Receive() ([]byte, error) {
	// The message is gathered behind room for one head. The head of each packet but the first is read over the last bytes of what is
	// there, which are put back.
	for length := 0; ; {
		c.grow(length + packetLen)
		var covered [headLen]byte
		copy(covered[:], c.in[length:])
		n, last, err := c.packet(c.in[length:])
		if err != nil {
			return nil, err
		}
		copy(c.in[length:], covered[:])
		if length += n; length > MaxMessage {
			return nil, fmt.Errorf("a message of more than %d bytes", MaxMessage)
		}
		if last {
			c.in = c.in[:headLen+length]
			return c.in[headLen:], c.complete()
		}
		if err := c.begun(); err != nil {
			return nil, err
		}
		if c.more != nil {
			if err := c.more(length + packetBody); err != nil {
				return nil, err
			}
		}
	}
}

// begun starts the clock for the rest of a message. It is not wound up again by each part.
func (c *Conn) begun() error {
	if c.clock {
		return nil
	}
	c.clock = true
	return c.t.SetReadDeadline(time.Now().Add(Stall))
}

// complete stops the clock: an idle peer is none that stalls.
func (c *Conn) complete() error {
	if !c.clock {
		return nil
	}
	c.clock = false
	return c.t.SetReadDeadline(time.Time{})
}

// packet reads one packet, head included, into b, and gives the length of its body.
func (c *Conn) packet(b []byte) (n int, last bool, err error) {
	got := headLen
	if c.stream {
		_, err = io.ReadFull(c.t, b[:headLen])
	} else {
		got, err = c.t.Read(b[:packetLen])
	}
	if err != nil {
		return 0, false, err
	}
	if got == 0 {
		return 0, false, io.EOF
	}
	if got < headLen || b[0]&^more != 0 {
		return 0, false, ErrMalformed
	}
	last = b[0]&more == 0
	n = int(binary.BigEndian.Uint32(b) & 0xffffff)
	if n > packetBody || !last && n != packetBody {
		return 0, false, ErrMalformed
	}
	if c.stream {
		if err = c.begun(); err == nil {
			_, err = io.ReadFull(c.t, b[headLen:headLen+n])
		}
	} else if got != headLen+n {
		err = ErrMalformed
	}
	return n, last, err
}

// grow makes the buffer n bytes long.
func (c *Conn) grow(n int) {
	if n > cap(c.in) {
		grown := make([]byte, len(c.in), max(n, min(2*cap(c.in), headLen+MaxMessage)))
		copy(grown, c.in)
		secret.Wipe(c.in)
		c.in = grown
	}
	c.in = c.in[:n]
}

var _ Transport = net.Conn(nil)
