// Package message has the structures that secure key injection encrypts, byte for byte as cardmod.h lays them out: little-endian numbers at their natural
// places, and behind them the data that their lengths speak of. A guard reads the private key's, so this package knows nothing of tokens.
package message

import (
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// CurrentVersion is the version of all structures: CARD_IMPORT_KEYPAIR_CURRENT_VERSION and its like.
const CurrentVersion = 7

// MaxData bounds what stands behind a structure. The longest is an RSA private key of 16384 bits.
const MaxData = 1 << 14

// ulong gives the number at an offset, which the caller knows to be there.
func ulong(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }

// start makes room for a structure with its data, and writes the version.
func start(fixed int, data ...[]byte) (*secret.Bytes, []byte) {
	n := fixed
	for _, d := range data {
		n += len(d)
	}
	s := secret.New(n)
	b := s.Bytes()
	put(b, 0, CurrentVersion)
	at := fixed
	for _, d := range data {
		at += copy(b[at:], d)
	}
	return s, b
}

func put(b []byte, at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }

// check looks at a structure's length and version, before anything else of it is read.
func check(name string, b []byte, fixed int) error {
	switch {
	case len(b) < 4:
		return nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "%s has %d bytes: there is no dwVersion", name, len(b))
	case ulong(b, 0) != CurrentVersion:
		return nte.Errorf(nte.ERROR_REVISION_MISMATCH, "%s has version %d, not %d", name, ulong(b, 0), CurrentVersion)
	case len(b) < fixed:
		return nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "%s has %d bytes, less than its %d", name, len(b), fixed)
	}
	return nil
}

// behind gives the data behind a structure, cut by its lengths, which must be exactly those of what is there.
func behind(name string, b []byte, fixed int, lengths ...uint32) ([][]byte, error) {
	rest := b[fixed:]
	parts := make([][]byte, 0, len(lengths))
	for _, n := range lengths {
		if n > MaxData || int(n) > len(rest) {
			return nil, nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "%s speaks of %d bytes where there are %d", name, n, len(rest))
		}
		parts, rest = append(parts, rest[:n:n]), rest[n:]
	}
	if len(rest) != 0 {
		return nil, nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "%s has %d bytes more than it speaks of", name, len(rest))
	}
	return parts, nil
}
