package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// kind is a kind of key that `generate` makes.
type kind struct {
	name      string // the TYPE argument; "rsa:" and the like take a number of bits
	mechanism ck.MechanismType
	pair      bool
	size      attr.Attribute // what the mechanism wants to know: of the public half, where there is one
}

// bounds of the kinds that take a number. The token's own may be narrower.
const maxBits = 1 << 16

var kinds = []kind{
	rsaKind("rsa2048", 2048),
	rsaKind("rsa3072", 3072),
	rsaKind("rsa4096", 4096),
	curveKind("p256", ck.CKM_EC_KEY_PAIR_GEN, pubkey.P256),
	curveKind("p384", ck.CKM_EC_KEY_PAIR_GEN, pubkey.P384),
	curveKind("p521", ck.CKM_EC_KEY_PAIR_GEN, pubkey.P521),
	curveKind("ed25519", ck.CKM_EC_EDWARDS_KEY_PAIR_GEN, pubkey.Ed25519),
	curveKind("x25519", ck.CKM_EC_MONTGOMERY_KEY_PAIR_GEN, pubkey.X25519),
	setKind("ml-dsa-44", ck.CKM_ML_DSA_KEY_PAIR_GEN, pubkey.MLDSA44.Set),
	setKind("ml-dsa-65", ck.CKM_ML_DSA_KEY_PAIR_GEN, pubkey.MLDSA65.Set),
	setKind("ml-dsa-87", ck.CKM_ML_DSA_KEY_PAIR_GEN, pubkey.MLDSA87.Set),
	setKind("ml-kem-768", ck.CKM_ML_KEM_KEY_PAIR_GEN, pubkey.MLKEM768.Set),
	setKind("ml-kem-1024", ck.CKM_ML_KEM_KEY_PAIR_GEN, pubkey.MLKEM1024.Set),
	secretKind("aes128", ck.CKM_AES_KEY_GEN, 128),
	secretKind("aes192", ck.CKM_AES_KEY_GEN, 192),
	secretKind("aes256", ck.CKM_AES_KEY_GEN, 256),
	secretKind("hmac", ck.CKM_GENERIC_SECRET_KEY_GEN, 256),
}

// sized are the kinds that take any number of bits, after a colon.
var sized = map[string]func(name string, bits uint) kind{
	"rsa":     rsaKind,
	"hmac":    func(name string, bits uint) kind { return secretKind(name, ck.CKM_GENERIC_SECRET_KEY_GEN, bits) },
	"generic": func(name string, bits uint) kind { return secretKind(name, ck.CKM_GENERIC_SECRET_KEY_GEN, bits) },
}

func rsaKind(name string, bits uint) kind {
	return kind{name, ck.CKM_RSA_PKCS_KEY_PAIR_GEN, true, attr.Attribute{Type: ck.CKA_MODULUS_BITS, Value: attr.ULong(bits)}}
}

func curveKind(name string, mechanism ck.MechanismType, curve *pubkey.Curve) kind {
	return kind{name, mechanism, true, attr.Attribute{Type: ck.CKA_EC_PARAMS, Value: curve.Params}}
}

func setKind(name string, mechanism ck.MechanismType, set uint) kind {
	return kind{name, mechanism, true, attr.Attribute{Type: ck.CKA_PARAMETER_SET, Value: attr.ULong(set)}}
}

func secretKind(name string, mechanism ck.MechanismType, bits uint) kind {
	return kind{name, mechanism, false, attr.Attribute{Type: ck.CKA_VALUE_LEN, Value: attr.ULong(bits / 8)}}
}

// signs says whether keys of the kind make the signatures of certificates that are made here.
func (k *kind) signs() bool {
	return slices.Contains([]ck.MechanismType{ck.CKM_RSA_PKCS_KEY_PAIR_GEN, ck.CKM_EC_KEY_PAIR_GEN, ck.CKM_EC_EDWARDS_KEY_PAIR_GEN}, k.mechanism)
}

func kindNames() []string {
	names := make([]string, 0, len(kinds)+len(sized))
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return append(names, "rsa:BITS", "hmac:BITS", "generic:BITS")
}

// parseKind reads a TYPE argument.
func parseKind(name string) (*kind, error) {
	lower := strings.ToLower(name)
	if i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == lower }); i >= 0 {
		return &kinds[i], nil
	}
	family, number, _ := strings.Cut(lower, ":")
	if of, ok := sized[family]; ok {
		bits, err := strconv.ParseUint(number, 10, 32)
		if err != nil || bits == 0 || bits > maxBits || bits%8 != 0 {
			return nil, usagef("%q: after the colon comes a number of bits, a multiple of 8 up to %d", name, maxBits)
		}
		k := of(fmt.Sprintf("%s%d", family, bits), uint(bits))
		return &k, nil
	}
	return nil, usagef("unknown type of key %q; there is: %s", name, strings.Join(kindNames(), ", "))
}
