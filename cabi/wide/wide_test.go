package wide

import (
	"runtime"
	"testing"
	"unsafe"
)

// stackPointer is about where the calling function's frame is.
//
//go:noinline
func stackPointer() uintptr {
	var here byte
	return uintptr(unsafe.Pointer(&here))
}

// TestRunIsTransparent: results, panics and deep recursion pass through.
func TestRunIsTransparent(t *testing.T) {
	var got int
	Run(func() { got = deep(2000) })
	if got != 2000 {
		t.Fatalf("got %d", got)
	}
	recovered := func() (r any) {
		defer func() { r = recover() }()
		Run(func() { panic("through") })
		return nil
	}()
	if recovered != "through" {
		t.Fatalf("recovered %v", recovered)
	}
}

//go:noinline
func deep(n int) int {
	var pad [256]byte
	if n == 0 {
		return int(pad[0])
	}
	return deep(n-1) + 1
}

// TestStackStaysWide: inside Run, the frame of Run lies between the caller and f, also after collections that would shrink a stack.
func TestStackStaysWide(t *testing.T) {
	done := make(chan uintptr)
	go func() {
		outside := stackPointer
		var before, after uintptr
		Run(func() {
			before = outside()
			for range 8 {
				runtime.GC()
			}
			after = outside()
		})
		if before != after {
			done <- 0 // the stack was copied, so it was shrunk
			return
		}
		done <- 1
	}()
	if Always && <-done == 0 {
		t.Fatal("the garbage collector shrank the stack inside Run")
	}
}

// TestNoAllocation: the closure stays on the stack.
func TestNoAllocation(t *testing.T) {
	x := 0
	if n := testing.AllocsPerRun(100, func() { Run(func() { x++ }) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func BenchmarkRun(b *testing.B) {
	x := 0
	for b.Loop() {
		Run(func() { x++ })
	}
}
