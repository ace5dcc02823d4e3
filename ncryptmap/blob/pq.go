package blob

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// BCRYPT_PQDSA_KEY_BLOB and BCRYPT_MLKEM_KEY_BLOB (bcrypt.h): dwMagic, cbParameterSet, cbKey; then the parameter set's name in UTF-16 with its NUL, and the
// key, encoded as FIPS 203, 204 and 205 have it.
const (
	pqHeader           = 12
	magicMLDSAPublic   = 0x4b505344 // BCRYPT_MLDSA_PUBLIC_MAGIC
	magicMLDSAPrivate  = 0x4b535344 // BCRYPT_MLDSA_PRIVATE_MAGIC
	magicMLDSASeed     = 0x53535344 // BCRYPT_MLDSA_PRIVATE_SEED_MAGIC
	magicSLHDSAPublic  = 0x4b504853 // BCRYPT_SLHDSA_PUBLIC_MAGIC
	magicSLHDSAPrivate = 0x4b534853 // BCRYPT_SLHDSA_PRIVATE_MAGIC
	magicLMSPublic     = 0x4b504d4c // BCRYPT_LMS_PUBLIC_MAGIC
	magicXMSSPublic    = 0x4b504d58 // BCRYPT_XMSS_PUBLIC_MAGIC
	magicMLKEMPublic   = 0x504b4c4d // BCRYPT_MLKEM_PUBLIC_MAGIC
	magicMLKEMPrivate  = 0x524b4c4d // BCRYPT_MLKEM_PRIVATE_MAGIC
	magicMLKEMSeed     = 0x534b4c4d // BCRYPT_MLKEM_PRIVATE_SEED_MAGIC
)

// pqPart is what of a key a blob has.
type pqPart int

const (
	pqPublic  pqPart = iota // CKA_VALUE of a public key
	pqPrivate               // CKA_VALUE of a private key: expanded
	pqSeed                  // CKA_SEED of a private key, which the rest is made of
)

// pqAlgorithm is an algorithm with its magic numbers, one for each part; 0: there is no such blob.
type pqAlgorithm struct {
	name    string
	keyType ck.KeyType
	magics  [3]uint32
}

var (
	mlDSA  = &pqAlgorithm{"ML-DSA", ck.CKK_ML_DSA, [3]uint32{magicMLDSAPublic, magicMLDSAPrivate, magicMLDSASeed}}
	slhDSA = &pqAlgorithm{"SLH-DSA", ck.CKK_SLH_DSA, [3]uint32{magicSLHDSAPublic, magicSLHDSAPrivate, 0}}
	mlKEM  = &pqAlgorithm{"ML-KEM", ck.CKK_ML_KEM, [3]uint32{magicMLKEMPublic, magicMLKEMPrivate, magicMLKEMSeed}}
)

// pqSet is a parameter set, with the lengths of its parts.
type pqSet struct {
	algorithm *pqAlgorithm
	name      string
	number    uint // CKA_PARAMETER_SET
	lengths   [3]int
}

// pqSets: FIPS 204, table 2; FIPS 203, table 3, where a private key's seed is d and z; FIPS 205, table 2.
var pqSets = []pqSet{
	{mlDSA, "44", ck.CKP_ML_DSA_44, [3]int{1312, 2560, 32}},
	{mlDSA, "65", ck.CKP_ML_DSA_65, [3]int{1952, 4032, 32}},
	{mlDSA, "87", ck.CKP_ML_DSA_87, [3]int{2592, 4896, 32}},
	{mlKEM, "512", ck.CKP_ML_KEM_512, [3]int{800, 1632, 64}},
	{mlKEM, "768", ck.CKP_ML_KEM_768, [3]int{1184, 2400, 64}},
	{mlKEM, "1024", ck.CKP_ML_KEM_1024, [3]int{1568, 3168, 64}},
	{slhDSA, "SHA2-128s", ck.CKP_SLH_DSA_SHA2_128S, [3]int{32, 64}},
	{slhDSA, "SHAKE-128s", ck.CKP_SLH_DSA_SHAKE_128S, [3]int{32, 64}},
	{slhDSA, "SHA2-128f", ck.CKP_SLH_DSA_SHA2_128F, [3]int{32, 64}},
	{slhDSA, "SHAKE-128f", ck.CKP_SLH_DSA_SHAKE_128F, [3]int{32, 64}},
	{slhDSA, "SHA2-192s", ck.CKP_SLH_DSA_SHA2_192S, [3]int{48, 96}},
	{slhDSA, "SHAKE-192s", ck.CKP_SLH_DSA_SHAKE_192S, [3]int{48, 96}},
	{slhDSA, "SHA2-192f", ck.CKP_SLH_DSA_SHA2_192F, [3]int{48, 96}},
	{slhDSA, "SHAKE-192f", ck.CKP_SLH_DSA_SHAKE_192F, [3]int{48, 96}},
	{slhDSA, "SHA2-256s", ck.CKP_SLH_DSA_SHA2_256S, [3]int{64, 128}},
	{slhDSA, "SHAKE-256s", ck.CKP_SLH_DSA_SHAKE_256S, [3]int{64, 128}},
	{slhDSA, "SHA2-256f", ck.CKP_SLH_DSA_SHA2_256F, [3]int{64, 128}},
	{slhDSA, "SHAKE-256f", ck.CKP_SLH_DSA_SHAKE_256F, [3]int{64, 128}},
}

