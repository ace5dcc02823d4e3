package pubkey

import (
	"crypto/mlkem"
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// KEM is a parameter set of ML-KEM (FIPS 203, section 8) that the token has keys of. Go has no ML-KEM-512.
type KEM struct {
	Name       string
	Set        uint   // CKA_PARAMETER_SET
	OID        []byte // DER (RFC 9935, section 3)
	Public     int    // bytes of a public key
	Private    int    // bytes of a private key that is written out
	Ciphertext int    // bytes of a ciphertext

	parse func(raw []byte) (encapsulator, error)
}

type encapsulator interface {
	Bytes() []byte
	Encapsulate() (shared, ciphertext []byte)
}

// The parameter sets.
var (
	MLKEM768 = &KEM{
		Name: "ML-KEM-768", Set: ck.CKP_ML_KEM_768, OID: []byte{6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 2}, // 2.16.840.1.101.3.4.4.2
		Public: mlkem.EncapsulationKeySize768, Private: 2400, Ciphertext: mlkem.CiphertextSize768,
		parse: func(raw []byte) (encapsulator, error) { return mlkem.NewEncapsulationKey768(raw) },
	}
	MLKEM1024 = &KEM{
		Name: "ML-KEM-1024", Set: ck.CKP_ML_KEM_1024, OID: []byte{6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 3}, // 2.16.840.1.101.3.4.4.3
		Public: mlkem.EncapsulationKeySize1024, Private: 3168, Ciphertext: mlkem.CiphertextSize1024,
		parse: func(raw []byte) (encapsulator, error) { return mlkem.NewEncapsulationKey1024(raw) },
	}
)

// KEMs are all parameter sets.
func KEMs() []*KEM { return []*KEM{MLKEM768, MLKEM1024} }

// KEMOf finds a parameter set by its number. Error: CKR_PARAMETER_SET_NOT_SUPPORTED.
func KEMOf(set uint) (*KEM, error) {
	for _, k := range KEMs() {
		if k.Set == set {
			return k, nil
		}
	}
	return nil, ck.Errorf(ck.CKR_PARAMETER_SET_NOT_SUPPORTED, "no ML-KEM with CKA_PARAMETER_SET %d: 2 is ML-KEM-768, 3 is ML-KEM-1024", set)
}

// KEMKey is a public key of ML-KEM.
type KEMKey struct {
	*KEM
	key encapsulator
}

// PublicKey makes the key of its bytes. Error: CKR_ATTRIBUTE_VALUE_INVALID.
func (k *KEM) PublicKey(raw []byte) (*KEMKey, error) {
	key, err := k.parse(raw)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "%d bytes that are no public key of %s", len(raw), k.Name)
	}
	return &KEMKey{k, key}, nil
}

// Bytes is the key as FIPS 203 writes it: CKA_VALUE of a public key.
func (k *KEMKey) Bytes() []byte { return k.key.Bytes() }

// Encapsulate makes a shared secret, which the caller wipes, and what its owner finds it by.
func (k *KEMKey) Encapsulate() (shared, ciphertext []byte) { return k.key.Encapsulate() }

// parseKEM reads CKA_PARAMETER_SET and CKA_VALUE.
func parseKEM(set, value []byte) (*KEMKey, error) {
	if len(set) == 0 || len(value) == 0 {
		return nil, errNoSetOrValue
	}
	kem, err := DecodeKEM(set)
	if err != nil {
		return nil, err
	}
	return kem.PublicKey(value)
}

// DecodeKEM reads CKA_PARAMETER_SET, a CK_ULONG as in C memory.
func DecodeKEM(set []byte) (*KEM, error) {
	number, err := parameterSet(set)
	if err != nil {
		return nil, err
	}
	return KEMOf(number)
}

var errNoSetOrValue = ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "CKA_PARAMETER_SET and CKA_VALUE are needed")

// parameterSet is the number in CKA_PARAMETER_SET.
func parameterSet(value []byte) (uint, error) {
	if len(value) != 8 {
		return 0, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "CKA_PARAMETER_SET is needed")
	}
	return uint(binary.NativeEndian.Uint64(value)), nil
}
