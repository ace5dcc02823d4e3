package remote

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// lines is how many connections to guards this process has: as many threads as that may wait for an answer at once.
var lines atomic.Int32

// mostProcessors is enough for all connections of a session.
const mostProcessors = mostLines

var raising sync.Mutex

// makeRoom sees to it that Go's scheduler has a processor (GOMAXPROCS) left when all connections are waited on. A thread that waits in a system call keeps
// its processor until the monitor thread takes it away, and who comes back with an answer has to wait for that though the machine is idle: eight
// threads on two cores made 24,000 signatures a second, and 40,000 with this. Programs with few threads are left alone, because the garbage
// collector starts a thread for every four processors.
func makeRoom() {
	if int(lines.Load()) < runtime.GOMAXPROCS(0) {
		return
	}
	raising.Lock()
	defer raising.Unlock()
	if n := runtime.GOMAXPROCS(0); int(lines.Load()) >= n && n < mostProcessors {
		runtime.GOMAXPROCS(min(2*n, mostProcessors))
	}
}
