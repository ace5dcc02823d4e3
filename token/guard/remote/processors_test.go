package remote_test

import (
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// Threads that wait for a guard leave a processor to whoever comes back from it; one that calls alone changes nothing.
func TestProcessors(t *testing.T) {
	before := runtime.GOMAXPROCS(2)
	defer runtime.GOMAXPROCS(before)

	const callers = 9
	var asked atomic.Int32 // the first signature is answered at once, the others when all have been asked for
	all := make(chan struct{})
	f := lie(t, loads(func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error) {
		switch asked.Add(1) {
		case 1:
			return &protocol.Output{Data: make([]byte, 64)}, nil
		case 1 + callers:
			close(all)
		}
		<-all
		return &protocol.Output{Data: make([]byte, 64)}, nil
	}))
	g := f.open()
	_, ref := load(t, g)

	if err := sign(t, g, ref); err != nil {
		t.Fatal(err)
	}
	if n := runtime.GOMAXPROCS(0); n != 2 {
		t.Errorf("one call: %d processors", n)
	}
	var calls sync.WaitGroup
	for range callers {
		calls.Go(func() {
			if err := sign(t, g, ref); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if n := runtime.GOMAXPROCS(0); n <= callers {
		t.Errorf("%d calls at once: %d processors", callers, n)
	}
}
