// Package forks_test has programs use the installed module that fork: at the worst moment, as servers do, as daemons do.
package forks_test

import (
	"fmt"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "bookworm") }

// A forkRun is what a program in C does, many times over.
type forkRun struct {
	program, mode string
	did           string
	quick         int
	children      int // signatures of children for each time; where it is 0 they make none
	role          string
}

var forkRuns = []forkRun{
	{"children", "initialize", "children begin anew, log in and sign, while threads of the parent sign", 30, 1, "child"},
	{"children", "call", "children call functions without C_Initialize, and are told so", 30, 0, ""},
	{"children", "exit", "children end at once, by exit and by _exit, while the parent signs", 30, 0, ""},
	{"children", "exec", "children become other programs, by fork, vfork, posix_spawn and system", 30, 0, ""},
	{"children", "nested", "children of children, four deep, begin anew and sign", 6, 7, "child"},
	{"children", "threads", "children of several threads sign in threads of their own", 30, 5, "child"},
	{"prompts", "login", "the program forks while another thread is inside C_Login", 10, 1, "child"},
	{"prompts", "askpass", "a program is started between C_OpenSession and C_Login and asks for the PIN", 10, 1, "child"},
	{"prompts", "popen", "a shell is started between C_OpenSession and C_Login and asks for the PIN", 10, 1, "child"},
	{"prompts", "notify", "the callback of C_OpenSession would fork; children begin anew and sign", 10, 1, "child"},
	// No thread of the parent signs meanwhile: a fork while one is inside ENGINE_init leaves OpenSSL's lock taken in the child, for ever, whatever the module does.
	{"engine", "engine", "OpenSSL's engine has a program ask for the PIN; children sign with the key that the parent loaded", 10, 2, "child"},
	{"daemon", "idle", "daemons that initialized the module before they forked twice", 10, 2, "daemon"},
	{"daemon", "sessions", "daemons that had logged in before they forked twice", 10, 2, "daemon"},
	{"daemon", "signing", "daemons whose threads signed while they forked twice", 10, 2, "daemon"},
}

// hosts are the programs: what they are for people, whose package makes them so, and what they are linked with.
var hosts = map[string]struct {
	name, pkg string
	libraries []string
}{
	"children": {"children", "gcc", nil},
	"prompts":  {"PIN prompts", "gcc", nil},
	"engine":   {"OpenSSL's engine", "libengine-pkcs11-openssl", []string{"-lcrypto"}},
	"daemon":   {"daemons", "gcc", nil},
}

// longRuns is how often each is done in the long form.
const longRuns = 1000

func (run *forkRun) times() int { return kit.Count(run.quick, longRuns) }

func TestForks(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		record := kit.NewRecord(t, k)
		programs := make(map[string]string)
		for _, run := range forkRuns {
			host := hosts[run.program]
			if programs[run.program] == "" {
				programs[run.program] = kit.CHost(t, "hosts/"+run.program+".c", host.libraries...)
			}
			t.Run(run.program+"_"+run.mode, func(t *testing.T) {
				kit.Row(t, k, "fork: "+host.name, host.pkg, fmt.Sprintf("%d times: %s", run.times(), run.did))
				run.do(t, k, record, programs[run.program])
			})
		}
	})
}

// do runs the program several times, since what a program does first is worth as much as what it does later.
func (run *forkRun) do(t *testing.T, k *kit.Token, record *kit.Record, program string) {
	const atOnce = 20 // well within what kit.Run waits, on a machine with much else to do
	for left := run.times(); left > 0; left -= atOnce {
		count := min(left, atOnce)
		kit.Run(t, k.Owner, program, record.Args(k, run.mode, count)...)
		made := record.Signatures(t)
		if run.children > 0 && made[run.role] != count*run.children {
			t.Fatalf("of %d, signatures were made: %v", count, made)
		}
		if run.program == "children" && made["parent"] == 0 {
			t.Fatal("the parent has signed nothing")
		}
	}
}
