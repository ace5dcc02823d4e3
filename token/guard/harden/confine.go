package harden

import (
	"fmt"
	"runtime"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Needs is what a confined process can still reach. Descriptors that are open stay so, whatever they are of.
type Needs struct {
	ReadWriteDirs []string // everything below them, but for starting programs; they exist
	RemoveDirs    []string // files below them are removed, and nothing else is done to them; they exist
	ReadFiles     []string // those of them that exist by then
	Devices       []string // read and written; those of them that exist by then
	Sockets       []string // unix sockets to connect to, or their directories; those of them that exist by then
	ConnectTCP    []uint16 // ports, on any host
	Arena         int      // bytes for secrets outside of Go's heap, or as many of them as may be locked; 0: none
}

// Confine takes from the process what it does not need, and adds to the report what was achieved. Sockets that it serves, and directories, are open by
// then. New connections are made only to needs' unix sockets and TCP ports, and never to other machines by vsock.
func Confine(r Report, needs Needs) Report {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all, err := openThreads()
	defer all.close()
	if needs.Arena > 0 {
		useArena(&r, needs.Arena)
	}
	lockMemory(&r)
	restrictFiles(&r, &needs)
	if err == nil {
		err = loadFilter(&needs)
	}
	if err == nil {
		err = all.confined()
	}
	if err != nil {
		r.failed(Seccomp, true, err)
		return r
	}
	r.achieved(Seccomp, "every thread")
	return r
}

// minArena is the least room that is worth having.
const minArena = 64 << 10

// useArena gives secrets as much memory of their own as RLIMIT_MEMLOCK allows, up to size: secrets beyond it are on the heap.
func useArena(r *Report, size int) {
	raiseMemlock()
	for {
		kind, err := secret.UseArena(size)
		if err == nil {
			r.add(Arena, false, fmt.Sprintf("%s, %d KiB", kind, size>>10))
			return
		}
		if size /= 2; size < minArena {
			r.failed(Arena, false, err)
			return
		}
	}
}
