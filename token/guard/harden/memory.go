package harden

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// lockFlags lock pages when they are touched first: without MCL_ONFAULT the address space that Go reserves is filled with memory, 15 times as much.
const lockFlags = unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT

// raiseMemlock takes the whole of RLIMIT_MEMLOCK that the process may have.
func raiseMemlock() {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit) == nil {
		limit.Cur = limit.Max
		_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit)
	}
}

// lockMemory keeps the whole process out of swap space. Under a finite limit that is not even tried: where it succeeded, a later mmap(2) of the Go
// runtime would fail, and the process end.
func lockMemory(r *Report) {
	raiseMemlock()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		r.failed(Mlock, false, err)
		return
	}
	unlimited := limit.Cur == unix.RLIM_INFINITY
	if !unlimited && !lockedPrivileged(limit) {
		r.failed(Mlock, false, fmt.Errorf("RLIMIT_MEMLOCK is %d KiB: it takes LimitMEMLOCK=infinity or CAP_IPC_LOCK", limit.Cur>>10))
		return
	}
	if err := unix.Mlockall(lockFlags); err != nil {
		r.failed(Mlock, !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ENOMEM), fmt.Errorf("mlockall: %w", err))
		return
	}
	r.add(Mlock, true, "whole process")
}

// lockedPrivileged tells whether RLIMIT_MEMLOCK does not count, by a lock under a limit of nothing. That capability sets cannot say: in a
// user namespace they may show a CAP_IPC_LOCK that mlock(2) does not take.
func lockedPrivileged(limit unix.Rlimit) bool {
	none := unix.Rlimit{Cur: 0, Max: limit.Max}
	if unix.Setrlimit(unix.RLIMIT_MEMLOCK, &none) != nil {
		return false
	}
	defer func() { _ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit) }()
	page, err := unix.Mmap(-1, 0, unix.Getpagesize(), unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Munmap(page) }()
	return unix.Mlock(page) == nil
}
