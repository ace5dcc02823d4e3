// Package shim_test runs C and Python programs against a small c-shared library
// that goes through cabi/shim as the module does. The programs do what hosts of
// a PKCS #11 module do: fork at the worst moment, install handlers, give up
// rights, run out of things, exit without a word.
//
// The counts are small by default; NCRYPT11_LONG=1 takes the large ones.
package shim_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// count replaces the argument "N".
type count struct{ quick, long int }

func (c count) String() string {
	if os.Getenv("NCRYPT11_LONG") != "" {
		return strconv.Itoa(c.long)
	}
	return strconv.Itoa(c.quick)
}

// A hostRun is one program with its arguments.
type hostRun struct {
	program string
	args    string // after the library; N is the count
	count   count
	way     string // NCRYPT11_TEST_SHIM: a way that is otherwise hardly ever taken
	root    bool   // needs to be root
}

func (r hostRun) name() string {
	name := strings.TrimSpace(r.program + " " + r.args)
	if r.way != "" {
		name += " by " + r.way
	}
	return strings.ReplaceAll(name, " ", "_")
}

var hostRuns = []hostRun{
	{program: "presence"},
	{program: "secure", root: true},
	{program: "pair"},
	{program: "pair", way: "copy"},

	{program: "forks", args: "N 4", count: count{60, 500}},
	{program: "forks", args: "N 4 clone", count: count{60, 500}},
	{program: "forks", args: "N 3 signals", count: count{40, 500}},
	{program: "forks", args: "N 4 clone", count: count{20, 200}, way: "copy"},
	{program: "forks", args: "N 4 clone", count: count{20, 200}, way: "eager"},
	{program: "forks", args: "N 4 clone", count: count{20, 200}, way: "pid"},
	{program: "starts", args: "N", count: count{30, 1000}},
	{program: "nested", args: "N", count: count{40, 40}},
	{program: "nested", args: "N", count: count{5, 12}, way: "copy"},

	{program: "children", args: "without-init N", count: count{20, 500}},
	{program: "children", args: "only-exec N", count: count{20, 500}},
	{program: "children", args: "initialize N", count: count{20, 500}},
	{program: "children", args: "init-in-other-thread N", count: count{20, 500}},
	{program: "children", args: "init-in-many-threads N", count: count{20, 500}},
	{program: "children", args: "locked-memory N", count: count{5, 100}, root: true},
	{program: "children", args: "daemon N", count: count{10, 200}},
	{program: "children", args: "fork-in-ending-thread N", count: count{10, 200}},
	{program: "children", args: "descriptors N", count: count{10, 200}},
	{program: "children", args: "many-descriptors N", count: count{2, 50}},
	{program: "children", args: "many-descriptors N", count: count{2, 20}, way: "copy"},
	{program: "children", args: "changing-descriptors N", count: count{2, 50}},
	{program: "children", args: "callback N", count: count{10, 200}},
	{program: "children", args: "descriptors N", count: count{5, 50}, way: "copy"},
	{program: "children", args: "init-in-other-thread N", count: count{10, 100}, way: "copy"},

	{program: "confined", args: "close-everything"},
	{program: "confined", args: "close-and-reuse"},
	{program: "confined", args: "other-user", root: true},
	{program: "confined", args: "no-new-privileges", root: true},
	{program: "confined", args: "empty-root", root: true},
	{program: "confined", args: "empty-root-of-other-user", root: true},
	{program: "confined", args: "library-deleted"},
	{program: "confined", args: "library-replaced"},
	{program: "confined", args: "little-stack"},
	{program: "confined", args: "no-core-no-lock"},
	{program: "confined", args: "library-deleted", way: "copy"},
	{program: "confined", args: "library-replaced", way: "copy"},
	{program: "confined", args: "close-everything", way: "copy"},
	{program: "confined", args: "empty-root", way: "copy", root: true},
	{program: "confined", args: "other-user", way: "copy", root: true},

	{program: "limits", args: "load"},
	{program: "limits", args: "address-space"},
	{program: "limits", args: "threads", root: true},
	{program: "limits", args: "threads-later", root: true},
	{program: "limits", args: "locked-memory", root: true},
	{program: "limits", args: "thread-stacks"},
	{program: "limits", args: "sandbox"},
	{program: "limits", args: "descriptors"},
	{program: "limits", args: "descriptors-later"},

	{program: "signals", args: "rain N", count: count{2, 20}},
	{program: "signals", args: "sigsuspend N", count: count{2, 20}},
	{program: "signals", args: "broken-pipe 1"},
	{program: "signals", args: "faults 1"},
	{program: "signals", args: "chained-faults 1"},
	{program: "signals", args: "fatal-faults 1"},
	{program: "signals", args: "cancellation N", count: count{1, 10}},
	{program: "signals", args: "set-identity N", count: count{1, 10}, root: true},

	{program: "spawn", args: "host-at-work N", count: count{10, 300}},
	{program: "spawn", args: "ignored-children N", count: count{10, 100}},
	{program: "spawn", args: "master N", count: count{20, 300}},
	{program: "spawn", args: "reaper N", count: count{10, 300}},
	{program: "spawn", args: "many-threads N", count: count{10, 100}},
	{program: "spawn", args: "restarted-child N", count: count{5, 50}},
	{program: "spawn", args: "restarted-child N", count: count{5, 50}, way: "copy"},
	{program: "spawn", args: "cancellation N", count: count{5, 100}},
	{program: "spawn", args: "without-close-range N", count: count{3, 50}},
	{program: "spawn", args: "refused N", count: count{1, 1}},
	{program: "spawn", args: "processes N", count: count{1, 1}, root: true},
	{program: "spawn", args: "other-identity N", count: count{1, 1}, root: true},
	{program: "path"},
	{program: "path", way: "copy"},

	{program: "stacks", args: "N", count: count{3, 50}},
	{program: "endings", args: "N", count: count{50, 1000}},
	{program: "exits", args: "N", count: count{100, 1000}},
	{program: "pools.py", args: "N", count: count{2, 30}},
}

