package harden

import (
	"errors"
	"fmt"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// Early comes before anything else, above all before there is a secret. It starts the program anew, in the same process, where its environment or its
// signal mask would stay with it (see restart). keep are the descriptors that it should have inherited, beyond the standard ones:
// systemd's. An error is a reason to end.
func Early(keep ...int) (Report, error) {
	if err := restart(); err != nil {
		return nil, fmt.Errorf("starting anew: %w", err)
	}
	var r Report
	if err := undumpable(); err != nil {
		return nil, err
	}
	r.achieved(Dumpable, "")
	// Only now: who is no tracer yet cannot become one any more.
	if err := untraced(); err != nil {
		return nil, err
	}
	r.achieved(Tracer, "")
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return nil, fmt.Errorf("RLIMIT_CORE: %w", err)
	}
	r.achieved(Core, "")
	if err := ll.AllThreadsPrctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("PR_SET_NO_NEW_PRIVS: %w", err)
	}
	r.achieved(NoNewPrivs, "")
	closed, err := closeInherited(keep)
	if err != nil {
		return nil, err
	}
	r.achieved(Descriptors, fmt.Sprintf("%d kept, %d closed", len(keep), closed))
	unix.Umask(0o077)
	keepQuiet()
	return r, nil
}

// undumpable keeps other processes of the same user out of this one's memory, and the kernel from writing it to a core file.
func undumpable() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("PR_SET_DUMPABLE: %w", err)
	}
	if still, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || still != 0 {
		return fmt.Errorf("the process is still dumpable (%d, %v)", still, err)
	}
	return nil
}

// untraced fails under a tracer: it could read and write everything, whatever is done here.
func untraced() error {
	own, err := ownStatus()
	if err != nil {
		return err
	}
	switch pid := own["TracerPid"]; pid {
	case "0":
		return nil
	case "":
		return errors.New("/proc/self/status does not say whether there is a tracer: is /proc mounted?")
	default:
		return fmt.Errorf("process %s traces this one and would see every key: keys are not served under a tracer", pid)
	}
}
