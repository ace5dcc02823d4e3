package secret

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// newRegion maps zero pages for an arena: page aligned, locked, not dumped, not inherited.
func newRegion(size int) (region []byte, kind string, err error) {
	page := os.Getpagesize()
	size = (size + page - 1) / page * page
	if region, err = secretRegion(size); err == nil {
		return region, "memfd_secret", nil
	}
	without := err
	if region, err = lockedRegion(size); err == nil {
		return region, "locked", nil
	}
	return nil, "", fmt.Errorf("no memory of its own for %d bytes of secrets: memfd_secret: %w; mlock: %w (LimitMEMLOCK= allows more)", size, without, err)
}

// secretRegion maps a file of memfd_secret(2): its pages leave the kernel's direct map, and neither ptrace(2) nor /proc/PID/mem reads them.
func secretRegion(size int) ([]byte, error) {
	fd, err := memfdSecret(unix.O_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return nil, err
	}
	region, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	if err := unix.Madvise(region, unix.MADV_DONTFORK); err != nil { // a child would share it
		freeRegion(region)
		return nil, err
	}
	return region, nil
}

// lockedRegion maps anonymous memory that is neither swapped nor dumped, and is zero in a forked child.
func lockedRegion(size int) ([]byte, error) {
	region, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, err
	}
	if err := unix.Mlock(region); err != nil {
		freeRegion(region)
		return nil, err
	}
	for _, advice := range []int{unix.MADV_DONTDUMP, unix.MADV_WIPEONFORK} {
		if err := unix.Madvise(region, advice); err != nil {
			freeRegion(region)
			return nil, err
		}
	}
	return region, nil
}

func freeRegion(region []byte) { _ = unix.Munmap(region) }
