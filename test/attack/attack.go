// Package attack is what a process tries against another one that keeps keys: to look into its memory, to take its descriptors, to
// stop it and change it. It takes the number of any process, and says what was stopped.
package attack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrUnavailable is what an attempt answers that this machine has no means for. It says nothing of the process.
var ErrUnavailable = errors.New("cannot be tried here")

// Attempt is one way at a process. Try gives nil where it came through.
type Attempt struct {
	Name string
	Try  func(pid int) error
}

// Attempts are all the ways. Each leaves the process as it was.
var Attempts = []Attempt{
	{"ptrace attach", ptraceAttach},
	{"ptrace seize", ptraceSeize},
	{"process_vm_readv", vmRead},
	{"process_vm_writev", vmWrite},
	{"pidfd_getfd", takeDescriptor},
	{"kcmp", compare},
	{"prlimit core", raiseCore},
	{"gcore", dump},
	{"write /proc/PID/mem", func(pid int) error { return open(pid, "mem", unix.O_RDWR) }},
	{"list /proc/PID/fd", func(pid int) error { return list(pid, "fd") }},
	{"list /proc/PID/map_files", func(pid int) error { return list(pid, "map_files") }},
	{"read link /proc/PID/exe", func(pid int) error { return link(pid, "exe") }},
	{"read link /proc/PID/cwd", func(pid int) error { return link(pid, "cwd") }},
	{"read /proc/PID/mem", readMemory},
	{"read /proc/PID/maps", func(pid int) error { return read(pid, "maps") }},
	{"read /proc/PID/smaps", func(pid int) error { return read(pid, "smaps") }},
	{"read /proc/PID/pagemap", func(pid int) error { return open(pid, "pagemap", unix.O_RDONLY) }},
	{"read /proc/PID/environ", func(pid int) error { return read(pid, "environ") }},
	{"read /proc/PID/auxv", func(pid int) error { return read(pid, "auxv") }},
	{"read /proc/PID/io", func(pid int) error { return read(pid, "io") }},
}

func file(pid int, name string) string { return filepath.Join("/proc", strconv.Itoa(pid), name) }

func open(pid int, name string, flags int) error {
	fd, err := unix.Open(file(pid, name), flags|unix.O_CLOEXEC, 0)
	if err == nil {
		err = unix.Close(fd)
	}
	return err
}

func list(pid int, name string) error {
	entries, err := os.ReadDir(file(pid, name))
	if err == nil && len(entries) == 0 {
		err = errors.New("empty")
	}
	return err
}

func link(pid int, name string) error {
	_, err := os.Readlink(file(pid, name))
	return err
}

func read(pid int, name string) error {
	text, err := os.ReadFile(file(pid, name))
	if err == nil && len(text) == 0 {
		err = errors.New("empty")
	}
	return err
}

// somewhere is an address of the process that can be read: its first mapping, or where that is a secret, that of most programs.
func somewhere(pid int) uintptr {
	maps, err := os.ReadFile(file(pid, "maps"))
	if err == nil {
		start, _, _ := strings.Cut(string(maps), "-")
		if address, err := strconv.ParseUint(start, 16, 64); err == nil {
			return uintptr(address)
		}
	}
	return 0x400000
}

func readMemory(pid int) error {
	mem, err := os.Open(file(pid, "mem"))
	if err != nil {
		return err
	}
	defer mem.Close()
	_, err = mem.ReadAt(make([]byte, 16), int64(somewhere(pid)))
	return err
}

func vmRead(pid int) error {
	buf := make([]byte, 16)
	local := []unix.Iovec{{Base: &buf[0], Len: uint64(len(buf))}}
	_, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: somewhere(pid), Len: len(buf)}}, 0)
	return err
}

// vmWrite writes to where nothing can be written, so that no harm is done: EFAULT means that it was allowed to.
func vmWrite(pid int) error {
	buf := make([]byte, 16)
	local := []unix.Iovec{{Base: &buf[0], Len: uint64(len(buf))}}
	_, err := unix.ProcessVMWritev(pid, local, []unix.RemoteIovec{{Base: 0, Len: len(buf)}}, 0)
	if errors.Is(err, unix.EFAULT) {
		return nil
	}
	return err
}

func ptraceAttach(pid int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.PtraceAttach(pid); err != nil {
		return err
	}
	return letGo(pid)
}

func ptraceSeize(pid int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.PtraceSeize(pid); err != nil {
		return err
	}
	if err := unix.PtraceInterrupt(pid); err != nil {
		return err
	}
	return letGo(pid)
}

func letGo(pid int) error {
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil {
		return err
	}
	return unix.PtraceDetach(pid)
}

func takeDescriptor(pid int) error {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(pidfd)
	taken, err := unix.PidfdGetfd(pidfd, 1, 0)
	if err != nil {
		return err
	}
	return unix.Close(taken)
}

// compare asks which of two descriptors of the process is which (KCMP_FILE).
func compare(pid int) error {
	if _, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(pid), uintptr(pid), 0, 1, 1, 0); errno == unix.ENOSYS {
		return fmt.Errorf("%w: the kernel has no kcmp", ErrUnavailable)
	} else if errno != 0 {
		return errno
	}
	return nil
}

// raiseCore lets the process have core dumps.
func raiseCore(pid int) error {
	unlimited := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	return unix.Prlimit(pid, unix.RLIMIT_CORE, &unlimited, nil)
}

func dump(pid int) error {
	if _, err := exec.LookPath("gcore"); err != nil {
		return fmt.Errorf("%w: there is no gdb", ErrUnavailable)
	}
	dir, err := os.MkdirTemp("", "attack")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	core := filepath.Join(dir, "core")
	out, err := exec.Command("gcore", "-o", core, strconv.Itoa(pid)).CombinedOutput()
	if _, missing := os.Stat(core + "." + strconv.Itoa(pid)); missing != nil {
		return fmt.Errorf("no core file (%v): %s", err, bytes.TrimSpace(out))
	}
	return nil
}
