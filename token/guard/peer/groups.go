package peer

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxGroups is the kernel's NGROUPS_MAX.
const maxGroups = 65536

// peerGroups reads SO_PEERGROUPS, for which x/sys/unix has no call. The kernel answers ERANGE, and how many bytes it takes, to less room.
func peerGroups(fd int) ([]uint32, error) {
	groups := make([]uint32, 32)
	for {
		size := uint32(len(groups)) * 4 // a socklen_t
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno == 0:
			return groups[:size/4], nil
		case errno != unix.ERANGE || size/4 <= uint32(len(groups)) || size/4 > maxGroups:
			return nil, errno
		}
		groups = make([]uint32, size/4)
	}
}
