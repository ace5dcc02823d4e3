package local

import (
	"bytes"
	"crypto/sha3"

	"filippo.io/mldsa"
	"golang.org/x/crypto/cryptobyte"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// mldsaKey is a private key of ML-DSA: its seed, of which all else is made (FIPS 204, section 5.1). Ready to sign, a key has 96 KB, so it is made ready for each
// signature: that takes half as long as the signature itself, and of the secret numbers there is then only what the library leaves to the garbage collector.
type mldsaKey struct {
	dsa  *pubkey.MLDSA
	seed *secret.Bytes
	raw  []byte // the public key
}

// newMLDSA copies the seed.
func newMLDSA(dsa *pubkey.MLDSA, seed []byte) (*mldsaKey, error) {
	k := &mldsaKey{dsa: dsa, seed: secret.Copy(seed)}
	err := k.expanded(func(key *mldsa.PrivateKey) error {
		k.raw = key.PublicKey().Bytes()
		return nil
	})
	if err != nil {
		k.wipe()
		return nil, err
	}
	return k, nil
}

// expanded makes the key ready for f, and wipes it thereafter.
func (k *mldsaKey) expanded(f func(*mldsa.PrivateKey) error) error {
	key, err := mldsa.NewPrivateKey(k.dsa.Parameters, k.seed.Bytes())
	if err != nil {
		return ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "the seed of an ML-DSA key has %d bytes", mldsa.PrivateKeySize)
	}
	defer func() { *key = mldsa.PrivateKey{} }()
	return f(key)
}

func generateMLDSA(spec *guard.KeySpec) (material, error) {
	dsa, err := pubkey.MLDSAOf(spec.ParameterSet)
	if err != nil {
		return nil, err
	}
	return generateSeeded(mldsa.PrivateKeySize, func(seed []byte) (*mldsaKey, error) { return newMLDSA(dsa, seed) })
}

func importMLDSA(p parts) (material, error) {
	dsa, err := pubkey.DecodeMLDSA(p.get(ck.CKA_PARAMETER_SET))
	if err != nil {
		return nil, err
	}
	return importSeeded(p, func(seed []byte) (*mldsaKey, error) { return newMLDSA(dsa, seed) })
}

// agrees compares a private key that is written out (FIPS 204, algorithm 24: rho, K, tr and three vectors) with what the seed makes of it. The vectors are not
// looked at, and not kept; K depends on all of the seed.
func (k *mldsaKey) agrees(value []byte) bool {
	if len(value) != k.dsa.Private {
		return false
	}
	const rhoLen, primeLen, keyLen, trLen = 32, 64, 32, 64
	var expanded [rhoLen + primeLen + keyLen]byte
	defer secret.Wipe(expanded[:])
	h := sha3.NewSHAKE256() // FIPS 204, algorithm 6, step 1
	_, _ = h.Write(k.seed.Bytes())
	_, _ = h.Write([]byte{k.dsa.K, k.dsa.L})
	_, _ = h.Read(expanded[:])
	known := make([]byte, 0, rhoLen+keyLen+trLen)
	defer func() { secret.Wipe(known) }()
	known = append(known, expanded[:rhoLen]...)
	known = append(known, expanded[rhoLen+primeLen:]...)
	known = append(known, sha3.SumSHAKE256(k.raw, trLen)...)
	return bytes.HasPrefix(value, known)
}

// sign signs a message (FIPS 204, algorithm 2), with fresh randomness unless the scheme wants none.
func (k *mldsaKey) sign(dst []byte, s *mech.Scheme, message []byte) (signature []byte, err error) {
	if s.Row.Primitive != mech.MLDSA {
		return nil, ck.CKR_MECHANISM_INVALID
	}
	err = k.expanded(func(key *mldsa.PrivateKey) error {
		options := &mldsa.Options{Context: string(s.Context)}
		if s.Deterministic {
			signature, err = key.SignDeterministic(message, options)
		} else {
			signature, err = key.Sign(nil, message, options)
		}
		return err
	})
	if err != nil {
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "%s: %w", k.dsa.Name, err)
	}
	return append(dst, signature...), nil
}

func (k *mldsaKey) plain() (*secret.Bytes, error) { return marshalSeed(k.dsa.OID, k.seed) }

// parseMLDSAPrivateKey reads an ML-DSA private key of RFC 9881 that has its seed.
func parseMLDSAPrivateKey(oid, der cryptobyte.String) (material, error) {
	for _, dsa := range pubkey.MLDSAs() {
		if string(dsa.OID) == string(oid) {
			return parseSeeded(der, func(seed []byte) (*mldsaKey, error) { return newMLDSA(dsa, seed) })
		}
	}
	return nil, errPKCS8
}

func (k *mldsaKey) public() ([]guard.Part, error) {
	public, err := k.dsa.PublicKey(k.raw)
	if err != nil {
		return nil, err
	}
	return seededPublic(k.dsa.Set, public)
}

func (k *mldsaKey) private() []guard.Part {
	return []guard.Part{{Type: ck.CKA_SEED, Value: append([]byte{}, k.seed.Bytes()...)}}
}

func (k *mldsaKey) wipe() { k.seed.Close() }
