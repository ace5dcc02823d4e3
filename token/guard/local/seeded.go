package local

import (
	"crypto"
	"crypto/rand"

	"golang.org/x/crypto/cryptobyte"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// seeded is a key that is kept as the seed that it comes of (ML-KEM, ML-DSA).
type seeded interface {
	material
	// agrees compares a private key that is written out with what the seed makes of it.
	agrees(value []byte) bool
}

// generateSeeded makes a key of a fresh seed of n bytes.
func generateSeeded[K seeded](n int, of func(seed []byte) (K, error)) (material, error) {
	seed := secret.New(n)
	defer seed.Close()
	rand.Read(seed.Bytes())
	k, err := of(seed.Bytes())
	if err != nil {
		return nil, err
	}
	return k, nil
}

// importSeeded needs the seed: a private key that is written out has lost it, and no key is made here without one.
func importSeeded[K seeded](p parts, of func(seed []byte) (K, error)) (material, error) {
	seed := p.get(ck.CKA_SEED)
	if seed == nil {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "a private key of this type is taken by its CKA_SEED; CKA_VALUE alone does not do")
	}
	return ofSeed(seed, p.get(ck.CKA_VALUE), of)
}

// parseSeeded reads a private key of PKCS #8 that has its seed: alone, or with the key that is written out.
func parseSeeded[K seeded](der cryptobyte.String, of func(seed []byte) (K, error)) (material, error) {
	seed, value, ok := readSeed(der)
	if !ok {
		return nil, errPKCS8
	}
	m, err := ofSeed(seed, value, of)
	if err != nil {
		return nil, errPKCS8
	}
	return m, nil
}

// ofSeed makes a key of its seed. Where value, the key that is written out, is given too, they must agree.
func ofSeed[K seeded](seed, value []byte, of func(seed []byte) (K, error)) (material, error) {
	k, err := of(seed)
	if err != nil {
		return nil, err
	}
	if value != nil && !k.agrees(value) {
		k.wipe()
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_VALUE is not what CKA_SEED makes")
	}
	return k, nil
}

// seededPublic are the public parts of a key with a parameter set.
func seededPublic(set uint, public crypto.PublicKey) ([]guard.Part, error) {
	info, err := pubkey.SPKI(public)
	if err != nil {
		return nil, err
	}
	return []guard.Part{{Type: ck.CKA_PARAMETER_SET, Value: attr.ULong(set)}, {Type: ck.CKA_PUBLIC_KEY_INFO, Value: info}}, nil
}
