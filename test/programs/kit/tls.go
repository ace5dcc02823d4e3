package kit

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// handshakeTime is how long one handshake may take. A server that hangs would take for ever.
const handshakeTime = 20 * time.Second

// Handshakes makes n new connections, some at a time, each of which must succeed and be served: it writes the request and expects answer to begin what
// comes back, unless both are empty.
func Handshakes(t testing.TB, address string, n, atATime int, config *tls.Config, request, answer string) {
	t.Helper()
	var next atomic.Int64
	failures := make([]error, atATime)
	var callers sync.WaitGroup
	for i := range atATime {
		callers.Go(func() {
			for next.Add(1) <= int64(n) && failures[i] == nil {
				failures[i] = Handshake(address, config, request, answer)
			}
		})
	}
	callers.Wait()
	if err := errors.Join(failures...); err != nil {
		t.Fatalf("of %d handshakes with %s: %v", n, address, err)
	}
}

// Handshake makes one connection.
func Handshake(address string, config *tls.Config, request, answer string) error {
	dialer := &net.Dialer{Timeout: handshakeTime}
	conn, err := tls.DialWithDialer(dialer, "tcp", address, config)
	if err != nil {
		return err
	}
	defer conn.Close()
	if answer == "" {
		return nil
	}
	if err := conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte(request)); err != nil {
		return err
	}
	got := make([]byte, len(answer))
	for n := 0; n < len(got); {
		m, err := conn.Read(got[n:])
		if n += m; err != nil && n < len(got) {
			return fmt.Errorf("after %q: %w", got[:n], err)
		}
	}
	if string(got) != answer {
		return fmt.Errorf("the answer begins with %q, not %q", got, answer)
	}
	return nil
}

// Await waits until somebody listens at an address of this machine, or the daemon that is to do it has ended.
func Await(t testing.TB, address string, d *Daemon) {
	t.Helper()
	Eventually(t, "somebody listens at "+address, func() bool {
		if d != nil && d.Ended() {
			t.Fatalf("it has ended: %v", d.err)
		}
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}
