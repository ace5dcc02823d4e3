package blob

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// PUBLICBLOB and PRIVATEBLOB stand for the formats that keys are usually written in: BCRYPT_PUBLIC_KEY_BLOB and BCRYPT_PRIVATE_KEY_BLOB. When one is read,
// its magic number says which it is.
var genericFormats = []format{
	{"PUBLICBLOB", ck.CKO_PUBLIC_KEY, nil, nil},
	{"PRIVATEBLOB", ck.CKO_PRIVATE_KEY, nil, nil},
}

// families are the formats that the generic names stand for.
var families = []struct {
	prefix   string
	groups   []string // NCRYPT_ALGORITHM_GROUP_PROPERTY
	keyTypes []ck.KeyType
}{
	{"RSA", []string{"RSA"}, []ck.KeyType{ck.CKK_RSA}},
	{"ECC", []string{"ECDSA", "ECDH"}, []ck.KeyType{ck.CKK_EC, ck.CKK_EC_MONTGOMERY}},
	{"DH", []string{"DH"}, []ck.KeyType{ck.CKK_DH, ck.CKK_X9_42_DH}},
	{"DSA", []string{"DSA"}, []ck.KeyType{ck.CKK_DSA}},
	{"PQDSA", []string{"MLDSA", "SLHDSA"}, []ck.KeyType{ck.CKK_ML_DSA, ck.CKK_SLH_DSA}},
	{"MLKEM", []string{"MLKEM"}, []ck.KeyType{ck.CKK_ML_KEM}},
}

func isGeneric(name string) bool {
	return slices.ContainsFunc(genericFormats, func(f format) bool { return f.name == name })
}

// Specific is the name of the format that a generic name stands for, with keys of a group; other names are what they are.
func Specific(name, group string) string {
	if !isGeneric(name) {
		return name
	}
	for _, f := range families {
		if slices.Contains(f.groups, group) {
			return f.prefix + name
		}
	}
	return name
}

// nameByType is the format that a generic name stands for, with keys of a type; empty where there is none.
func nameByType(name string, keyType ck.KeyType) string {
	for _, f := range families {
		if slices.Contains(f.keyTypes, keyType) {
			return f.prefix + name
		}
	}
	return ""
}

// magics are the magic numbers that generic blobs begin with, beside those of curves.
var magics = []struct {
	magic uint32
	class ck.ObjectClass
	name  string
}{
	{magicRSA1, ck.CKO_PUBLIC_KEY, "RSAPUBLICBLOB"},
	{magicRSA2, ck.CKO_PRIVATE_KEY, "RSAPRIVATEBLOB"},
	{magicRSA3, ck.CKO_PRIVATE_KEY, "RSAFULLPRIVATEBLOB"},
	{magicDHPublic, ck.CKO_PUBLIC_KEY, "DHPUBLICBLOB"},
	{magicDHPrivate, ck.CKO_PRIVATE_KEY, "DHPRIVATEBLOB"},
	{magicDSAPublic, ck.CKO_PUBLIC_KEY, "DSAPUBLICBLOB"},
	{magicDSAPrivate, ck.CKO_PRIVATE_KEY, "DSAPRIVATEBLOB"},
	{magicDSAPublicV2, ck.CKO_PUBLIC_KEY, "DSAPUBLICBLOB"},
	{magicDSAPrivateV2, ck.CKO_PRIVATE_KEY, "DSAPRIVATEBLOB"},
	{magicMLDSAPublic, ck.CKO_PUBLIC_KEY, "PQDSAPUBLICBLOB"},
	{magicMLDSAPrivate, ck.CKO_PRIVATE_KEY, "PQDSAPRIVATEBLOB"},
	{magicMLDSASeed, ck.CKO_PRIVATE_KEY, "PQDSAPRIVATESEEDBLOB"},
	{magicSLHDSAPublic, ck.CKO_PUBLIC_KEY, "PQDSAPUBLICBLOB"},
	{magicSLHDSAPrivate, ck.CKO_PRIVATE_KEY, "PQDSAPRIVATEBLOB"},
	{magicLMSPublic, ck.CKO_PUBLIC_KEY, "PQDSAPUBLICBLOB"},
	{magicXMSSPublic, ck.CKO_PUBLIC_KEY, "PQDSAPUBLICBLOB"},
	{magicMLKEMPublic, ck.CKO_PUBLIC_KEY, "MLKEMPUBLICBLOB"},
	{magicMLKEMPrivate, ck.CKO_PRIVATE_KEY, "MLKEMPRIVATEBLOB"},
	{magicMLKEMSeed, ck.CKO_PRIVATE_KEY, "MLKEMPRIVATESEEDBLOB"},
}

// nameByMagic is the format of a blob that came with a generic name.
func nameByMagic(class ck.ObjectClass, data []byte) (string, error) {
	r := &reader{data: data}
	magic, second := r.ulong(), r.ulong()
	for _, m := range magics {
		if m.magic == magic && m.class == class {
			return m.name, nil
		}
	}
	private := class == ck.CKO_PRIVATE_KEY
	if !slices.ContainsFunc(eccMagics, func(m eccMagic) bool { return m.magic(private) == magic }) {
		return "", r.wrongMagic(magic, map[bool]uint32{false: magicRSA1, true: magicRSA2}[private])
	}
	prefix := "ECC"
	if second == versionECCFull { // elsewhere the length of a coordinate: none is this short
		prefix = "ECCFULL"
	}
	return prefix + genericFormats[map[bool]int{false: 0, true: 1}[private]].name, nil
}
