package remote_test

import (
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/remote"
)

// descriptors is how many this process has, where it has kept what it named to others and took back.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// However a guard fails, no connection to it is left behind, and none that a forked child would be told to close.
func TestNoConnectionIsLeft(t *testing.T) {
	remote.Hurry(t, hurry)
	for name, answer := range map[string]func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error){
		"nonsense": func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error) {
			return &protocol.Output{}, nil
		},
		"refused": func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error) {
			return nil, ck.CKR_DEVICE_MEMORY
		},
		"ends over requests": loads(func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error) { return &hangUp{}, nil }),
		"silent":             loads(silence),
		"fine": loads(func(_ net.Conn, method protocol.Method, _ protocol.Message) (protocol.Message, error) {
			if method == protocol.MethodSign {
				return &protocol.Output{}, nil
			}
			return &protocol.Nothing{}, nil
		}),
		"not isolating": func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error) {
			return &protocol.Welcome{Session: protocol.SessionID{1}, Level: guard.Process, Unavailable: "no TPM"}, nil
		},
	} {
		f := lie(t, answer)
		var mu sync.Mutex
		kept := map[int]bool{}
		e := f.endpoint()
		e.KeepFD = func(fd int) bool { mu.Lock(); defer mu.Unlock(); kept[fd] = true; return true }
		e.DropFD = func(fd int) { mu.Lock(); defer mu.Unlock(); delete(kept, fd) }
		before := descriptors(t)
		if g, err := remote.Open(e, guard.Process); err == nil {
			_, ref := load(t, g)
			var callers sync.WaitGroup
			for range 4 {
				callers.Go(func() { _ = sign(t, g, ref) }) // it may fail
			}
			callers.Wait()
			_ = g.Close()
			if err := sign(t, g, ref); err == nil {
				t.Errorf("%s: a closed guard signs", name)
			}
		}
		if len(kept) != 0 {
			t.Errorf("%s: a child is told to close %v", name, kept)
		}
		after := 0
		for range 100 { // the guard, which is in this process as well, has its end to close
			if after = descriptors(t); after <= before {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if after > before {
			t.Errorf("%s: %d descriptors more", name, after-before)
		}
	}
}

// Close while calls are under way: they end well, or say that it is over.
func TestCloseUnderCalls(t *testing.T) {
	p := start(t)
	for range 20 {
		g, err := remote.Open(p.endpoint(), guard.Process)
		if err != nil {
			t.Fatal(err)
		}
		v, _, err := g.NewMaster(nil, context, nil)
		if err != nil {
			t.Fatal(err)
		}
		k, public := p256(t, g, v)
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				for {
					switch rv := ck.Code(signs(t, g, k.Ref, public)); rv {
					case ck.CKR_OK:
						continue
					case ck.CKR_CRYPTOKI_NOT_INITIALIZED:
					default:
						t.Error(rv)
					}
					return
				}
			})
		}
		time.Sleep(5 * time.Millisecond)
		_ = g.Close()
		callers.Wait()
	}
}
