package ncryptmap_test

import (
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// Threads share handles, free them under each other's hands, and agree and wrap with each other's keys: nothing hangs, and a handle is freed once.
func TestThreads(t *testing.T) {
	s := open(t, t.TempDir())
	for range 10 {
		a, b := s.created("ECDH_P256", "", 0), s.created("ECDH_P256", "", 0)
		var threads sync.WaitGroup
		var mu sync.Mutex
		freed := map[ncryptmap.Handle]int{}
		for _, pair := range [][2]ncryptmap.Handle{{a, b}, {b, a}, {a, a}, {b, b}} {
			threads.Go(func() {
				for range 5 {
					if agreed, err := s.SecretAgreement(pair[0], pair[1], 0); err == nil {
						s.want("freeing what was agreed on", s.FreeObject(agreed), nte.ERROR_SUCCESS)
					}
					if out, err := s.ExportKey(pair[0], pair[1], "Rfc3565KeyWrapBlob", nil, 0); err == nil {
						out.Close()
					}
					_ = s.set(pair[0], "Export Policy", 1)
				}
				if s.FreeObject(pair[0]) == nil {
					mu.Lock()
					defer mu.Unlock()
					freed[pair[0]]++
				}
			})
		}
		threads.Wait()
		if freed[a] != 1 || freed[b] != 1 {
			t.Errorf("handles were freed %d and %d times", freed[a], freed[b])
		}
	}
}

// A key that is finalized by several threads becomes final once.
func TestThreadsFinalize(t *testing.T) {
	s := open(t, t.TempDir())
	for range 10 {
		h := s.begun("ECDSA_P256", "key", overwrite)
		var threads sync.WaitGroup
		results := make([]nte.Status, 4)
		for i := range results {
			threads.Go(func() { results[i] = nte.Code(s.FinalizeKey(h, 0)) })
		}
		threads.Wait()
		final := 0
		for _, result := range results {
			if result == nte.ERROR_SUCCESS {
				final++
			} else if result != nte.NTE_INVALID_HANDLE {
				t.Errorf("%v", result)
			}
		}
		if final != 1 {
			t.Errorf("it became final %d times", final)
		}
	}
}
