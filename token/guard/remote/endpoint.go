package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// Endpoint is where a guard may be found.
type Endpoint struct {
	Address string       // unix:PATH or vsock:CID:PORT, named by the user: this one and no other
	Sockets []string     // paths that are tried otherwise, in this order
	Own     string       // the path among them at which Start makes a guard listen
	Start   func() error // starts a guard and does not wait for it; nil: none can be started

	// KeepFD and DropFD name a descriptor that a forked child must not share, and take it back; nil outside of the library. KeepFD may refuse.
	KeepFD func(fd int) bool
	DropFD func(fd int)

	silent atomic.Int64 // when a guard last left a greeting unanswered, after epoch; 0: never
}

// How long a guard that was started may take until it listens, and how often one looks.
const (
	startTime  = 10 * time.Second
	firstPause = 2 * time.Millisecond
	longPause  = 50 * time.Millisecond
	// startAgain is when another one is started: the first may have been killed before it listened. Of two, one finds that it is not needed.
	startAgain = time.Second
)

// memory is how long it is remembered that a guard does not answer: those who have waited for each other (a token's lock is held during a login) shall
// not each wait for it, too.
const memory = time.Second

func (e *Endpoint) silentJustNow() bool {
	at := time.Duration(e.silent.Load())
	return at != 0 && time.Since(epoch)-at < memory
}

// epoch is what times are counted from that must not jump with the clock on the wall.
var epoch = time.Now()

// errNoAnswer is for a guard that lets us in and says nothing.
var errNoAnswer = unavailable("the guard does not answer: %w", os.ErrDeadlineExceeded)

// errNoGuard says that nobody listens: one may be started.
var errNoGuard = errors.New("no guard is running")

// connect finds a guard, starting one where there is none. One that is started is of the level process.
func (e *Endpoint) connect(least guard.Level, until time.Time) (*line, error) {
	l, err := e.find(earlier(until, time.Now().Add(deadline(protocol.MethodHello))))
	if !errors.Is(err, errNoGuard) || e.Start == nil || e.Address != "" || least > guard.Process {
		return l, err
	}
	listens := earlier(until, time.Now().Add(startTime))
	var started time.Time
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		if time.Since(started) > startAgain {
			if err := e.Start(); err != nil {
				return nil, unavailable("no guard is running, and none could be started: %w", err)
			}
			started = time.Now()
		}
		time.Sleep(pause)
		l, err := e.dialUnix(e.Own, until)
		if !errors.Is(err, errNoGuard) {
			return l, err
		}
		if time.Now().After(listens) {
			return nil, unavailable("the guard that was started does not listen at %s; `ncrypt11 guard` says why", e.Own)
		}
	}
}

// find tries the known places.
func (e *Endpoint) find(until time.Time) (*line, error) {
	if kind, rest, _ := strings.Cut(e.Address, ":"); kind == "unix" {
		return e.dialUnix(rest, until)
	} else if kind == "vsock" {
		return e.dialVsock(rest, until)
	}
	var closed error // to this user
	for _, path := range e.Sockets {
		l, err := e.dialUnix(path, until)
		if errors.Is(err, fs.ErrPermission) {
			closed = err
		} else if !errors.Is(err, errNoGuard) {
			return l, err
		}
	}
	if closed != nil {
		return nil, unavailable("%w for this user (%v)", errNoGuard, closed)
	}
	return nil, unavailable("%w", errNoGuard)
}

// unavailable is the error for VBS that cannot be had (NTE_VBS_UNAVAILABLE).
func unavailable(format string, args ...any) error {
	return ck.Errorf(ck.CKR_FUNCTION_REJECTED, "VBS is unavailable: "+format, args...)
}

// noSocket tells a program that has as many descriptors as it may have from one that has no such sockets.
func noSocket(err error) error {
	if err == unix.EMFILE || err == unix.ENFILE || err == unix.ENOMEM || err == unix.ENOBUFS {
		return ck.Errorf(ck.CKR_HOST_MEMORY, "a connection to the guard: %w", err)
	}
	return unavailable("a socket: %w", err)
}

func (e *Endpoint) dialUnix(path string, until time.Time) (*line, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, noSocket(err)
	}
	l, err := e.line(fd, false, until)
	if err != nil {
		return nil, err
	}
	err = l.socket.connectUnix(path)
	switch {
	case err == nil:
		err = e.trust(path)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.ENOTDIR):
		err = unavailable("%w at %s", errNoGuard, path)
	default:
		err = unavailable("the guard at %s: %w", path, err)
	}
	if err != nil {
		_ = l.Close() // nothing was said on it
		return nil, err
	}
	return l, nil
}

// maxSocketPath is what fits into sockaddr_un.
const maxSocketPath = 107

// connectUnix reaches sockets whose path is too long for the system call through their directory.
func (s *socket) connectUnix(path string) error {
	if len(path) > maxSocketPath {
		dir, err := unix.Open(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(dir) }() // it was only a name
		path = filepath.Join("/proc/self/fd", strconv.Itoa(dir), filepath.Base(path))
	}
	return s.connect(&unix.SockaddrUnix{Name: path})
}

// trust refuses a guard that somebody else may have put there: PINs and keys to import are about to be sent to it. Who may put a socket into a
// directory is the directory's owner, whoever may write it, and who may put another directory in its place. XDG_RUNTIME_DIR is another user's after su.
// The path that the machine's guard has cannot be made by anybody but root, whoever the guard then runs as.
func (e *Endpoint) trust(path string) error {
	if e.Address != "" || path == config.MachineSocket {
		return nil
	}
	dir := filepath.Dir(path)
	for _, name := range []string{dir, filepath.Dir(dir)} {
		info, err := os.Stat(name)
		if err != nil {
			return unavailable("%w", err)
		}
		if owner := ownerOf(info); owner != 0 && owner != uint32(os.Geteuid()) {
			return unavailable("%s belongs to user %d: name the guard there by NCRYPT11_GUARD=unix:%s, if you trust that user", name, owner, path)
		}
		if name == dir && info.Mode().Perm()&0o022 != 0 {
			return unavailable("others may write to %s: chmod go-w it", dir)
		}
	}
	return nil
}

func (e *Endpoint) dialVsock(address string, until time.Time) (*line, error) {
	cid, port, err := config.VsockAddress(address)
	if err != nil {
		return nil, unavailable("%w", err)
	}
	fd, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, noSocket(err)
	}
	l, err := e.line(fd, true, until)
	if err != nil {
		return nil, err
	}
	if err := l.socket.connect(&unix.SockaddrVM{CID: cid, Port: port}); err != nil {
		_ = l.Close() // nothing was said on it
		return nil, unavailable("the guard at vsock:%s: %w", address, err)
	}
	return l, nil
}

// line makes a connection of a socket, which it takes over.
func (e *Endpoint) line(fd int, stream bool, until time.Time) (*line, error) {
	if e.KeepFD != nil && !e.KeepFD(fd) {
		_ = unix.Close(fd) // it was never connected
		return nil, ck.Errorf(ck.CKR_HOST_MEMORY, "too many connections to guards")
	}
	return newLine(&socket{fd: fd, stream: stream, drop: e.DropFD, until: until}), nil
}

// String names the endpoint for messages.
func (e *Endpoint) String() string {
	if e.Address != "" {
		return e.Address
	}
	return fmt.Sprintf("unix:%s", strings.Join(e.Sockets, ", unix:"))
}
