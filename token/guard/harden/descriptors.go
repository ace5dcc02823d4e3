package harden

import (
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// closeInherited closes the descriptors that came with the process, but for the standard ones and keep, and says how many. exec(2) leaves no descriptor with
// FD_CLOEXEC open: what has it was opened here, by the Go runtime.
func closeInherited(keep []int) (closed int, err error) {
	for _, fd := range keep {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC != 0 {
			return 0, fmt.Errorf("descriptor %d should have been inherited, but was not", fd)
		}
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0, fmt.Errorf("inherited descriptors: %w", err)
	}
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			return closed, fmt.Errorf("/proc/self/fd: %w", err)
		}
		if fd <= 2 {
			continue
		}
		if slices.Contains(keep, fd) {
			unix.CloseOnExec(fd)
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue // err: the directory's own, which is closed by now
		}
		if err := unix.Close(fd); err != nil {
			return closed, fmt.Errorf("closing descriptor %d: %w", fd, err)
		}
		closed++
	}
	return closed, nil
}
