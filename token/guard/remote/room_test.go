package remote_test

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/remote"
)

// signsSlowly is a guard that takes its time for a signature.
func signsSlowly(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error) {
	time.Sleep(10 * time.Millisecond)
	return &protocol.Output{Data: []byte("signature")}, nil
}

// Calls wait for each other where there can be no further connection: the program has no descriptor left, or its user has all that the guard gives to one.
func TestNoRoomForAnotherConnection(t *testing.T) {
	for name, full := range map[string]func(*remote.Endpoint, *atomic.Bool){
		"here": func(e *remote.Endpoint, full *atomic.Bool) {
			e.KeepFD, e.DropFD = func(int) bool { return !full.Load() }, func(int) {}
		},
		"there":          func(*remote.Endpoint, *atomic.Bool) {},
		"without a word": func(*remote.Endpoint, *atomic.Bool) {},
	} {
		var crowded atomic.Bool
		answer := loads(signsSlowly)
		f := lie(t, func(conn net.Conn, method protocol.Method, m protocol.Message) (protocol.Message, error) {
			switch full := method == protocol.MethodHello && crowded.Load(); {
			case full && name == "there":
				return nil, ck.CKR_DEVICE_MEMORY
			case full && name == "without a word":
				return &hangUp{}, nil
			}
			return answer(conn, method, m)
		})
		e := f.endpoint()
		full(e, &crowded)
		g, err := remote.Open(e, guard.Process)
		if err != nil {
			t.Fatal(err)
		}
		_, ref := load(t, g)
		crowded.Store(true)
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				if err := sign(t, g, ref); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		callers.Wait()
		_ = g.Close()
	}
}

// What does not fit into a request is refused here, and the guard hears nothing of it.
func TestTooLong(t *testing.T) {
	f := lie(t, loads(silence))
	g := f.open()
	v, _ := load(t, g)
	m := &guard.Material{Class: ck.CKO_DATA, Parts: []guard.Part{{Type: ck.CKA_VALUE, Value: make([]byte, protocol.MaxData+1)}}}
	if _, err := g.Import(v, m, &guard.Policy{}); ck.Code(err) != ck.CKR_DATA_LEN_RANGE {
		t.Error(err)
	}
	if n := f.count(protocol.MethodImport); n != 0 {
		t.Errorf("the guard was asked %d times", n)
	}
}
