//go:build amd64 || arm64 || riscv64

package secret

import "golang.org/x/sys/unix"

func memfdSecret(flags int) (int, error) { return unix.MemfdSecret(flags) }
