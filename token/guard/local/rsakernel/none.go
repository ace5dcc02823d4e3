//go:build !(cgo && amd64)

package rsakernel

// Key is an RSA private key; there are none without the C of this package.
type Key struct{}

// Available tells whether RSA-2048 keys can be used here: no.
func Available() bool { return false }

// New gives false.
func New(*Numbers) (*Key, bool) { return nil, false }

// Private gives false.
func (*Key) Private(_, _ []byte) bool { return false }

// Wipe has nothing to do.
func (*Key) Wipe() {}
