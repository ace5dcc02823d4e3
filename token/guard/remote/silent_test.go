package remote_test

import (
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/remote"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

const hurry = 300 * time.Millisecond

// loads gives a guard that opens the vault 7 and loads the key 9, and does rest for everything else.
func loads(rest func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error)) func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error) {
	return func(conn net.Conn, method protocol.Method, m protocol.Message) (protocol.Message, error) {
		switch method {
		case protocol.MethodHello:
			return nil, nil
		case protocol.MethodUnlock:
			return &protocol.Opened{Vault: 7}, nil
		case protocol.MethodLoad:
			return &protocol.OneRef{Ref: 9}, nil
		}
		return rest(conn, method, m)
	}
}

// silence is a guard that does not answer.
func silence(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error) { return nil, nil }

// load has a guard load a key.
func load(t *testing.T, g guard.Keys) (guard.Vault, guard.Ref) {
	v, err := g.Unlock([]byte("sealed"), nil, context)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := g.Load(v, []byte("record"))
	if err != nil {
		t.Fatal(err)
	}
	return v, ref
}

func sign(t *testing.T, g guard.Keys, ref guard.Ref) error {
	_, err := g.Sign(nil, ref, scheme(t, ck.Mechanism{Type: ck.CKM_ECDSA}, mech.OpSign), make([]byte, 32))
	return err
}

// Eight calls at once take as long as one, and what comes after takes a moment.
func TestASilentGuard(t *testing.T) {
	f := lie(t, loads(silence))
	g := f.open()
	v, ref := load(t, g)
	remote.Hurry(t, hurry)
	var callers sync.WaitGroup
	within(t, 2*hurry, "eight signatures", func() {
		for range 8 {
			callers.Go(func() {
				if err := sign(t, g, ref); ck.Code(err) != ck.CKR_DEVICE_ERROR {
					t.Error(err)
				}
			})
		}
		callers.Wait()
	})
	within(t, hurry, "what needs no answer", func() {
		g.Forget(ref)
		g.Lock(v)
		_ = g.Close()
	})
}

// A greeting that nobody answers is waited for once by those who wait for each other.
func TestNoGreeting(t *testing.T) {
	f := lie(t, func(conn net.Conn, _ protocol.Method, _ protocol.Message) (protocol.Message, error) {
		time.Sleep(5 * hurry)
		return &hangUp{}, nil
	})
	remote.Hurry(t, hurry)
	e := f.endpoint()
	within(t, 2*hurry, "eight programs", func() {
		for range 8 {
			if _, err := remote.Open(e, guard.Process); ck.Code(err) != ck.CKR_FUNCTION_REJECTED {
				t.Error(err)
			}
		}
	})
}

// Calls that find their guard replaced by one that does not greet.
func TestNoGreetingAfterAll(t *testing.T) {
	var stopped atomic.Bool
	f := lie(t, func(conn net.Conn, method protocol.Method, m protocol.Message) (protocol.Message, error) {
		hello, ok := m.(*protocol.Hello)
		switch {
		case ok && stopped.Load() && hello.Join != protocol.SessionID{}:
			return nil, ck.CKR_SESSION_HANDLE_INVALID
		case stopped.Load():
			time.Sleep(5 * hurry)
			return &hangUp{}, nil
		}
		return loads(silence)(conn, method, m)
	})
	g := f.open()
	_, ref := load(t, g)
	remote.Hurry(t, hurry)
	stopped.Store(true)
	f.closeAll()
	var callers sync.WaitGroup
	within(t, 2*hurry, "eight signatures", func() {
		for range 8 {
			callers.Go(func() {
				if err := sign(t, g, ref); err == nil {
					t.Error("signed")
				}
			})
		}
		time.Sleep(hurry / 2)
		within(t, hurry/4, "Close", func() { _ = g.Close() })
		callers.Wait()
	})
}

