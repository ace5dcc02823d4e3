package inject_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

// layout is where the parts of a package are, by FORMAT.md and not by the code.
type layout struct {
	header  int   // where it begins, after the magic and its length
	keys    []int // where each begins, and the last ends
	trailer int
}

func layoutOf(b []byte) layout {
	var l layout
	l.header = len("ncrypt11 package 1\n") + 4
	count := int(binary.BigEndian.Uint32(b[l.header+16+8+8:]))
	at := l.header + int(binary.BigEndian.Uint32(b[l.header-4:]))
	for range count {
		l.keys = append(l.keys, at)
		at += 4 + int(binary.BigEndian.Uint32(b[at:]))
	}
	l.keys = append(l.keys, at)
	l.trailer = at
	return l
}

// redigested makes the digest of a package fit that was changed, as who changes one would.
func redigested(b []byte, l layout) []byte {
	b = bytes.Clone(b)
	sum := sha256.Sum256(b[l.keys[0]:l.trailer])
	copy(b[l.trailer:], sum[:])
	return b
}
