package ncryptmap

import (
	"crypto"
	"slices"
	"strings"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// parameterSet is what keys of ML-DSA and ML-KEM have in place of a length (BCRYPT_PARAMETER_SET_NAME).
type parameterSet struct {
	keyType    ck.KeyType
	name       string // CNG's: 44, 768, ...
	number     uint   // CKA_PARAMETER_SET
	public     int    // bytes of a public key
	signature  int
	ciphertext int
}

// parameterSets are those that tokens have keys of.
var parameterSets = slices.Concat(mldsaSets(), mlkemSets())

func mldsaSets() (sets []parameterSet) {
	for _, d := range pubkey.MLDSAs() {
		sets = append(sets, parameterSet{keyType: ck.CKK_ML_DSA, name: strings.TrimPrefix(d.Name, "ML-DSA-"), number: d.Set, public: d.Public, signature: d.Signature})
	}
	return sets
}

func mlkemSets() (sets []parameterSet) {
	for _, k := range pubkey.KEMs() {
		sets = append(sets, parameterSet{keyType: ck.CKK_ML_KEM, name: strings.TrimPrefix(k.Name, "ML-KEM-"), number: k.Set, public: k.Public, ciphertext: k.Ciphertext})
	}
	return sets
}

// setWhere finds a parameter set, nil where there is none.
func setWhere(keyType ck.KeyType, is func(*parameterSet) bool) *parameterSet {
	for i := range parameterSets {
		if s := &parameterSets[i]; s.keyType == keyType && is(s) {
			return s
		}
	}
	return nil
}

// adopt takes over a parameter set. The length of such a key is that of its public half.
func (k *key) adopt(s *parameterSet) { k.set, k.length = s, uint32(8*s.public) }

// adoptNumber takes over the parameter set that CKA_PARAMETER_SET says.
func (k *key) adoptNumber(value []byte) error {
	number, err := attr.ParseULong(value)
	set := setWhere(k.algorithm.keyType, func(s *parameterSet) bool { return s.number == number })
	if err != nil || set == nil {
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "this parameter set of %s is not supported", k.algorithm.name)
	}
	k.adopt(set)
	return nil
}

// measureSet is measure for keys of a parameter set. Private keys are taken in by their seeds: what was made of one can be used, but is nothing that a key can
// be kept as.
func (k *key) measureSet(m *blob.Key) error {
	if m.Class == ck.CKO_PRIVATE_KEY && len(m.Get(ck.CKA_SEED)) == 0 {
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "an %s key that is written out is not supported: import its seed", m.Algorithm)
	}
	return k.adoptNumber(m.Get(ck.CKA_PARAMETER_SET))
}

func getParameterSet(k *key, _ uint32) ([]byte, error) {
	switch {
	case !k.algorithm.parameterized():
		return nil, notSupported(NCRYPT_PARAMETER_SET_NAME_PROPERTY)
	case k.set == nil:
		return nil, notFound(NCRYPT_PARAMETER_SET_NAME_PROPERTY)
	}
	return blob.Wide(k.set.name), nil
}

// setParameterSet: of a key that comes out of a blob, the blob says it.
func setParameterSet(k *key, value []byte, _ uint32) error {
	name, ok := blob.ParseWide(value)
	set := setWhere(k.algorithm.keyType, func(s *parameterSet) bool { return s.name == name })
	switch {
	case !k.algorithm.parameterized():
		return notSupported(NCRYPT_PARAMETER_SET_NAME_PROPERTY)
	case k.final:
		return frozen(NCRYPT_PARAMETER_SET_NAME_PROPERTY)
	case ok && k.algorithm.keyType == ck.CKK_ML_KEM && name == "512":
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "ML-KEM-512 is not supported: take 768 or 1024")
	case !ok || set == nil:
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "%s has no parameter set %q", k.algorithm.name, name)
	case k.material == nil && k.wrapped == nil:
		k.adopt(set)
	}
	return nil
}

// kemProperty is a length that keys of ML-KEM have.
func kemProperty(name string, length func(*parameterSet) int) property {
	return property{name, func(k *key, _ uint32) ([]byte, error) {
		switch {
		case k.algorithm.keyType != ck.CKK_ML_KEM:
			return nil, notSupported(name)
		case k.set == nil:
			return nil, notFound(name)
		}
		return dword(uint32(length(k.set))), nil
	}, nil}
}

// kemSecret is the length of what ML-KEM agrees on in bytes, in all parameter sets (FIPS 203, section 8).
const kemSecret = 32

// setProperties are those of keys with a parameter set.
var setProperties = []property{
	{NCRYPT_PARAMETER_SET_NAME_PROPERTY, getParameterSet, setParameterSet},
	kemProperty(NCRYPT_KEM_SHARED_SECRET_LENGTH_PROPERTY, func(*parameterSet) int { return kemSecret }),
	kemProperty(NCRYPT_KEM_CIPHERTEXT_LENGTH_PROPERTY, func(s *parameterSet) int { return s.ciphertext }),
}

// messageSigning gives the mechanism of a signature with ML-DSA, which signs messages: what NCryptSignHash calls a hash may be as long as one.
func (k *key) messageSigning(padding *Padding, message []byte, flags uint32) (ck.Mechanism, []byte, error) {
	switch {
	case flags&(NCRYPT_PAD_PKCS1_FLAG|NCRYPT_PAD_PSS_FLAG) != 0:
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_BAD_FLAGS, "padding flags %#x are not for %s", flags, k.algorithm.name)
	case flags&NCRYPT_PAD_PQDSA_FLAG == 0 || padding == nil:
		return ck.Mechanism{Type: ck.CKM_ML_DSA}, message, nil
	case padding.Hash != "":
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the variant of ML-DSA for hashes of %s is not supported: sign the message", padding.Hash)
	case len(padding.Context) > pubkey.MaxMLDSAContext:
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "a context has at most %d bytes", pubkey.MaxMLDSAContext)
	}
	return ck.Mechanism{Type: ck.CKM_ML_DSA, Params: ck.ContextParams{Context: padding.Context}}, message, nil
}

// publicSet reads what the public half of an object's key is made of. A key of ML-DSA or ML-KEM has its bytes in CKA_PUBLIC_KEY_INFO, since CKA_VALUE of a private
// key is something else.
func publicSet(s *token.Session, object ck.ObjectHandle) (*attr.Set, error) {
	set, err := attributes(s, object, publicParts...)
	if err != nil {
		return nil, err
	}
	if _, ok := set.Get(ck.CKA_PARAMETER_SET); !ok {
		return set, nil
	}
	about, err := attributes(s, object, ck.CKA_PUBLIC_KEY_INFO)
	if err != nil {
		return nil, err
	}
	info, _ := about.Get(ck.CKA_PUBLIC_KEY_INFO)
	public, err := pubkey.ParseSPKI(info)
	if err != nil {
		return nil, err
	}
	set.Put(ck.CKA_VALUE, bytesOf(public))
	return set, nil
}

func bytesOf(public crypto.PublicKey) []byte {
	if key, ok := public.(interface{ Bytes() []byte }); ok {
		return key.Bytes()
	}
	return nil
}