var pqFormats = slices.Concat(
	pqRows([3]string{"PQDSAPUBLICBLOB", "PQDSAPRIVATEBLOB", "PQDSAPRIVATESEEDBLOB"}, mlDSA, slhDSA),
	pqRows([3]string{"MLKEMPUBLICBLOB", "MLKEMPRIVATEBLOB", "MLKEMPRIVATESEEDBLOB"}, mlKEM),
)

func pqRows(names [3]string, algorithms ...*pqAlgorithm) []format {
	rows := make([]format, len(names))
	for part, name := range names {
		class := ck.CKO_PRIVATE_KEY
		if pqPart(part) == pqPublic {
			class = ck.CKO_PUBLIC_KEY
		}
		rows[part] = format{name, class, readPQ(pqPart(part), algorithms), writePQ(name, pqPart(part), algorithms)}
	}
	return rows
}

func readPQ(part pqPart, algorithms []*pqAlgorithm) func([]byte, *Options) (*Key, error) {
	return func(data []byte, _ *Options) (*Key, error) {
		r := &reader{data: data}
		found := r.ulong()
		i := slices.IndexFunc(algorithms, func(a *pqAlgorithm) bool { return a.magics[part] == found && found != 0 })
		switch {
		case part == pqPublic && (found == magicLMSPublic || found == magicXMSSPublic):
			return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "LMS and XMSS keys are not supported")
		case i < 0:
			return nil, r.wrongMagic(found, algorithms[0].magics[part])
		}
		nameLength, keyLength := r.ulong(), r.ulong()
		name, value := r.text(nameLength), r.take(keyLength)
		if err := r.end(); err != nil {
			return nil, err
		}
		set := pqSetWhere(func(s *pqSet) bool { return s.algorithm == algorithms[i] && s.name == name })
		switch {
		case set == nil:
			return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "%s has no parameter set %q", algorithms[i].name, name)
		case len(value) != set.lengths[part]:
			return nil, nte.Errorf(nte.NTE_BAD_DATA, "a key of %d bytes, where %s-%s has %d", len(value), set.algorithm.name, name, set.lengths[part])
		}
		return set.key(part, value), nil
	}
}

// key makes a key of one of its parts.
func (s *pqSet) key(part pqPart, value []byte) *Key {
	k := newKey(s.algorithm.name, s.algorithm.keyType, part != pqPublic)
	k.Put(ck.CKA_PARAMETER_SET, attr.ULong(s.number))
	k.put(part.attribute(), value, part != pqPublic)
	return k
}

// attribute is where a key has the part.
func (p pqPart) attribute() ck.AttributeType {
	if p == pqSeed {
		return ck.CKA_SEED
	}
	return ck.CKA_VALUE
}

func pqSetWhere(is func(*pqSet) bool) *pqSet {
	for i := range pqSets {
		if is(&pqSets[i]) {
			return &pqSets[i]
		}
	}
	return nil
}

// pqSetOf finds a key's parameter set.
func pqSetOf(k *Key) *pqSet {
	number, err := attr.ParseULong(k.Get(ck.CKA_PARAMETER_SET))
	if err != nil {
		return nil
	}
	return pqSetWhere(func(s *pqSet) bool { return s.algorithm.keyType == k.KeyType && s.number == number })
}

func writePQ(name string, part pqPart, algorithms []*pqAlgorithm) func(*Key, *Options) (*secret.Bytes, error) {
	return func(k *Key, _ *Options) (*secret.Bytes, error) {
		set := pqSetOf(k)
		if set == nil || !slices.Contains(algorithms, set.algorithm) || set.algorithm.magics[part] == 0 {
			return nil, wrongKind(name, k)
		}
		if part == pqPublic && k.Class != ck.CKO_PUBLIC_KEY {
			return nil, nte.Errorf(nte.NTE_BAD_TYPE, "%s needs the public key, which this private %s key does not have in it", name, k.Algorithm)
		}
		value := k.Get(part.attribute())
		if part == pqPrivate && len(value) == 0 {
			expanded := set.expanded(k.Get(ck.CKA_SEED))
			defer expanded.Close()
			value = expanded.Bytes()
		}
		switch len(value) {
		case set.lengths[part]:
		case 0: // a seed cannot be had from what was made of it; the other way is for who has the key
			return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "%s needs the key's %v, which is not known", name, part.attribute())
		default:
			return nil, nte.Errorf(nte.NTE_BAD_DATA, "the key's %v has %d bytes, where %s-%s has %d", part.attribute(), len(value), k.Algorithm, set.name, set.lengths[part])
		}
		text := Wide(set.name)
		w := newWriter(pqHeader + len(text) + len(value))
		w.ulong(set.algorithm.magics[part], uint32(len(text)), uint32(len(value)))
		w.bytes(text)
		w.bytes(value)
		return w.done()
	}
}
