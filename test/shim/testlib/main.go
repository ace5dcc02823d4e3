// Command testlib is a c-shared library of the same make as the module, with
// work in place of PKCS #11: what test/shim runs host programs against.
package main

// #cgo CFLAGS: -I${SRCDIR}/../../../cabi/shim -Wall -Wextra -fvisibility=hidden
// #cgo LDFLAGS: -Wl,-z,now
// #include "shim.h"
// extern int call_back(void *function);
import "C"

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
	"unsafe"

	_ "github.com/ncrypt11/ncrypt11/cabi/shim"
	"github.com/ncrypt11/ncrypt11/cabi/wide"
)

// call runs what an exported function does the way shim.h wants it: on a wide stack.
func call(f func() C.int) (result C.int) {
	wide.Run(func() { result = f() })
	return result
}

func init() {
	// A small heap target keeps the collector busy, which is when a fork
	// does the most harm.
	debug.SetGCPercent(10)
	runtime.GOMAXPROCS(min(runtime.GOMAXPROCS(0), 4))
}

var garbage []byte

// signOnce makes a key, signs and verifies.
func signOnce() bool {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return false
	}
	digest := sha256.Sum256([]byte("digest"))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	return err == nil && ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature)
}

// goWork signs in n goroutines that wait for each other and leave garbage, then
// collects it. It returns the number of good signatures.
//
//export goWork
func goWork(n C.int) C.int { return call(func() C.int { return work(n) }) }

func work(n C.int) C.int {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var good C.int
	for range int(n) {
		wg.Go(func() {
			ok := signOnce()
			litter := make([]byte, 1<<18)
			time.Sleep(100 * time.Microsecond)
			mu.Lock()
			defer mu.Unlock()
			garbage = litter
			if ok {
				good++
			}
		})
	}
	wg.Wait()
	runtime.GC()
	return good
}

// goSign makes one signature on the calling thread.
//
//export goSign
func goSign() C.int {
	return call(func() C.int {
		if !signOnce() {
			return 0
		}
		return 1
	})
}

//export goLight
func goLight() C.int { return call(func() C.int { return 1 }) }

// goPanic dereferences nil and recovers, as the one door into the module does.
//
//export goPanic
func goPanic() C.int { return call(recovers) }

func recovers() (recovered C.int) {
	defer func() {
		if recover() != nil {
			recovered = 1
		}
	}()
	var nowhere *int
	return C.int(*nowhere)
}

// goSleep keeps the calling thread inside Go.
//
//export goSleep
func goSleep(milliseconds C.int) C.int {
	return call(func() C.int {
		time.Sleep(time.Duration(milliseconds) * time.Millisecond)
		return 1
	})
}

// goWrite writes a byte to fd and returns 0 or errno. It does so as whatever may break must be written: on a thread of Go's own, where SIGPIPE is blocked.
//
//export goWrite
func goWrite(fd C.int) C.int {
	return call(func() C.int {
		written := make(chan error)
		go func() {
			_, err := syscall.Write(int(fd), []byte{'x'})
			written <- err
		}()
		if errno, ok := (<-written).(syscall.Errno); ok {
			return C.int(errno)
		}
		return 0
	})
}

// goCallback calls a function of the host from inside Go, as the mutex and
// notification functions of PKCS #11 are called.
//
//export goCallback
func goCallback(function unsafe.Pointer) C.int {
	return call(func() C.int { return C.call_back(function) })
}

// goSpawn starts a program, and returns 0 or errno.
//
//export goSpawn
func goSpawn(program *C.char, argv, envp **C.char) C.int {
	return call(func() C.int { return C.shim_spawn(program, argv, envp) })
}

// goHasEnv tells whether Go's environment has the variable TESTLIB_n.
//
//export goHasEnv
func goHasEnv(n C.int) C.int {
	return call(func() C.int {
		if os.Getenv("TESTLIB_"+string(rune('0'+n))) == "" {
			return 0
		}
		return 1
	})
}

func main() {}
