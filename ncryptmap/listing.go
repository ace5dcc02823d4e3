package ncryptmap

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// Classes of algorithms, and what they are for: bits, of which a class is what the first one is.
const (
	NCRYPT_CIPHER_INTERFACE                uint32 = 1
	NCRYPT_ASYMMETRIC_ENCRYPTION_INTERFACE uint32 = 3
	NCRYPT_SECRET_AGREEMENT_INTERFACE      uint32 = 4
	NCRYPT_SIGNATURE_INTERFACE             uint32 = 5
	NCRYPT_KEY_ENCAPSULATION_INTERFACE     uint32 = 8

	NCRYPT_CIPHER_OPERATION                uint32 = 0x01
	NCRYPT_ASYMMETRIC_ENCRYPTION_OPERATION uint32 = 0x04
	NCRYPT_SECRET_AGREEMENT_OPERATION      uint32 = 0x08
	NCRYPT_SIGNATURE_OPERATION             uint32 = 0x10
	NCRYPT_KEY_ENCAPSULATION_OPERATION     uint32 = 0x80
)

// AlgorithmName is NCryptAlgorithmName: what an enumeration tells of an algorithm.
type AlgorithmName struct {
	Name              string
	Class, Operations uint32
}

// groups is what the algorithms of a group are for.
var groups = map[string]AlgorithmName{
	"RSA":   {Class: NCRYPT_ASYMMETRIC_ENCRYPTION_INTERFACE, Operations: NCRYPT_ASYMMETRIC_ENCRYPTION_OPERATION | NCRYPT_SIGNATURE_OPERATION},
	"ECDSA": {Class: NCRYPT_SIGNATURE_INTERFACE, Operations: NCRYPT_SIGNATURE_OPERATION},
	"ECDH":  {Class: NCRYPT_SECRET_AGREEMENT_INTERFACE, Operations: NCRYPT_SECRET_AGREEMENT_OPERATION},
	"MLDSA": {Class: NCRYPT_SIGNATURE_INTERFACE, Operations: NCRYPT_SIGNATURE_OPERATION},
	"MLKEM": {Class: NCRYPT_KEY_ENCAPSULATION_INTERFACE, Operations: NCRYPT_KEY_ENCAPSULATION_OPERATION},
	"AES":   {Class: NCRYPT_CIPHER_INTERFACE, Operations: NCRYPT_CIPHER_OPERATION},
}

// EnumAlgorithms is NCryptEnumAlgorithms: the algorithms for one of the operations, or all where none is named. Errors: NTE_INVALID_HANDLE; NTE_BAD_FLAGS.
func (k *KSP) EnumAlgorithms(prov Handle, operations, flags uint32) ([]AlgorithmName, error) {
	if _, err := get[*provider](&k.handles, prov); err != nil {
		return nil, err
	}
	if err := checkFlags(callIsAlgorithm, flags); err != nil {
		return nil, err
	}
	var names []AlgorithmName
	for _, name := range Algorithms() {
		row := groups[algorithmOf(name).group]
		row.Name = name
		if operations == 0 || operations&row.Operations != 0 {
			names = append(names, row)
		}
	}
	return names, nil
}

// ProviderName is NCryptProviderName: what an enumeration tells of a provider.
type ProviderName struct{ Name, Comment string }

// EnumStorageProviders is NCryptEnumStorageProviders: those that are there without a token being named. Error: NTE_BAD_FLAGS.
func (k *KSP) EnumStorageProviders(flags uint32) ([]ProviderName, error) {
	if flags&^NCRYPT_SILENT_FLAG != 0 {
		return nil, nte.Errorf(nte.NTE_BAD_FLAGS, "flags %#x do not belong to this function", flags)
	}
	return slices.Clone(providers), nil
}

var providers = []ProviderName{
	{MS_KEY_STORAGE_PROVIDER, "ncrypt11: keys that cannot leave"},
	{MS_SMART_CARD_KEY_STORAGE_PROVIDER, "ncrypt11: keys in tokens that are made as smart cards"},
}
