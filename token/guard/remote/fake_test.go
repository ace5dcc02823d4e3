package remote_test

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/remote"
)

// fake is a guard that answers as a test wants it to.
type fake struct {
	*testing.T
	path   string
	answer func(conn net.Conn, method protocol.Method, m protocol.Message) (protocol.Message, error) // nil, nil: not at all

	mu    sync.Mutex
	asked map[protocol.Method]int
	conns []net.Conn
}

// hangUp is the answer of a guard that ends the connection.
type hangUp struct{ protocol.Nothing }

// deaf is the last answer of a guard that then reads no more.
type deaf struct{ protocol.OneRef }

func lie(t *testing.T, answer func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error)) *fake {
	dir, err := os.MkdirTemp("", "guard") // a short path: t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{T: t, path: filepath.Join(dir, "s"), answer: answer, asked: map[protocol.Method]int{}}
	l, err := net.Listen("unixpacket", f.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.Close()
		f.closeAll()
		_ = os.RemoveAll(dir)
	})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns = append(f.conns, conn)
			f.mu.Unlock()
			go f.serve(conn)
		}
	}()
	return f
}

func (f *fake) closeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, conn := range f.conns {
		_ = conn.Close()
	}
}

func (f *fake) count(method protocol.Method) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[method]
}

var welcome = protocol.Welcome{Session: protocol.SessionID{1}, Level: guard.Service, PINLimit: 3}

func (f *fake) serve(conn net.Conn) {
	defer conn.Close()
	wire := protocol.NewConn(conn, false)
	for {
		request, err := wire.Receive()
		if err != nil {
			return
		}
		method, m, err := protocol.DecodeRequest(request)
		if err != nil {
			f.Error(err)
			return
		}
		f.mu.Lock()
		f.asked[method]++
		f.mu.Unlock()
		reply, err := f.answer(conn, method, m)
		protocol.Release(m)
		switch _, end := reply.(*hangUp); {
		case end:
			return
		case reply == nil && err == nil && method == protocol.MethodHello:
			reply = &welcome
		case reply == nil && err == nil:
			continue
		}
		message, err := protocol.AppendReply(nil, reply, err)
		if err != nil {
			f.Error(err)
		}
		if wire.Send(message) != nil {
			return
		}
		if _, last := reply.(*deaf); last {
			time.Sleep(5 * hurry)
			return
		}
	}
}

func (f *fake) endpoint() *remote.Endpoint { return &remote.Endpoint{Sockets: []string{f.path}} }

func (f *fake) open() *remote.Keys {
	g, err := remote.Open(f.endpoint(), guard.Process)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = g.Close() })
	return g
}

// within fails the test where do takes longer.
func within(t *testing.T, limit time.Duration, what string, do func()) {
	t.Helper()
	start := time.Now()
	do()
	if took := time.Since(start); took > limit {
		t.Errorf("%s took %v", what, took)
	}
}
