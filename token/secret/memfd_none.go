//go:build !(amd64 || arm64 || riscv64)

package secret

import "golang.org/x/sys/unix"

// memfdSecret is a call that the kernel does not have on this processor.
func memfdSecret(int) (int, error) { return -1, unix.ENOSYS }
