package ncryptmap

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// algorithm is one that keys can be of (NCRYPT_ALGORITHM_PROPERTY).
type algorithm struct {
	name, group string
	class       ck.ObjectClass // CKO_PRIVATE_KEY for key pairs, CKO_SECRET_KEY
	keyType     ck.KeyType
	generate    ck.MechanismType
	curve       *pubkey.Curve // nil: none, or the property ECCCurveName names it
	lengths     lengths
	usages      uint32 // what keys of the algorithm can do
}

// onCurve says whether keys are on a curve, and parameterized whether a parameter set says what others' length or curve does.
func (a *algorithm) onCurve() bool {
	return a.keyType == ck.CKK_EC || a.keyType == ck.CKK_EC_MONTGOMERY
}

func (a *algorithm) parameterized() bool {
	return a.keyType == ck.CKK_ML_DSA || a.keyType == ck.CKK_ML_KEM
}

// lengths are those that keys of an algorithm can have, in bits (NCRYPT_SUPPORTED_LENGTHS); zeros where a parameter set says it.
type lengths struct{ min, max, increment, standard uint32 }

func (l lengths) allow(n uint32) bool {
	return n >= l.min && n <= l.max && (n-l.min)%max(l.increment, 1) == 0
}

const (
	imports   = plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG | plan.NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG
	usesRSA   = plan.NCRYPT_ALLOW_DECRYPT_FLAG | plan.NCRYPT_ALLOW_SIGNING_FLAG | imports
	usesAES   = plan.NCRYPT_ALLOW_DECRYPT_FLAG | imports
	usesSign  = plan.NCRYPT_ALLOW_SIGNING_FLAG
	usesAgree = plan.NCRYPT_ALLOW_KEY_AGREEMENT_FLAG
	usesECDH  = usesAgree | plan.NCRYPT_ALLOW_SIGNING_FLAG // a key for ECDH can sign as well; the reverse is not true
)

func curveAlgorithm(name, group string, curve *pubkey.Curve, usages uint32) algorithm {
	bits := uint32(curve.Bits)
	return algorithm{name, group, ck.CKO_PRIVATE_KEY, ck.CKK_EC, ck.CKM_EC_KEY_PAIR_GEN, curve, lengths{bits, bits, 0, bits}, usages}
}

// algorithms: the first row of a group is what a key is called whose curve has no row.
var algorithms = []algorithm{
	{"RSA", "RSA", ck.CKO_PRIVATE_KEY, ck.CKK_RSA, ck.CKM_RSA_PKCS_KEY_PAIR_GEN, nil, lengths{mech.MinRSABits, mech.MaxRSABits, 8, 1024}, usesRSA},
	curveAlgorithm("ECDSA_P256", "ECDSA", pubkey.P256, usesSign),
	curveAlgorithm("ECDSA_P384", "ECDSA", pubkey.P384, usesSign),
	curveAlgorithm("ECDSA_P521", "ECDSA", pubkey.P521, usesSign),
	curveAlgorithm("ECDH_P256", "ECDH", pubkey.P256, usesECDH),
	curveAlgorithm("ECDH_P384", "ECDH", pubkey.P384, usesECDH),
	curveAlgorithm("ECDH_P521", "ECDH", pubkey.P521, usesECDH),
	{"ECDSA", "ECDSA", ck.CKO_PRIVATE_KEY, ck.CKK_EC, ck.CKM_EC_KEY_PAIR_GEN, nil, lengths{256, 521, 0, 256}, usesSign},
	{"ECDH", "ECDH", ck.CKO_PRIVATE_KEY, ck.CKK_EC, ck.CKM_EC_KEY_PAIR_GEN, nil, lengths{256, 521, 0, 256}, usesECDH},
	// What a key for ECDH becomes whose curve is this one: it signs nothing.
	{"ECDH", "ECDH", ck.CKO_PRIVATE_KEY, ck.CKK_EC_MONTGOMERY, ck.CKM_EC_MONTGOMERY_KEY_PAIR_GEN, pubkey.X25519, lengths{255, 255, 0, 255}, usesAgree},
	{"ML-DSA", "MLDSA", ck.CKO_PRIVATE_KEY, ck.CKK_ML_DSA, ck.CKM_ML_DSA_KEY_PAIR_GEN, nil, lengths{}, usesSign},
	{"ML-KEM", "MLKEM", ck.CKO_PRIVATE_KEY, ck.CKK_ML_KEM, ck.CKM_ML_KEM_KEY_PAIR_GEN, nil, lengths{}, usesAgree},
	{"AES", "AES", ck.CKO_SECRET_KEY, ck.CKK_AES, ck.CKM_AES_KEY_GEN, nil, lengths{128, 256, 64, 256}, usesAES},
}

// algorithmOf finds an algorithm by its name, nil where there is none.
func algorithmOf(name string) *algorithm {
	i := slices.IndexFunc(algorithms, func(a algorithm) bool { return a.name == name })
	if i < 0 {
		return nil
	}
	return &algorithms[i]
}

// algorithmOn finds the algorithm of a group on a curve.
func algorithmOn(group string, curve *pubkey.Curve) *algorithm {
	i := slices.IndexFunc(algorithms, func(a algorithm) bool { return a.group == group && a.curve == curve })
	if i < 0 {
		return nil
	}
	return &algorithms[i]
}

// instead says what to take in place of algorithms that CNG has and tokens have not. DH in groups of numbers and DSA are on their way out (FIPS 186-5 has no
// DSA any more), and whoever offers them can hardly refuse the groups that are too weak.
var instead = map[string]string{
	"DH":      "take ECDH_P256, or ECDH on curve25519",
	"DSA":     "take ECDSA_P256 or ML-DSA",
	"SLH-DSA": "take ML-DSA",
	"LMS":     "take ML-DSA",
	"XMSS":    "take ML-DSA",
	"3DES":    "take AES",
	"DES":     "take AES",
	"RC2":     "take AES",
}

// unsupported is the answer for an algorithm that keys cannot be of.
func unsupported(name string) error {
	if advice := instead[name]; advice != "" {
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "%s keys are not supported: %s", name, advice)
	}
	return nte.Errorf(nte.NTE_NOT_SUPPORTED, "there is no algorithm %q", name)
}
