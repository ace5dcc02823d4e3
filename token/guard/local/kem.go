package local

import (
	"bytes"
	"crypto/mlkem"
	"crypto/sha3"

	"golang.org/x/crypto/cryptobyte"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// kemKey is a private key of ML-KEM: its seed, of which all else is made (FIPS 203, section 7.1).
type kemKey struct {
	kem  *pubkey.KEM
	seed *secret.Bytes // d and z
	key  decapsulator
	raw  []byte // the public key
}

type decapsulator interface {
	Decapsulate(ciphertext []byte) (sharedKey []byte, err error)
}

// newKEM copies the seed.
func newKEM(kem *pubkey.KEM, seed []byte) (*kemKey, error) {
	if len(seed) != mlkem.SeedSize {
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "the seed of an ML-KEM key has %d bytes", mlkem.SeedSize)
	}
	k := &kemKey{kem: kem}
	switch kem {
	case pubkey.MLKEM768:
		key, err := mlkem.NewDecapsulationKey768(seed)
		if err != nil {
			return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "%s: %w", kem.Name, err)
		}
		k.key, k.raw = key, key.EncapsulationKey().Bytes()
	case pubkey.MLKEM1024:
		key, err := mlkem.NewDecapsulationKey1024(seed)
		if err != nil {
			return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "%s: %w", kem.Name, err)
		}
		k.key, k.raw = key, key.EncapsulationKey().Bytes()
	default:
		return nil, ck.CKR_PARAMETER_SET_NOT_SUPPORTED
	}
	k.seed = secret.Copy(seed)
	return k, nil
}

func generateKEM(spec *guard.KeySpec) (material, error) {
	kem, err := pubkey.KEMOf(spec.ParameterSet)
	if err != nil {
		return nil, err
	}
	return generateSeeded(mlkem.SeedSize, func(seed []byte) (*kemKey, error) { return newKEM(kem, seed) })
}

func importKEM(p parts) (material, error) {
	kem, err := pubkey.DecodeKEM(p.get(ck.CKA_PARAMETER_SET))
	if err != nil {
		return nil, err
	}
	return importSeeded(p, func(seed []byte) (*kemKey, error) { return newKEM(kem, seed) })
}

// agrees compares a private key that is written out (FIPS 203, algorithm 16: a secret vector, the public key, its hash, z) with what the seed makes of it. The
// vector is the one part that is not looked at, and that is not kept.
func (k *kemKey) agrees(value []byte) bool {
	if len(value) != k.kem.Private {
		return false
	}
	const hashLen, zLen = 32, 32
	hash := sha3.Sum256(k.raw)
	known := append(append(append([]byte{}, k.raw...), hash[:]...), k.seed.Bytes()[mlkem.SeedSize-zLen:]...)
	defer secret.Wipe(known)
	return len(known) == k.kem.Public+hashLen+zLen && bytes.HasSuffix(value, known)
}

// decapsulate never fails for a ciphertext of the right length: one that was altered gives a key that nobody else has.
func (k *kemKey) decapsulate(ciphertext []byte) (*secret.Bytes, error) {
	if len(ciphertext) != k.kem.Ciphertext {
		return nil, ck.Errorf(ck.CKR_WRAPPED_KEY_LEN_RANGE, "a ciphertext of %s has %d bytes, not %d", k.kem.Name, k.kem.Ciphertext, len(ciphertext))
	}
	shared, err := k.key.Decapsulate(ciphertext)
	if err != nil {
		return nil, ck.CKR_WRAPPED_KEY_INVALID
	}
	return secret.From(shared), nil
}

func (k *kemKey) plain() (*secret.Bytes, error) { return marshalSeed(k.kem.OID, k.seed) }

// parseKEMPrivateKey reads an ML-KEM private key of RFC 9935 that has its seed.
func parseKEMPrivateKey(oid, der cryptobyte.String) (material, error) {
	for _, kem := range pubkey.KEMs() {
		if string(kem.OID) == string(oid) {
			return parseSeeded(der, func(seed []byte) (*kemKey, error) { return newKEM(kem, seed) })
		}
	}
	return nil, errPKCS8
}

func (k *kemKey) public() ([]guard.Part, error) {
	public, err := k.kem.PublicKey(k.raw)
	if err != nil {
		return nil, err
	}
	return seededPublic(k.kem.Set, public)
}

func (k *kemKey) private() []guard.Part {
	return []guard.Part{{Type: ck.CKA_SEED, Value: append([]byte{}, k.seed.Bytes()...)}}
}

func (k *kemKey) wipe() { k.seed.Close() }

// Encapsulate makes a secret key for the owner of a public key.
func (g *Keys) Encapsulate(v guard.Vault, public []guard.Part, s *mech.Scheme, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, []byte, error) {
	if err := complete(spec != nil, p != nil); err != nil {
		return nil, nil, err
	}
	if err := genuine(s); err != nil {
		return nil, nil, err
	}
	if !s.Row.Serves(mech.OpEncapsulate) {
		return nil, nil, ck.CKR_MECHANISM_INVALID
	}
	key, err := pubkey.Parse(ck.CKK_ML_KEM, parts(public).get)
	if err != nil {
		return nil, nil, ck.Errorf(ck.CKR_KEY_TYPE_INCONSISTENT, "no public key to encapsulate with: %w", err)
	}
	shared, ciphertext := key.(*pubkey.KEMKey).Encapsulate()
	made, err := g.admitShared(v, secret.From(shared), spec, p)
	if err != nil {
		return nil, nil, err
	}
	return made, ciphertext, nil
}

// Decapsulate makes the secret key that a ciphertext is for.
func (g *Keys) Decapsulate(v guard.Vault, private guard.Ref, s *mech.Scheme, ciphertext []byte, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
	if err := complete(spec != nil, p != nil); err != nil {
		return nil, err
	}
	k, err := g.use(private, mech.OpDecapsulate, s)
	if err != nil {
		return nil, err
	}
	defer k.release()
	owner, ok := k.material.(*kemKey)
	if !ok {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	shared, err := owner.decapsulate(ciphertext)
	if err != nil {
		return nil, err
	}
	return g.admitShared(v, shared, spec, p, k.policy)
}

// admitShared takes over a shared secret, which is a key as it is: of another length the two sides would have to agree on how.
func (g *Keys) admitShared(v guard.Vault, shared *secret.Bytes, spec *guard.KeySpec, p *guard.Policy, parents ...*guard.Policy) (*guard.Key, error) {
	var err error
	switch n := shared.Len(); {
	case p.Class != ck.CKO_SECRET_KEY || p.KeyType != spec.KeyType:
		err = ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "an encapsulated key is a secret key of the type that the template names")
	case spec.ValueLen != 0 && spec.ValueLen != n:
		err = ck.Errorf(ck.CKR_KEY_SIZE_RANGE, "the key has %d bytes, CKA_VALUE_LEN says %d", n, spec.ValueLen)
	}
	if err != nil {
		shared.Close()
		return nil, err
	}
	m, err := newSecretKey(spec.KeyType, shared)
	if err != nil {
		return nil, err
	}
	return g.admitFrom(v, m, p, false, parents...)
}
