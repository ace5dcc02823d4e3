package failure

import (
	"os"
	"sync"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The limit: so many failures in each window are written. A program that fails in a loop must not wear out a disk.
const (
	window      = time.Second
	maxInWindow = 10
)

// Keeper keeps the failures of one program. Its zero value, and nil, keep none.
type Keeper struct {
	path string
	may  func() bool

	mu      sync.Mutex
	since   time.Time // of this window
	written int       // in it
}

// NewKeeper keeps failures in the file of that path; empty: nowhere. may is asked before each is written, if it is not nil.
func NewKeeper(path string, may func() bool) *Keeper { return &Keeper{path: path, may: may} }

// Keep keeps an error that PKCS #11 returned, unless it is an ordinary one.
func (k *Keeper) Keep(function string, err error) {
	if rv := ck.Code(err); rv != ck.CKR_OK && !Ordinary(function, rv) {
		k.KeepCode(function, uint64(rv), Reason(err))
	}
}

// KeepCode keeps a failure, unless it is one too many. What cannot be kept is lost: no call fails because of it.
func (k *Keeper) KeepCode(function string, code uint64, reason string) {
	if k == nil || k.path == "" || !k.admit(time.Now()) || k.may != nil && !k.may() {
		return
	}
	program, _ := os.Readlink("/proc/self/exe") // empty where there is no /proc
	_ = Write(k.path, &Failure{Time: time.Now().UTC().Truncate(time.Millisecond), Program: program, PID: os.Getpid(), Function: function, Code: code, Reason: reason})
}

func (k *Keeper) admit(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if ago := now.Sub(k.since); ago >= window || ago < 0 {
		k.since, k.written = now, 0
	}
	k.written++
	return k.written <= maxInWindow
}
