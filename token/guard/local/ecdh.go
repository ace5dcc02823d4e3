package local

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

func agree(own *ecdh.PrivateKey, curve *pubkey.Curve, s *mech.Scheme) (*secret.Bytes, error) {
	if s.Row.Primitive != mech.ECDH {
		return nil, ck.CKR_MECHANISM_INVALID
	}
	return agreeWith(own, curve, s.Peer)
}

// agreeWith computes the shared secret: the X coordinate on NIST curves, the u coordinate on X25519. Points that are off the curve, at
// infinity, or of small order are refused.
func agreeWith(own *ecdh.PrivateKey, curve *pubkey.Curve, point []byte) (*secret.Bytes, error) {
	raw, err := pubkey.DecodePoint(curve, point)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_PUBLIC_KEY_INVALID, "%w", err)
	}
	peer, err := curve.ECDH().NewPublicKey(raw)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_PUBLIC_KEY_INVALID, "%w", err)
	}
	shared, err := own.ECDH(peer)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_PUBLIC_KEY_INVALID, "%w", err)
	}
	return secret.From(shared), nil
}

// maxSharedData bounds the shared data of a key derivation function, which in practice names the parties.
const maxSharedData = 64 << 10

// deriveValue makes a key's value of the shared secret. Without a KDF the value is the secret's last bytes: PKCS #11 v3.2 has
// truncation remove bytes from the leading end. With one, only the length that is asked for bounds it.
func deriveValue(shared *secret.Bytes, s *mech.Scheme, spec *guard.KeySpec) (*secret.Bytes, error) {
	if spec.ValueLen < 0 || spec.ValueLen > maxSecretLen {
		return nil, ck.Errorf(ck.CKR_KEY_SIZE_RANGE, "a key of %d bytes", spec.ValueLen)
	}
	if s.KDF == ck.CKD_NULL {
		n := spec.ValueLen
		if n == 0 {
			n = shared.Len()
		}
		if n > shared.Len() {
			return nil, ck.Errorf(ck.CKR_KEY_SIZE_RANGE, "%d bytes of a shared secret of %d", n, shared.Len())
		}
		return secret.Copy(shared.Bytes()[shared.Len()-n:]), nil
	}
	hash := mech.KDFHash(s.KDF)
	switch {
	case !hash.Known():
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "CKD %#x is not supported", s.KDF)
	case len(s.SharedData) > maxSharedData: // all of it is hashed for each block
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "%d bytes of shared data", len(s.SharedData))
	case spec.ValueLen == 0:
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "a key derivation function needs CKA_VALUE_LEN")
	}
	return x963(hash, shared, s.SharedData, spec.ValueLen), nil
}

// x963 is the key derivation function of ANSI X9.63 (SEC 1, section 3.6.1).
func x963(hash mech.Hash, shared *secret.Bytes, sharedInfo []byte, n int) *secret.Bytes {
	out := secret.New(n)
	h := hash.New()
	block := make([]byte, 0, hash.Size())
	defer func() { secret.Wipe(block[:cap(block)]) }()
	for counter, rest := uint32(1), out.Bytes(); len(rest) > 0; counter++ {
		h.Reset()
		h.Write(shared.Bytes())
		h.Write(binary.BigEndian.AppendUint32(nil, counter))
		h.Write(sharedInfo)
		block = h.Sum(block[:0])
		rest = rest[copy(rest, block):]
	}
	return out
}

// xKey is an X25519 private key.
type xKey struct {
	value *secret.Bytes
	key   *ecdh.PrivateKey
}

// newMontgomery copies value.
func newMontgomery(value []byte) (material, error) {
	key, err := ecdh.X25519().NewPrivateKey(value)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "an X25519 private key has 32 bytes")
	}
	return &xKey{secret.Copy(value), key}, nil
}

func generateMontgomery(spec *guard.KeySpec) (material, error) {
	if _, err := pubkey.DecodeParams(spec.ECParams, ck.CKK_EC_MONTGOMERY); err != nil {
		return nil, err
	}
	value := secret.New(32)
	defer value.Close()
	rand.Read(value.Bytes())
	return newMontgomery(value.Bytes())
}

func importMontgomery(p parts) (material, error) {
	_, value, point, err := curveParts(p, ck.CKK_EC_MONTGOMERY)
	if err != nil {
		return nil, err
	}
	m, err := newMontgomery(value)
	if err != nil {
		return nil, err
	}
	if k := m.(*xKey); point != nil && string(point) != string(k.key.PublicKey().Bytes()) {
		k.wipe()
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "the public point is not the private key's")
	}
	return m, nil
}

func (k *xKey) agree(s *mech.Scheme) (*secret.Bytes, error) { return agree(k.key, pubkey.X25519, s) }

func (k *xKey) plain() (*secret.Bytes, error) {
	return marshalCurvePKCS8(pubkey.X25519, k.value.Bytes())
}

func (k *xKey) public() ([]guard.Part, error) {
	return curvePublic(pubkey.X25519, k.key.PublicKey().Bytes())
}

func (k *xKey) private() []guard.Part { return valuePart(k.value.Bytes()) }

func (k *xKey) wipe() { k.value.Close() }