// A guard that answers in drops, each of them soon enough.
func TestDrops(t *testing.T) {
	f := lie(t, loads(func(conn net.Conn, _ protocol.Method, _ protocol.Message) (protocol.Message, error) {
		packet := make([]byte, 64<<10)
		copy(packet, []byte{1, 0, 0xff, 0xfc})
		for range 20 {
			time.Sleep(hurry / 3)
			if _, err := conn.Write(packet); err != nil {
				break
			}
		}
		return &hangUp{}, nil
	}))
	g := f.open()
	_, ref := load(t, g)
	remote.Hurry(t, hurry)
	within(t, 2*hurry, "Sign", func() {
		if err := sign(t, g, ref); ck.Code(err) != ck.CKR_DEVICE_ERROR {
			t.Error(err)
		}
	})
}

// A request that is larger than the socket's buffer, to a guard that stopped reading.
func TestTheGuardDoesNotRead(t *testing.T) {
	f := lie(t, func(conn net.Conn, method protocol.Method, m protocol.Message) (protocol.Message, error) {
		if method == protocol.MethodLoad {
			return &deaf{protocol.OneRef{Ref: 9}}, nil
		}
		return loads(silence)(conn, method, m)
	})
	g := f.open()
	_, ref := load(t, g)
	remote.Hurry(t, hurry)
	within(t, 2*hurry, "Encrypt", func() {
		_, err := g.Encrypt(nil, ref, scheme(t, ck.Mechanism{Type: ck.CKM_AES_ECB}, mech.OpEncrypt), make([]byte, 4<<20))
		if ck.Code(err) != ck.CKR_DEVICE_ERROR {
			t.Error(err)
		}
	})
}

// A host's timer does not wind up the clock again.
func TestSignalsDoNotMakeItLonger(t *testing.T) {
	f := lie(t, loads(silence))
	g := f.open()
	_, ref := load(t, g)
	remote.Hurry(t, hurry)
	ticks := make(chan os.Signal, 1)
	signal.Notify(ticks, unix.SIGUSR1)
	defer signal.Stop(ticks)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	thread, stop := unix.Gettid(), make(chan struct{})
	var timer sync.WaitGroup
	timer.Go(func() {
		for range 50 {
			select {
			case <-stop:
				return
			case <-time.After(hurry / 5):
				_ = unix.Tgkill(os.Getpid(), thread, unix.SIGUSR1)
			}
		}
	})
	within(t, 2*hurry, "Sign", func() {
		if err := sign(t, g, ref); ck.Code(err) != ck.CKR_DEVICE_ERROR {
			t.Error(err)
		}
	})
	close(stop)
	timer.Wait()
}

// A guard that lets nobody in, with as many waiting for it as may.
func TestNobodyIsLetIn(t *testing.T) {
	dir, err := os.MkdirTemp("", "guard")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	listener, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(listener)
	if err := unix.Bind(listener, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(listener, 0); err != nil {
		t.Fatal(err)
	}
	waiting, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(waiting)
	if err := unix.Connect(waiting, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	remote.Hurry(t, hurry)
	within(t, 3*hurry, "Open", func() {
		if _, err := remote.Open(&remote.Endpoint{Sockets: []string{path}}, guard.Process); ck.Code(err) != ck.CKR_FUNCTION_REJECTED {
			t.Error(err)
		}
	})
}

// A guard that was silent is asked again, and heard.
func TestSilentForAWhile(t *testing.T) {
	var mu sync.Mutex
	awake := false
	f := lie(t, loads(func(_ net.Conn, method protocol.Method, _ protocol.Message) (protocol.Message, error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case !awake:
			return nil, nil
		case method == protocol.MethodSign:
			return &protocol.Output{Data: []byte("signature")}, nil
		}
		return &protocol.Nothing{}, nil
	}))
	g := f.open()
	_, ref := load(t, g)
	remote.Hurry(t, hurry)
	if err := sign(t, g, ref); ck.Code(err) != ck.CKR_DEVICE_ERROR {
		t.Error(err)
	}
	mu.Lock()
	awake = true
	mu.Unlock()
	if err := sign(t, g, ref); err != nil {
		t.Error(err)
	}
}
