package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/mdlayher/vsock"
	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/events"
)

// guardPlace is where a guard listens and writes.
type guardPlace struct {
	socket  string // empty: nowhere but at what is inherited
	mode    fs.FileMode
	state   string
	logs    string
	vsock   uint32
	passed  bool          // systemd passed sockets
	waiting time.Duration // for another guard to end
}

// removable is the directory from which a confined guard removes its socket. Under NCRYPT11_HOME tokens are below it, too.
func (p *guardPlace) removable() []string {
	if p.socket == "" {
		return nil
	}
	return []string{filepath.Dir(p.socket)}
}

// guardPlaceOf puts flags and configuration together.
func guardPlaceOf(cfg *config.Config, f *guardFlags, getenv config.Getenv) (*guardPlace, error) {
	p := &guardPlace{socket: f.socket, mode: 0o600, state: f.state, vsock: f.vsock, passed: len(inheritedSockets(getenv)) > 0}
	if p.socket == "" && !p.passed {
		if p.socket = cfg.Guard.Own; p.socket == "" || f.machine && getenv("NCRYPT11_HOME") == "" {
			p.socket = config.MachineSocket
		}
	}
	machine := f.machine || p.passed || p.socket == config.MachineSocket
	if machine || os.Geteuid() == 0 {
		p.mode = 0o666 // who may use which key is the guard's to decide: the kernel tells it who connects
	}
	if p.state == "" {
		if p.state = cfg.Guard.State; p.state == "" || machine && getenv("NCRYPT11_HOME") == "" {
			p.state = config.MachineState
		}
	}
	dirs := cfg.LogDirs()
	if p.logs = dirs[0]; machine {
		p.logs = dirs[len(dirs)-1]
	}
	if f.onDemand {
		p.waiting = 5 * time.Second
	}
	for _, path := range []string{p.socket, p.state} {
		if path != "" && !filepath.IsAbs(path) {
			return nil, usagef("%s must be an absolute path", path)
		}
	}
	return p, nil
}

// guardSocket is what a guard listens at, and the lock on its path.
type guardSocket struct {
	listeners []net.Listener
	addresses []string // of the listeners, for people
	cid       uint32
	path      string   // to be removed; empty: it is not ours
	lock      *os.File // nil: not ours
}

// errServed says that another guard is at the path.
var errServed = errors.New("another guard serves there already")

// listen opens what the guard serves.
func listen(p *guardPlace) (*guardSocket, error) {
	s := &guardSocket{}
	err := s.open(p)
	if err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

func (s *guardSocket) open(p *guardPlace) error {
	if p.passed {
		if err := s.inherit(); err != nil {
			return err
		}
	}
	if p.socket != "" {
		if err := s.bind(p); err != nil {
			return err
		}
	}
	if p.vsock == 0 {
		return nil
	}
	var err error
	if s.cid, err = vsock.ContextID(); err != nil {
		return fmt.Errorf("vsock: %w", err)
	}
	l, err := vsock.Listen(p.vsock, nil)
	if err != nil {
		return fmt.Errorf("vsock port %d: %w", p.vsock, err)
	}
	s.add(l, fmt.Sprintf("vsock:%d:%d", s.cid, p.vsock))
	return nil
}

func (s *guardSocket) add(l net.Listener, address string) {
	s.listeners, s.addresses = append(s.listeners, l), append(s.addresses, address)
}

// inherit takes the sockets that systemd passed.
func (s *guardSocket) inherit() error {
	for _, f := range activation.Files(true) {
		l, err := net.FileListener(f)
		if err != nil {
			l, err = vsock.FileListener(f)
		}
		_ = f.Close() // the listener has a descriptor of its own
		if err != nil {
			return fmt.Errorf("%s is no socket that a guard can serve: %w", f.Name(), err)
		}
		if kind := l.Addr().Network(); kind != "unixpacket" && kind != "vsock" {
			return fmt.Errorf("%s is a socket of type %s: the unit must say ListenSequentialPacket=, or ListenStream= with a vsock", f.Name(), kind)
		}
		s.add(l, l.Addr().Network()+":"+l.Addr().String())
	}
	var err error
	s.cid, err = ownCID(s.listeners, vsock.ContextID)
	return err
}

// ownCID is this machine's own address on vsocks. A guard that serves one must know it, or it would take this machine's programs for another machine.
func ownCID(listeners []net.Listener, ask func() (uint32, error)) (uint32, error) {
	cid, err := ask()
	isVsock := func(l net.Listener) bool { return l.Addr().Network() == "vsock" }
	if err != nil && slices.ContainsFunc(listeners, isVsock) {
		return 0, fmt.Errorf("this machine's own vsock address (the unit needs DeviceAllow=/dev/vsock): %w", err)
	}
	return cid, nil
}

// bind listens at the path, once the lock says that nobody else is about to.
func (s *guardSocket) bind(p *guardPlace) error {
	if err := makeSocketDir(filepath.Dir(p.socket), p.mode); err != nil {
		return err
	}
	dir, err := openSafe(filepath.Dir(p.socket))
	if err != nil {
		return err
	}
	defer dir.Close()
	// A path may be longer than sockaddr_un has room for. The directory's descriptor gives it a short name, and nobody can put another in its place.
	name := filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())), filepath.Base(p.socket))
	if s.lock, err = lockSocket(name, p); err != nil {
		return err
	}
	if answers(name) {
		return fmt.Errorf("%s: %w", p.socket, errServed)
	}
	if err := removeSocket(name); err != nil {
		return err
	}
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: name, Net: "unixpacket"})
	if err != nil {
		return fmt.Errorf("%s: %w", p.socket, err)
	}
	l.SetUnlinkOnClose(false)
	s.add(l, "unix:"+p.socket)
	s.path = p.socket
	return os.Chmod(name, p.mode)
}

