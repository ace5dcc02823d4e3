package inject

import (
	"fmt"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Meta is what a package says of a key in clear: whoever has the package can read it, and nobody can change it.
type Meta struct {
	Label   string
	ID      []byte         // CKA_ID
	Class   ck.ObjectClass // CKO_PRIVATE_KEY or CKO_SECRET_KEY
	KeyType ck.KeyType
	Usage   guard.Usage // at least one
	Public  []byte      // SubjectPublicKeyInfo of a private key, which must be its own; nil: not said
}

// Key is a key to be sealed: its PKCS #8 PrivateKeyInfo in DER, or an AES key's bytes. It will never leave its targets.
type Key struct {
	Meta
	Plain *secret.Bytes
}

const (
	maxKeyLabel  = 1024
	maxKeyID     = 255
	maxKeyPublic = 8 << 10
	maxMeta      = 32 + maxKeyLabel + maxKeyID + maxKeyPublic
	maxPlain     = 16 << 10 // an RSA key of 16384 bits takes 9.3 KiB
)

func (m *Meta) valid() error {
	switch {
	case m.Class != ck.CKO_PRIVATE_KEY && (m.Class != ck.CKO_SECRET_KEY || m.KeyType != ck.CKK_AES):
		return fmt.Errorf("%w key: packages carry private keys and AES keys", ErrMalformed)
	case m.KeyType > 1<<32-1:
		return fmt.Errorf("%w key: key type %#x", ErrMalformed, uint(m.KeyType))
	case m.Usage == 0 || !possible(m.Class, m.Usage):
		return fmt.Errorf("%w key: it is of no use, or of one that keys of its class do not have", ErrMalformed)
	case len(m.Label) > maxKeyLabel || !utf8.ValidString(m.Label):
		return fmt.Errorf("%w key: its label is longer than %d bytes, or no text", ErrMalformed, maxKeyLabel)
	case len(m.ID) > maxKeyID || len(m.Public) > maxKeyPublic || m.Class == ck.CKO_SECRET_KEY && len(m.Public) > 0:
		return fmt.Errorf("%w key: an id of %d bytes, a public key of %d", ErrMalformed, len(m.ID), len(m.Public))
	}
	return nil
}

// encode gives the only encoding of what is valid (FORMAT.md).
func (m *Meta) encode() []byte {
	var b cryptobyte.Builder
	b.AddUint32(uint32(m.Class))
	b.AddUint32(uint32(m.KeyType))
	b.AddUint16(uint16(m.Usage))
	for _, field := range [][]byte{[]byte(m.Label), m.ID, m.Public} {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(field) })
	}
	return b.BytesOrPanic()
}

// decodeMeta reads what encode wrote, and nothing else. The result aliases in.
func decodeMeta(in []byte) (*Meta, error) {
	s := cryptobyte.String(in)
	var class, keyType uint32
	var usage uint16
	var label, id, public cryptobyte.String
	if !s.ReadUint32(&class) || !s.ReadUint32(&keyType) || !s.ReadUint16(&usage) ||
		!s.ReadUint16LengthPrefixed(&label) || !s.ReadUint16LengthPrefixed(&id) || !s.ReadUint16LengthPrefixed(&public) || !s.Empty() {
		return nil, fmt.Errorf("%w key: what is said of it cannot be read", ErrMalformed)
	}
	m := &Meta{Label: string(label), ID: id, Class: ck.ObjectClass(class), KeyType: ck.KeyType(keyType), Usage: guard.Usage(usage), Public: public}
	return m, m.valid()
}
