package main

import (
	"errors"
	"net"
	"path/filepath"
	"testing"

	"github.com/mdlayher/vsock"
	"golang.org/x/sys/unix"
)

// listening is a listener of some network.
type listening struct {
	net.Listener
	at net.Addr
}

func (l listening) Addr() net.Addr { return l.at }

// A guard that serves a vsock knows which address is this machine's own, or does not serve: programs of this machine are not another machine.
func TestOwnCID(t *testing.T) {
	refused := errors.New("no access")
	unixSocket, vm := listening{at: &net.UnixAddr{Net: "unixpacket"}}, listening{at: &vsock.Addr{}}
	for _, test := range []struct {
		listeners []net.Listener
		cid       uint32
		err, want error
	}{
		{[]net.Listener{unixSocket}, 3, nil, nil},
		{[]net.Listener{unixSocket}, 0, refused, nil},
		{[]net.Listener{unixSocket, vm}, 3, nil, nil},
		{[]net.Listener{unixSocket, vm}, 0, refused, refused},
	} {
		cid, err := ownCID(test.listeners, func() (uint32, error) { return test.cid, test.err })
		if cid != test.cid || !errors.Is(err, test.want) {
			t.Errorf("%+v: %d, %v", test, cid, err)
		}
	}
}

// A guard that is so busy that it takes no connection is there all the same: its socket is not removed.
func TestBusySocketAnswers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	if answers(path) {
		t.Error("nothing answers")
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for range 3 { // the queue has room for one
		if !answers(path) {
			t.Error("a busy guard does not answer")
		}
	}
	_ = unix.Close(fd)
	if answers(path) {
		t.Error("a socket that was left behind answers")
	}
}
