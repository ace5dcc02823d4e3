package local

import (
	"crypto/rand"

	"github.com/ncrypt11/ncrypt11/token/ck"
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

// importSeeded needs the seed: a private key that is written out has lost it, and no key is made here without one. Where both are given they must agree.
func importSeeded[K seeded](p parts, of func(seed []byte) (K, error)) (material, error) {
	seed, value := p.get(ck.CKA_SEED), p.get(ck.CKA_VALUE)
	if seed == nil {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "a private key of this type is taken by its CKA_SEED; CKA_VALUE alone does not do")
	}
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
