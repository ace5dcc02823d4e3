package server_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/guard/peer"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// Clients that are other processes, of other users: this program again, which hands packets on between its standard input and output and a guard.

const relayEnv = "NCRYPT11_TEST_RELAY"

func TestMain(m *testing.M) {
	if path := os.Getenv(relayEnv); path != "" {
		if err := relay(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func relay(path string) error {
	c, err := net.Dial("unixpacket", path)
	if err != nil {
		return err
	}
	go func() {
		packet := make([]byte, 64<<10)
		for {
			n, err := c.Read(packet)
			if err != nil {
				os.Exit(0) // which closes the pipe
			}
			_, _ = os.Stdout.Write(packet[:n])
		}
	}()
	for {
		packet := make([]byte, 4, 64<<10)
		if _, err := io.ReadFull(os.Stdin, packet); err != nil {
			return nil
		}
		packet = packet[:4+binary.BigEndian.Uint32(packet)&0xffffff]
		if _, err := io.ReadFull(os.Stdin, packet[4:]); err != nil {
			return err
		}
		if _, err := c.Write(packet); err != nil {
			return nil
		}
	}
}

// pipes is a relay's transport.
type pipes struct {
	io.ReadCloser
	io.WriteCloser
}

func (p *pipes) Close() error {
	_ = p.ReadCloser.Close()
	return p.WriteCloser.Close()
}

func (p *pipes) SetReadDeadline(time.Time) error  { return nil }
func (p *pipes) SetWriteDeadline(time.Time) error { return nil }

// dialAs connects as another process, of somebody.
func (p *place) dialAs(uid uint32) *client {
	p.Helper()
	program := filepath.Join(p.dir, "relay")
	if _, err := os.Stat(program); err != nil {
		code, err := os.ReadFile("/proc/self/exe")
		if err == nil {
			err = os.WriteFile(program, code, 0o755)
		}
		if err != nil {
			p.Fatal(err)
		}
	}
	cmd := exec.Command(program)
	cmd.Env = []string{relayEnv + "=" + p.path(packets), "GORACE=atexit_sleep_ms=0"}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid, Groups: []uint32{uid + 1}}}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		p.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.Fatal(err)
	}
	c := &client{TB: p, net: &pipes{out, in}}
	p.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	c.wire = protocol.NewConn(c.net, true)
	return c
}

// greetAs is greet as another process.
func (p *place) greetAs(uid uint32) *client {
	p.Helper()
	c := p.dialAs(uid)
	c.must(protocol.MethodHello, &protocol.Hello{Version: protocol.Version}, &c.Welcome)
	return c
}

// mask is who the test's own connections seem to come from.
type mask struct {
	mu  sync.Mutex
	now peer.Peer
}

func wearing(p peer.Peer) *mask { return &mask{now: p} }

func (m *mask) be(p peer.Peer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = p
}

func (m *mask) who(net.Conn) (peer.Peer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now, nil
}