func TestHosts(t *testing.T) {
	built := build(t)
	for _, r := range hostRuns {
		t.Run(r.name(), func(t *testing.T) {
			if r.root && os.Getuid() != 0 {
				t.Skip("only root can give up the rights that this program gives up")
			}
			run(t, built, r)
		})
	}
}

// run gives the program a library of its own, which it may spoil, and kills it
// with all its children if it does not end.
func run(t *testing.T, built builtFiles, r hostRun) {
	library := copyFile(t, built.library)
	args := append([]string{library}, strings.Fields(r.args)...)
	for i := range args {
		if args[i] == "N" {
			args[i] = r.count.String()
		}
	}
	if strings.HasSuffix(r.program, ".py") {
		args = append([]string{"python3", filepath.Join("hosts", r.program)}, args...)
	} else {
		args = append([]string{filepath.Join(built.directory, r.program)}, args...)
	}
	limit := 90 * time.Second
	if os.Getenv("NCRYPT11_LONG") != "" {
		limit = 10 * time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "NCRYPT11_TEST_SHIM="+r.way)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Cancel = func() error {
		fmt.Fprintf(&output, "HANG: not ended after %v\n%s", limit, groupThreads(cmd.Process.Pid))
		return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, tail(output.String(), 6000))
	}
	t.Log(tail(output.String(), 400))
}

func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return "..." + s[len(s)-n:]
}

// groupThreads says where every thread of a process group stands.
func groupThreads(group int) string {
	var b strings.Builder
	tasks, _ := filepath.Glob("/proc/[0-9]*/task/[0-9]*")
	for _, task := range tasks {
		pid, _ := strconv.Atoi(strings.Split(task, "/")[2])
		if pgid, err := syscall.Getpgid(pid); err != nil || pgid != group {
			continue
		}
		b.WriteString(task)
		for _, file := range []string{"comm", "wchan", "syscall"} {
			text, _ := os.ReadFile(filepath.Join(task, file))
			b.WriteString(" " + strings.TrimSpace(string(text)))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func copyFile(t *testing.T, from string) string {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	// Not below t.TempDir: a program that has become another user must still
	// reach it.
	directory, err := os.MkdirTemp("", "shim-library-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	to := filepath.Join(directory, filepath.Base(from))
	if err := os.WriteFile(to, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	return to
}
