package remote

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket is a connection whose calls block their thread. Go's poller would put two thread switches into every answer: a call that comes from C is
// bound to its thread.
type socket struct {
	fd      int
	stream  bool
	drop    func(fd int)
	waiting time.Duration // how long one receive or send may wait, as the kernel was told
}

// wait limits each receive and send.
func (s *socket) wait(d time.Duration) error {
	if d == s.waiting {
		return nil
	}
	limit := unix.NsecToTimeval(int64(d))
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, option, &limit); err != nil {
			return err
		}
	}
	s.waiting = d
	return nil
}

// Read receives what there is: one packet, or part of a stream.
func (s *socket) Read(b []byte) (int, error) {
	for {
		switch n, err := unix.Read(s.fd, b); {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, os.ErrDeadlineExceeded
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Write sends one packet, or all of a stream's bytes. A guard that has ended must not raise SIGPIPE in the host.
func (s *socket) Write(b []byte) (int, error) {
	sent := 0
	for sent < len(b) {
		n, err := unix.SendmsgN(s.fd, b[sent:], nil, nil, unix.MSG_NOSIGNAL)
		if err == unix.EINTR {
			continue
		}
		if err == unix.EAGAIN {
			err = os.ErrDeadlineExceeded
		}
		if err != nil {
			return sent, err
		}
		sent += n
	}
	return sent, nil
}

// Close closes the socket.
func (s *socket) Close() error {
	if s.drop != nil {
		s.drop(s.fd)
	}
	return unix.Close(s.fd)
}

// SetReadDeadline does nothing: the limit of wait holds for each packet.
func (s *socket) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, like SetReadDeadline.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

func ownerOf(info fs.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }

// timedOut says whether the guard took too long, rather than having gone.
func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
