package pubkey

import (
	"bytes"
	"crypto"

	"filippo.io/mldsa"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// MLDSA is a parameter set of ML-DSA (FIPS 204, section 4).
type MLDSA struct {
	Name       string
	Set        uint   // CKA_PARAMETER_SET
	OID        []byte // DER (RFC 9881, section 2)
	Public     int    // bytes of a public key
	Private    int    // bytes of a private key that is written out
	Signature  int    // bytes of a signature
	K, L       byte   // the dimensions of the matrix, which go into a seed's expansion
	Parameters mldsa.Parameters
}

// MaxMLDSAContext is the longest context of a signature in bytes (FIPS 204, section 5.2).
const MaxMLDSAContext = 255

// The parameter sets.
var (
	MLDSA44 = &MLDSA{
		Name: "ML-DSA-44", Set: ck.CKP_ML_DSA_44, OID: []byte{6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17}, // 2.16.840.1.101.3.4.3.17
		Public: mldsa.MLDSA44PublicKeySize, Private: 2560, Signature: mldsa.MLDSA44SignatureSize, K: 4, L: 4, Parameters: mldsa.MLDSA44(),
	}
	MLDSA65 = &MLDSA{
		Name: "ML-DSA-65", Set: ck.CKP_ML_DSA_65, OID: []byte{6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18}, // 2.16.840.1.101.3.4.3.18
		Public: mldsa.MLDSA65PublicKeySize, Private: 4032, Signature: mldsa.MLDSA65SignatureSize, K: 6, L: 5, Parameters: mldsa.MLDSA65(),
	}
	MLDSA87 = &MLDSA{
		Name: "ML-DSA-87", Set: ck.CKP_ML_DSA_87, OID: []byte{6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19}, // 2.16.840.1.101.3.4.3.19
		Public: mldsa.MLDSA87PublicKeySize, Private: 4896, Signature: mldsa.MLDSA87SignatureSize, K: 8, L: 7, Parameters: mldsa.MLDSA87(),
	}
)

// MLDSAs are all parameter sets.
func MLDSAs() []*MLDSA { return []*MLDSA{MLDSA44, MLDSA65, MLDSA87} }

// MLDSAOf finds a parameter set by its number. Error: CKR_PARAMETER_SET_NOT_SUPPORTED.
func MLDSAOf(set uint) (*MLDSA, error) {
	for _, d := range MLDSAs() {
		if d.Set == set {
			return d, nil
		}
	}
	return nil, ck.Errorf(ck.CKR_PARAMETER_SET_NOT_SUPPORTED, "no ML-DSA with CKA_PARAMETER_SET %d: 1 is ML-DSA-44, 2 is ML-DSA-65, 3 is ML-DSA-87", set)
}

// MLDSAKey is a public key of ML-DSA.
type MLDSAKey struct {
	*MLDSA
	key *mldsa.PublicKey
}

// PublicKey makes the key of its bytes. Error: CKR_ATTRIBUTE_VALUE_INVALID.
func (d *MLDSA) PublicKey(raw []byte) (*MLDSAKey, error) {
	key, err := mldsa.NewPublicKey(d.Parameters, raw)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "%d bytes that are no public key of %s", len(raw), d.Name)
	}
	return &MLDSAKey{d, key}, nil
}

// Bytes is the key as FIPS 204 writes it: CKA_VALUE of a public key.
func (k *MLDSAKey) Bytes() []byte { return k.key.Bytes() }

// Equal says whether other is the same key.
func (k *MLDSAKey) Equal(other crypto.PublicKey) bool {
	o, ok := other.(*MLDSAKey)
	return ok && k.MLDSA == o.MLDSA && bytes.Equal(k.Bytes(), o.Bytes())
}

// Verify says whether signature is one of message and context.
func (k *MLDSAKey) Verify(message, signature, context []byte) bool {
	return mldsa.Verify(k.key, message, signature, &mldsa.Options{Context: string(context)}) == nil
}

// parseMLDSA reads CKA_PARAMETER_SET and CKA_VALUE.
func parseMLDSA(set, value []byte) (*MLDSAKey, error) {
	if len(set) == 0 || len(value) == 0 {
		return nil, errNoSetOrValue
	}
	d, err := DecodeMLDSA(set)
	if err != nil {
		return nil, err
	}
	return d.PublicKey(value)
}

// DecodeMLDSA reads CKA_PARAMETER_SET, a CK_ULONG as in C memory.
func DecodeMLDSA(set []byte) (*MLDSA, error) {
	number, err := parameterSet(set)
	if err != nil {
		return nil, err
	}
	return MLDSAOf(number)
}
