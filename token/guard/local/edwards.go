package local

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// edKey is an Ed25519 private key: the seed of RFC 8032 and the public key after it. It lies in Go's heap: crypto/ed25519 has a cleanup for each key that
// signs, and the runtime ends the process where a cleanup is for other memory.
type edKey struct{ key ed25519.PrivateKey }

// newEdwards copies the seed.
func newEdwards(seed []byte) (material, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "an Ed25519 private key has %d bytes", ed25519.SeedSize)
	}
	return &edKey{ed25519.NewKeyFromSeed(seed)}, nil
}

func generateEdwards(spec *guard.KeySpec) (material, error) {
	if _, err := pubkey.DecodeParams(spec.ECParams, ck.CKK_EC_EDWARDS); err != nil {
		return nil, err
	}
	seed := secret.New(ed25519.SeedSize)
	defer seed.Close()
	rand.Read(seed.Bytes())
	return newEdwards(seed.Bytes())
}

func importEdwards(p parts) (material, error) {
	_, value, point, err := curveParts(p, ck.CKK_EC_EDWARDS)
	if err != nil {
		return nil, err
	}
	m, err := newEdwards(value)
	if err != nil {
		return nil, err
	}
	if k := m.(*edKey); point != nil && string(point) != string(k.point()) {
		k.wipe()
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "the public point is not the private key's")
	}
	return m, nil
}

// sign makes Ed25519, Ed25519ctx and Ed25519ph signatures of data itself.
func (k *edKey) sign(dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	if s.Row.Primitive != mech.EdDSA {
		return nil, ck.CKR_MECHANISM_INVALID
	}
	options := &ed25519.Options{Context: string(s.Context)}
	if s.Prehash {
		options.Hash = crypto.SHA512
		digest := sha512.Sum512(data)
		data = digest[:]
	}
	signature, err := k.key.Sign(nil, data, options)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "Ed25519: %w", err)
	}
	return append(dst, signature...), nil
}

func (k *edKey) seed() []byte { return k.key[:ed25519.SeedSize] }

func (k *edKey) point() []byte { return k.key[ed25519.SeedSize:] }

func (k *edKey) plain() (*secret.Bytes, error) { return marshalCurvePKCS8(pubkey.Ed25519, k.seed()) }

func (k *edKey) public() ([]guard.Part, error) {
	return curvePublic(pubkey.Ed25519, append([]byte{}, k.point()...))
}

func (k *edKey) private() []guard.Part { return valuePart(k.seed()) }

func (k *edKey) wipe() { secret.Wipe(k.key) }
