package remote

import (
	"runtime"
	"time"
)

// yieldEvery is less than the 10 ms after which Go's monitor thread takes a goroutine for one that does not let others run.
const yieldEvery = 4 * time.Millisecond

// yield lets Go's scheduler see that the goroutine is not running away. One that calls the guard again and again is never scheduled anew: it is bound to
// its thread, and blocks in system calls only. The monitor then wakes up every 20 µs to take its processor away, which costs more than the call itself: on
// one core 17 µs against 8 for each RSA signature.
func (l *line) yield() {
	if now := time.Now(); now.Sub(l.yielded) > yieldEvery {
		l.yielded = now
		runtime.Gosched()
	}
}
