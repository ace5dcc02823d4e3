package cabi

/*
#include <stdlib.h>
#include "shim/shim.h"
*/
import "C"

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"unsafe"
)

// Spawn starts a program by its absolute path, as a daemon of which the host learns nothing (shim/spawn.c): neither SIGCHLD nor a child, nor is
// anything of the host's in it. args are all of its arguments, the first one being its name, as in exec.Cmd; env is its whole environment. It returns once
// the program runs, or with the errno that kept it from running: EPERM in a process with raised privileges.
func Spawn(program string, args, env []string) error {
	for _, s := range slices.Concat([]string{program}, args, env) {
		if strings.IndexByte(s, 0) >= 0 {
			return fmt.Errorf("start %q: a NUL in its path, arguments or environment: %w", program, syscall.EINVAL)
		}
	}
	path, argv, envp := C.CString(program), cStrings(args), cStrings(env)
	defer C.free(unsafe.Pointer(path))
	defer freeStrings(argv)
	defer freeStrings(envp)
	if errno := C.shim_spawn(path, &argv[0], &envp[0]); errno != 0 {
		return fmt.Errorf("start %q: %w", program, syscall.Errno(errno))
	}
	return nil
}

// cStrings makes a vector as execve takes it, ended by a null pointer, in C memory.
func cStrings(list []string) []*C.char {
	size := uintptr(len(list)+1) * unsafe.Sizeof((*C.char)(nil))
	vector := unsafe.Slice((**C.char)(C.malloc(C.size_t(size))), len(list)+1)
	for i, s := range list {
		vector[i] = C.CString(s)
	}
	vector[len(list)] = nil
	return vector
}

func freeStrings(vector []*C.char) {
	for _, s := range vector {
		C.free(unsafe.Pointer(s))
	}
	C.free(unsafe.Pointer(unsafe.SliceData(vector)))
}

// KeepFD names a descriptor that a forked child must not share with this process: it is closed in a child of fork, and in one of clone when Go is
// restarted there. False where the table is full or the descriptor is not open.
func KeepFD(fd int) bool { return C.shim_keep_fd(C.int(fd)) == 0 }

// DropFD takes that back; call it before the descriptor is closed.
func DropFD(fd int) { C.shim_drop_fd(C.int(fd)) }

// LibraryPath is the absolute path that this library was loaded from, as the program named it; empty where it is part of a program.
func LibraryPath() string { return C.GoString(C.shim_library()) }
