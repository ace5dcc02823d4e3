package secret

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// useArena gives secrets an arena until the test ends.
func useArena(t testing.TB, size int) *arena {
	t.Helper()
	kind, err := UseArena(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("arena: %s", kind)
	t.Cleanup(func() { current.Store(nil) })
	return current.Load()
}

// free is how many bytes nobody owns.
func (a *arena) freeBytes() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(a.rest)
	for _, blocks := range a.free {
		for _, mem := range blocks {
			n += cap(mem)
		}
	}
	return n
}

func TestRegions(t *testing.T) {
	for name, make := range map[string]func(int) ([]byte, error){"memfd_secret": secretRegion, "locked": lockedRegion} {
		t.Run(name, func(t *testing.T) {
			region, err := make(1 << 16)
			if err != nil {
				t.Fatalf("the kernels that tests run on have it: %v", err)
			}
			defer freeRegion(region)
			region[0], region[len(region)-1] = 1, 2
			maps, err := os.ReadFile("/proc/self/maps")
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(string(maps), "/secretmem"); got != (name == "memfd_secret") {
				t.Errorf("a mapping of secretmem: %v", got)
			}
		})
	}
}

func TestSecretsComeFromTheArena(t *testing.T) {
	a := useArena(t, 1<<20)
	if _, err := UseArena(1 << 20); err == nil {
		t.Fatal("a second arena replaced the first")
	}
	all := a.freeBytes()
	s := Copy([]byte("hunter2"))
	if got := all - a.freeBytes(); got != 32 {
		t.Errorf("7 bytes took %d from the arena", got)
	}
	clone, moved := s.Clone(), From([]byte("1234"))
	inside := s.Bytes()
	_ = append(inside, "beyond"...)
	for _, b := range []*Bytes{clone, moved, s, s} {
		b.Close()
	}
	copied := *s
	copied.Close()
	if got := a.freeBytes(); got != all {
		t.Errorf("%d bytes are not back", all-got)
	}
	if !bytes.Equal(inside[:cap(inside)], make([]byte, 32)) {
		t.Errorf("what was given back is not zero: %x", inside[:cap(inside)])
	}
	next := New(32)
	defer next.Close()
	if &next.Bytes()[0] != &inside[0] {
		t.Error("a block that was given back is not used again")
	}
	if s.Bytes() != nil || copied.Bytes() != nil {
		t.Error("a closed secret has somebody else's bytes")
	}
}

func TestWhatStaysOnTheHeap(t *testing.T) {
	a := useArena(t, 1<<20)
	all := a.freeBytes()
	for name, s := range map[string]*Bytes{"none": New(0), "large": New(1<<16 + 1)} {
		if a.freeBytes() != all {
			t.Errorf("%s: in the arena", name)
		}
		s.Close()
	}
	largest := New(1 << 16)
	defer largest.Close()
	if a.freeBytes() != all-1<<16 {
		t.Error("64 KiB: not in the arena")
	}
}

func TestFullArena(t *testing.T) {
	a := useArena(t, 1<<16)
	var owners []*Bytes
	for range 1<<16/32 + 5 {
		s := New(32)
		s.Bytes()[31] = 0xff
		owners = append(owners, s)
	}
	if got := a.freeBytes(); got != 0 {
		t.Fatalf("%d bytes are left", got)
	}
	for i, s := range owners {
		for _, other := range owners[:i] {
			if &s.Bytes()[0] == &other.Bytes()[0] {
				t.Fatal("two owners of one block")
			}
		}
	}
	for _, s := range owners {
		s.Close()
	}
	if got := a.freeBytes(); got != 1<<16 {
		t.Fatalf("%d bytes are free after all", got)
	}
}

func TestLeakIsCollected(t *testing.T) {
	a := useArena(t, 1<<16)
	all := a.freeBytes()
	func() {
		leaked := Copy([]byte("nobody closes this"))
		if a.freeBytes() == all {
			t.Fatal("not in the arena")
		}
		runtime.KeepAlive(leaked)
	}()
	for end := time.Now().Add(10 * time.Second); a.freeBytes() != all; {
		if time.Now().After(end) {
			t.Fatal("the block of a secret that nobody has is not back")
		}
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}

func TestArenaInParallel(t *testing.T) {
	a := useArena(t, 1<<18)
	all := a.freeBytes()
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			pattern := bytes.Repeat([]byte{byte(worker + 1)}, 3000)
			for i := range 2000 {
				s := Copy(pattern[:i%len(pattern)])
				if !s.Equal(pattern[:i%len(pattern)]) {
					t.Error("somebody else wrote into the secret")
				}
				wg.Go(s.Close)
				s.Close()
			}
		})
	}
	wg.Wait()
	if got := a.freeBytes(); got != all {
		t.Errorf("%d bytes are not back", all-got)
	}
}

// FuzzArena takes and gives back in the order that the input says: blocks are zero, never shared, and all come back.
func FuzzArena(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 1, 128, 200, 0, 255, 64, 129})
	f.Add([]byte{100, 100, 100, 128, 129, 5, 5, 5, 5, 130, 128, 127})
	f.Add(bytes.Repeat([]byte{127, 3, 90}, 60))
	f.Fuzz(func(t *testing.T, steps []byte) {
		const size = 1 << 14
		a := &arena{rest: make([]byte, size)}
		type owned struct {
			mem  []byte
			mark byte
		}
		var blocks []owned
		end := func(i int) {
			for _, b := range blocks[i].mem {
				if b != blocks[i].mark {
					t.Fatal("somebody else wrote into the block")
				}
			}
			a.give(blocks[i].mem)
			blocks = append(blocks[:i], blocks[i+1:]...)
		}
		for i, step := range steps {
			if step >= 128 {
				if len(blocks) > 0 {
					end(int(step) % len(blocks))
				}
				continue
			}
			mem := a.take(1 + int(step)*int(step)/4)
			for _, b := range mem[:cap(mem)] {
				if b != 0 {
					t.Fatal("a block that is not zero")
				}
			}
			if mem != nil {
				mark := byte(i) | 1
				copy(mem, bytes.Repeat([]byte{mark}, len(mem)))
				blocks = append(blocks, owned{mem, mark})
			}
		}
		for len(blocks) > 0 {
			end(0)
		}
		if got := a.freeBytes(); got != size {
			t.Fatalf("%d bytes are free after all", got)
		}
	})
}
