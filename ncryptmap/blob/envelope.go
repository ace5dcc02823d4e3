package blob

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// Isolated is an NCRYPT_ISOLATED_KEY_ENVELOPED_BLOB: a key under AES-GCM, whose key is under RSA-OAEP. The header is ULONGs: Version, KeyUsage, flags (bit 0:
// PerBootKey), and the lengths of AlgorithmName, Nonce, AuthTag, WrappingKeyBlob and IsolatedKeyBlob, which follow in that order. What the header says of the
// key travels with it: it is authenticated, to the end of Nonce.
type Isolated struct {
	Algorithm     string // of the key
	Usage         uint32 // NCRYPT_ALLOW_*
	PerBoot       bool
	Nonce, Tag    []byte
	WrappingKey   []byte // the AES key, under RSA-OAEP
	Key           []byte // the key, under AES-GCM
	Authenticated []byte // what GCM authenticates beside the key
}

const (
	isolatedVersion = 0
	perBootBit      = 1
	maxAlgorithm    = 2 * 512 // NCRYPT_MAX_ALG_ID_LENGTH characters, in bytes
)

// The tags and nonces of GCM that are accepted, in bytes. A shorter tag could be guessed.
const (
	isolatedTag   = 16
	isolatedNonce = 12
)

// ParseIsolated reads an envelope. Errors: nte.NTE_BAD_DATA; nte.NTE_BAD_VER.
func ParseIsolated(data []byte) (*Isolated, error) {
	if len(data) > maxBlob {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the envelope has %d bytes, more than %d", len(data), maxBlob)
	}
	r := &reader{data: data}
	if version := r.ulong(); version != isolatedVersion {
		return nil, nte.Errorf(nte.NTE_BAD_VER, "an envelope of version %d is not known", version)
	}
	e := &Isolated{Usage: r.ulong()}
	flags := r.ulong()
	name, nonce, tag, wrapping, key := r.ulong(), r.ulong(), r.ulong(), r.ulong(), r.ulong()
	if flags&^perBootBit != 0 || name > maxAlgorithm || nonce != isolatedNonce || tag != isolatedTag {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the envelope's header has unknown flags %#x, or a nonce of %d and a tag of %d bytes instead of %d and %d",
			flags, nonce, tag, isolatedNonce, isolatedTag)
	}
	if e.Usage&^allowAllUsages != 0 {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the envelope's usage %#x has unknown bits", e.Usage)
	}
	e.PerBoot = flags&perBootBit != 0
	e.Algorithm = r.text(name)
	e.Nonce = r.take(nonce)
	authenticated := len(data) - len(r.data)
	e.Tag, e.WrappingKey, e.Key = r.take(tag), r.take(wrapping), r.take(key)
	if err := r.end(); err != nil {
		return nil, err
	}
	e.Authenticated = data[:authenticated]
	return e, nil
}
