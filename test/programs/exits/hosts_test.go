package exits_test

import (
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// endsStatus is how hosts/ends.c ends.
const endsStatus = 7

// An end is one of a program in C, and what was signed before.
type end struct {
	mode, did  string
	signatures int
	sig        syscall.Signal
}

var ends = []end{
	{"return", "by return from main, without C_Finalize", 1, 0},
	{"finalized", "by return from main, after C_Finalize", 1, 0},
	{"exit", "by exit, without C_Finalize", 1, 0},
	{"exit-signing", "by exit, with threads inside C_Sign", 1, 0},
	{"return-signing", "by return from main, with threads inside C_Sign", 1, 0},
	{"underscore-exit-signing", "by _exit, with threads inside C_Sign", 1, 0},
	{"quick-exit", "by quick_exit", 1, 0},
	{"quick-exit-signing", "by quick_exit, with threads inside C_Sign", 1, 0},
	{"finalize-again", "after C_Initialize and C_Finalize four times, with threads that signed", 4, 0},
	{"dlclose", "after C_Finalize and dlclose", 1, 0},
	{"dlclose-unfinalized", "after dlclose without C_Finalize", 1, 0},
	{"dlclose-signing", "after dlclose with threads inside C_Sign", 1, 0},
	{"dlclose-again", "after dlopen and dlclose three times", 3, 0},
	{"atexit-before-load", "with C_Finalize in a handler of atexit from before dlopen", 1, 0},
	{"atexit-after-load", "with C_Finalize in a handler of atexit from after dlopen", 1, 0},
	{"destructor", "with C_Finalize in a destructor", 1, 0},
	{"abort-atexit", "by abort in a handler of atexit, with threads inside C_Sign", 1, syscall.SIGABRT},
	{"abort", "by abort, with threads inside C_Sign", 1, syscall.SIGABRT},
	{"exit-in-thread", "by exit in another thread, with threads inside C_Sign", 1, 0},
	{"pthread-exit", "by exit in a thread that outlived the first one", 2, 0},
	{"thread-destructors", "after threads whose destructors called C_CloseSession", 5, 0},
	{"sigterm", "by SIGTERM, with threads inside C_Sign", 1, syscall.SIGTERM},
	{"sigterm-handled", "in a handler of SIGTERM, with threads inside C_Sign", 1, 0},
}

func TestHosts(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		record := kit.NewRecord(t, k)
		program := kit.CHost(t, "hosts/ends.c")
		for _, e := range ends {
			t.Run(e.mode, func(t *testing.T) {
				row(t, k, "a program in C", "gcc", e.did)
				c := &client{args: append([]string{program}, record.Args(k, e.mode, 1)...), sig: e.sig}
				if e.sig == 0 {
					c.code = endsStatus
				}
				repeat(t, k, c)
				if made := record.Signatures(t); made["once"] != times()*e.signatures {
					t.Errorf("%d times %d signatures were made, not %v", times(), e.signatures, made)
				}
			})
		}
	})
}
