package remote

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// line is one connection to a guard, with one call on it at a time.
type line struct {
	socket  *socket
	conn    *protocol.Conn
	buffer  []byte // for requests
	yielded time.Time
}

// smallBuffer holds most requests: what is larger is made when it comes, and not kept.
const smallBuffer = 4 << 10

func newLine(s *socket) *line {
	lines.Add(1)
	makeRoom()
	return &line{socket: s, conn: protocol.NewConn(s, s.stream), buffer: make([]byte, 0, smallBuffer)}
}

// broken is a failure of the connection, not an answer of the guard.
type broken struct {
	cause error
	sent  bool // the guard may have done what was asked
}

func (b *broken) Error() string { return b.cause.Error() }

func (b *broken) Unwrap() error { return b.cause }

// errUnsound is for an answer that no guard gives. To ask again would not help.
var errUnsound = ck.Errorf(ck.CKR_DEVICE_ERROR, "the guard gave an answer that makes no sense: install the same ncrypt11 for the guard and for this program")

// call sends a request and reads the answer into reply, whose byte slices are valid while done runs. An error that is not *broken is the guard's.
func (l *line) call(method protocol.Method, request, reply protocol.Message, until time.Time, done func()) error {
	message, err := protocol.AppendRequest(l.buffer, method, request)
	if cap(message) <= smallBuffer {
		l.buffer = message[:0]
	}
	if errors.Is(err, protocol.ErrMalformed) {
		err = ck.Errorf(ck.CKR_DATA_LEN_RANGE, "something is longer than what the guard takes for %v", method)
	}
	if err != nil {
		secret.Wipe(message)
		return err
	}
	l.socket.until = until
	l.yield()
	if err := l.conn.Send(message); err != nil {
		return &broken{cause: err} // part of a request is none
	}
	answer, err := l.conn.Receive()
	if err != nil {
		return &broken{err, l.socket.stream || err != unix.ECONNRESET} // a local socket tells so of what was never read
	}
	defer l.conn.Wipe()
	if err := protocol.DecodeReply(answer, reply); errors.Is(err, protocol.ErrMalformed) {
		return &broken{errUnsound, true}
	} else if err != nil {
		return err
	}
	done()
	return nil
}

// Close closes the connection.
func (l *line) Close() error {
	lines.Add(-1)
	return l.conn.Close()
}
