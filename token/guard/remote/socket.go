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
	until   time.Time     // when the call that is under way must be over
	waiting time.Duration // how long one system call may wait, as the kernel was told; 0: for ever
}

// tolerance is by how much a system call may outlast the call that it is for: the kernel is not told anew each time.
const tolerance = 100 * time.Millisecond

// limit has the next system call end when the call's time is over. The kernel counts for each system call anew, also after a signal of the host's, and
// whoever answers in drops would never be late.
func (s *socket) limit() error {
	left := time.Until(s.until)
	if left <= 0 {
		return os.ErrDeadlineExceeded
	}
	if left <= s.waiting && s.waiting <= left+tolerance {
		return nil
	}
	s.waiting = left + tolerance/2
	value := unix.NsecToTimeval(int64(s.waiting))
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, option, &value); err != nil {
			return err
		}
	}
	return nil
}

// inTime makes a system call within the limit, again where a signal interrupts it.
func (s *socket) inTime(call func() error) error {
	for {
		if err := s.limit(); err != nil {
			return err
		}
		switch err := call(); err {
		case unix.EINTR:
		case unix.EAGAIN:
			return os.ErrDeadlineExceeded
		default:
			return err
		}
	}
}

// connect reaches who listens at an address. Where too many wait to be let in, it waits as well.
func (s *socket) connect(address unix.Sockaddr) error {
	return s.inTime(func() error { return unix.Connect(s.fd, address) })
}

// Read receives what there is: one packet, or part of a stream.
func (s *socket) Read(b []byte) (n int, err error) {
	err = s.inTime(func() (err error) {
		n, err = unix.Read(s.fd, b)
		return err
	})
	switch {
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write sends one packet, or all of a stream's bytes. A guard that has ended must not raise SIGPIPE in the host.
func (s *socket) Write(b []byte) (int, error) {
	sent := 0
	for sent < len(b) {
		err := s.inTime(func() error {
			n, err := unix.SendmsgN(s.fd, b[sent:], nil, nil, unix.MSG_NOSIGNAL)
			sent += max(0, n)
			return err
		})
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// gone says whether the guard has closed the connection, on which nothing is under way.
func (s *socket) gone() bool {
	var b [1]byte
	_, _, err := unix.Recvfrom(s.fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return err != unix.EAGAIN && err != unix.EINTR
}

// Close closes the socket.
func (s *socket) Close() error {
	if s.drop != nil {
		s.drop(s.fd)
	}
	return unix.Close(s.fd)
}

// SetReadDeadline does nothing: the call as a whole has a limit.
func (s *socket) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, like SetReadDeadline.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

func ownerOf(info fs.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }

// timedOut says whether the guard took too long, rather than having gone.
func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