// makeSocketDir makes a socket's directory, if there is none, so that who may connect can get there. The umask of a guard is for its other files.
func makeSocketDir(path string, socket fs.FileMode) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(path, 0o700); err != nil || socket&0o006 == 0 {
		return err
	}
	return os.Chmod(path, 0o755)
}

// ownDir makes a directory that the guard writes to, if there is none. Who else may write to it could put counts of wrong PINs back.
func ownDir(path string) error {
	if err := events.MakeDir(path); err != nil {
		return err
	}
	dir, err := openSafe(path)
	if err != nil {
		return err
	}
	return dir.Close()
}

// openSafe opens a directory of the guard's. Who may write to the socket's could put a guard of his own there, and have programs send it their PINs.
func openSafe(path string) (*os.File, error) {
	dir, err := os.OpenFile(path, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	info, err := dir.Stat()
	if err == nil {
		owner := info.Sys().(*syscall.Stat_t).Uid
		switch {
		case owner != 0 && owner != uint32(os.Geteuid()):
			err = fmt.Errorf("%s belongs to user %d: a guard's directories must be its own user's, or root's", path, owner)
		case info.Mode().Perm()&0o022 != 0:
			err = fmt.Errorf("others may write to %s: chmod go-w it", path)
		}
	}
	if err != nil {
		_ = dir.Close() // it was only looked at
		return nil, err
	}
	return dir, nil
}

// lockSocket takes the lock on a path, and waits for a guard that is about to end, but for none that serves.
func lockSocket(name string, p *guardPlace) (*os.File, error) {
	f, err := os.OpenFile(name+".lock", os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(p.waiting); ; time.Sleep(5 * time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if answers(name) || time.Now().After(until) {
			_ = f.Close() // nothing was written
			return nil, fmt.Errorf("%s: %w", p.socket, errServed)
		}
	}
}

// answers says whether somebody listens there. Who is too busy for one more connection does.
func answers(name string) bool {
	c, err := net.Dial("unixpacket", name)
	if err != nil {
		return errors.Is(err, unix.EAGAIN)
	}
	_ = c.Close() // nothing was said
	return true
}

// removeSocket removes what a guard left behind that was killed, and nothing else.
func removeSocket(name string) error {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode().Type() != fs.ModeSocket {
		err = fmt.Errorf("%s is there and is no socket", filepath.Base(name))
	}
	if err != nil {
		return err
	}
	return os.Remove(name)
}

// release removes the socket's file, and lets another guard have its place. What is connected stays so.
func (s *guardSocket) release() {
	if s.path != "" {
		_ = os.Remove(s.path) // without it, programs are refused there, which they take for the same
		s.path = ""
	}
	if s.lock != nil {
		_ = s.lock.Close() // which unlocks
		s.lock = nil
	}
}
