package harden

import (
	"fmt"
	"os"
	"runtime"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"golang.org/x/sys/unix"
)

// loadFilter installs the filter on all threads, and all that they start.
func loadFilter(needs *Needs) error {
	if particular[runtime.GOARCH] == nil {
		return fmt.Errorf("which system calls a program needs on %s is not known", runtime.GOARCH)
	}
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy:     policy(needs, os.Getpid()),
	})
}

// policy is the filter. What is not on a list is answered with EPERM, which a library that only probes can live with. What nothing in this
// program calls, but who has taken it over might, ends the process: there is no second try. clone3 is answered as by a kernel without it, because a
// filter cannot read its arguments; Go and the C library then use clone.
func policy(needs *Needs, pid int) seccomp.Policy {
	return seccomp.Policy{
		DefaultAction: seccomp.ActionErrno,
		Syscalls: []seccomp.SyscallGroup{
			{Names: plain(), NamesWithCondtions: limited(needs, pid), Action: seccomp.ActionAllow},
			{Names: []string{"clone3"}, Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)},
			{Names: hostile, Action: seccomp.ActionKillProcess},
		},
	}
}

// Operations on one argument of a call.
func equal(argument uint32, value uint64) seccomp.Condition {
	return seccomp.Condition{Argument: argument, Operation: seccomp.Equal, Value: value}
}

func has(argument uint32, bit uint64) seccomp.Condition {
	return seccomp.Condition{Argument: argument, Operation: seccomp.BitsSet, Value: bit}
}

func lacks(argument uint32, bit uint64) seccomp.Condition {
	return seccomp.Condition{Argument: argument, Operation: seccomp.BitsNotSet, Value: bit}
}

// limited are the calls that are allowed with some arguments only. Rows of one call are alternatives.
func limited(needs *Needs, pid int) []seccomp.NameWithConditions {
	type row = seccomp.NameWithConditions
	type all = seccomp.ArgumentConditions
	rows := []row{
		{Name: "clone", Conditions: all{has(0, unix.CLONE_THREAD)}}, // threads, no processes
		{Name: "tgkill", Conditions: all{equal(0, uint64(pid))}},    // Go preempts its threads by signals
		{Name: "mmap", Conditions: all{lacks(2, unix.PROT_EXEC)}},   // no new code
		{Name: "mprotect", Conditions: all{lacks(2, unix.PROT_EXEC)}},
		{Name: "prctl", Conditions: all{equal(0, unix.PR_SET_VMA)}}, // Go names its memory
		{Name: "prlimit64", Conditions: all{equal(0, 0), equal(2, 0)}},
		{Name: "ioctl", Conditions: all{equal(1, unix.TCGETS)}}, // isatty(3)
		{Name: "socket", Conditions: all{equal(0, unix.AF_UNIX)}},
	}
	if len(needs.ConnectTCP) > 0 {
		for _, family := range []uint64{unix.AF_INET, unix.AF_INET6} { // Landlock does not know Multipath TCP
			rows = append(rows,
				row{Name: "socket", Conditions: all{equal(0, family), equal(2, 0), equal(1, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)}},
				row{Name: "socket", Conditions: all{equal(0, family), equal(2, unix.IPPROTO_TCP)}})
		}
	}
	return rows
}
