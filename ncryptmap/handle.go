package ncryptmap

import (
	"math/rand/v2"
	"reflect"
	"sync"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// Handle is an NCRYPT_HANDLE: a number that stands for a provider, a key or an agreed secret. 0 stands for nothing, and a number is not used twice.
type Handle uint64

// handles is what handles stand for.
type handles struct {
	mu      sync.Mutex
	objects map[Handle]any // *provider, *key, *agreed, *listing
	last    Handle
}

// newHandles counts from anywhere: the handles of a parent process are not those of its child, nor what a program kept from its last run. They are far from
// the small numbers that programs pass by mistake.
func newHandles() handles {
	return handles{objects: map[Handle]any{}, last: Handle(rand.Uint32())<<16 | 1<<48}
}

func (h *handles) add(object any) Handle {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last += 4 // handles look like pointers: the lowest bits are 0
	h.objects[h.last] = object
	return h.last
}

func (h *handles) remove(handle Handle) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.objects, handle)
}

// take gives what a handle stands for, which it does not any more: of several that take it at once, one gets it. Error: NTE_INVALID_HANDLE.
func take[T any](h *handles, handle Handle) (T, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	object, ok := h.objects[handle].(T)
	if !ok {
		return object, notThat[T](handle)
	}
	delete(h.objects, handle)
	return object, nil
}

// get gives what a handle stands for, if that is a T. Error: NTE_INVALID_HANDLE.
func get[T any](h *handles, handle Handle) (T, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	object, ok := h.objects[handle].(T)
	if !ok {
		return object, notThat[T](handle)
	}
	return object, nil
}

func notThat[T any](handle Handle) error {
	return nte.Errorf(nte.NTE_INVALID_HANDLE, "handle %#x is no %v, or was freed", uint64(handle), reflect.TypeFor[T]())
}
