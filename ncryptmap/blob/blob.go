// Package blob reads and writes keys in the formats of CNG (bcrypt.h, ncrypt.h): each has a name, which NCryptImportKey and NCryptExportKey are given.
// It knows bytes and nothing of tokens. What it reads is checked for its form only; whether the numbers make a key is for who takes it in.
package blob

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Key is a key as a blob has it. Close wipes it.
type Key struct {
	Algorithm string         // CNG's name: RSA, ECDSA_P256, ECDH_P384, ECDSA, ECDH, DSA, DH, AES, ...
	Class     ck.ObjectClass // CKO_PUBLIC_KEY, CKO_PRIVATE_KEY or CKO_SECRET_KEY
	KeyType   ck.KeyType
	Usage     *uint32 // what the blob says that the key is for (NCRYPT_ALLOW_*); nil: it says nothing
	Name      string  // what the blob says that the key is called; empty: it says nothing

	parts   attr.Template
	secrets []*secret.Bytes
}

// Parts are the key's numbers, named by the attributes that PKCS #11 gives them, big-endian and without leading zeros; points are uncompressed. Values are
// wiped by Close.
func (k *Key) Parts() attr.Template { return k.parts }

// Get gives one of the numbers, nil where the key has it not.
func (k *Key) Get(typ ck.AttributeType) []byte {
	value, _ := k.parts.Find(typ)
	return value
}

// Put adds a number that everybody may know. The value is copied.
func (k *Key) Put(typ ck.AttributeType, value []byte) {
	k.parts = append(k.parts, attr.Attribute{Type: typ, Value: slices.Clone(value)})
}

// PutSecret adds a number that nobody may know. The value is copied; the caller wipes its own.
func (k *Key) PutSecret(typ ck.AttributeType, value []byte) {
	s := secret.Copy(value)
	k.secrets = append(k.secrets, s)
	k.parts = append(k.parts, attr.Attribute{Type: typ, Value: s.Bytes()})
}

// Close wipes the secret numbers.
func (k *Key) Close() {
	if k == nil {
		return
	}
	for _, s := range k.secrets {
		s.Close()
	}
	k.parts, k.secrets = nil, nil
}

// Options are what comes beside a blob, in a list of parameters (NCryptBufferDesc).
type Options struct {
	Curve     string        // NCRYPTBUFFER_ECC_CURVE_NAME
	Algorithm string        // NCRYPTBUFFER_PKCS_ALG_ID
	Password  *secret.Bytes // NCRYPTBUFFER_PKCS_SECRET: UTF-16LE, with its NUL; nil: none
	Cipher    string        // NCRYPTBUFFER_PKCS_ALG_OID, for writing: the object identifier of what encrypts
	Salt      []byte        // of NCRYPTBUFFER_PKCS_ALG_PARAM, for writing; nil: random
	Rounds    int           // of the same; 0: the format's default
}

// format is a kind of blob.
type format struct {
	name  string
	class ck.ObjectClass // what it has; 0: any
	// read makes a key of exactly these bytes. Errors: nte.NTE_INVALID_PARAMETER for a magic number of another kind, nte.NTE_BAD_DATA for lengths that do
	// not fit, nte.NTE_NOT_SUPPORTED for what is not supported.
	read func(data []byte, o *Options) (*Key, error)
	// write is the opposite; nil: the format is only read. Errors: nte.NTE_BAD_TYPE where the key is of another kind.
	write func(k *Key, o *Options) (*secret.Bytes, error)
}

var formats = slices.Concat(rsaFormats, eccFormats, secretFormats)

func find(name string) *format {
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &formats[i]
}

// Known says whether there is a format of that name, which is compared exactly.
func Known(name string) bool { return find(name) != nil }

// Private says whether blobs of that name have private or secret keys in them.
func Private(name string) bool {
	f := find(name)
	return f != nil && f.class != ck.CKO_PUBLIC_KEY
}

// Read makes a key of a blob. Error: nte.NTE_NOT_SUPPORTED for a format that is not known or does not parse as a private key, nte.NTE_INVALID_PARAMETER
// and nte.NTE_BAD_DATA for public ones.
func Read(name string, data []byte, o *Options) (*Key, error) {
	f := find(name)
	switch {
	case f == nil:
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "there is no blob type %q", name)
	case len(data) == 0:
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "the blob is empty")
	}
	if o == nil {
		o = &Options{}
	}
	return f.read(data, o)
}

// Write makes a blob of a key. Errors: nte.NTE_INVALID_PARAMETER for a format that is not known, nte.NTE_BAD_TYPE for one that the key does not fit.
func Write(name string, k *Key, o *Options) (*secret.Bytes, error) {
	f := find(name)
	switch {
	case f == nil:
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "there is no blob type %q", name)
	case f.write == nil:
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "%s is only read", name)
	case f.class == ck.CKO_PRIVATE_KEY && k.Class != f.class:
		return nil, nte.Errorf(nte.NTE_BAD_TYPE, "%s needs a private key", name)
	}
	if o == nil {
		o = &Options{}
	}
	return f.write(k, o)
}

// wrongKind is what a format answers to a key that it cannot carry.
func wrongKind(name string, k *Key) error {
	return nte.Errorf(nte.NTE_BAD_TYPE, "%s does not carry %s keys", name, k.Algorithm)
}

// Specific is the name of the format that a generic name stands for: PUBLICBLOB and PRIVATEBLOB are what keys of the group are usually written as.
func Specific(name, group string) string {
	generic := map[string]string{"PUBLICBLOB": "PUBLICBLOB", "PRIVATEBLOB": "PRIVATEBLOB"}[name]
	if generic == "" {
		return name
	}
	switch group {
	case "RSA":
		return "RSA" + generic
	case "ECDSA", "ECDH":
		return "ECC" + generic
	}
	return name
}

// Encrypts says whether a blob of that name, with these options, is encrypted.
func Encrypts(name string, o *Options) bool {
	return o != nil && o.Password != nil && o.Cipher != "" && name == "PKCS8_PRIVATEKEY"
}
