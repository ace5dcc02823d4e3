// Package blob reads and writes keys in the formats of CNG (bcrypt.h, ncrypt.h): each has a name, which NCryptImportKey and NCryptExportKey are given.
// It knows bytes and nothing of tokens. What it reads is checked for its form only; whether the numbers make a key is for who takes it in.
package blob

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Options are what comes beside a blob, in a list of parameters (NCryptBufferDesc).
type Options struct {
	Curve     string        // NCRYPTBUFFER_ECC_CURVE_NAME
	Algorithm string        // NCRYPTBUFFER_PKCS_ALG_ID
	Password  *secret.Bytes // NCRYPTBUFFER_PKCS_SECRET: UTF-16LE, with its NUL; nil: none
	Cipher    string        // NCRYPTBUFFER_PKCS_ALG_OID, for writing: the object identifier of what encrypts
	Salt      []byte        // of NCRYPTBUFFER_PKCS_ALG_PARAM, for writing; nil: random
	Rounds    int           // of the same; 0: the format's default

	Certificate []byte // NCRYPTBUFFER_CERT_BLOB: whose key opens an envelope
}

// format is a kind of blob.
type format struct {
	name  string
	class ck.ObjectClass // what it has; 0: any
	// read makes a key of exactly these bytes; nil: the name stands for several formats. Errors: that of wrongMagic, nte.NTE_BAD_DATA for lengths that do not
	// fit, nte.NTE_NOT_SUPPORTED for what is not supported.
	read func(data []byte, o *Options) (*Key, error)
	// write is the opposite; nil: the format is only read. Errors: nte.NTE_BAD_TYPE where the key is of another kind or lacks a number, nte.NTE_BAD_DATA where
	// a number does not fit its field.
	write func(k *Key, o *Options) (*secret.Bytes, error)
}

var formats = slices.Concat(
	genericFormats, rsaFormats, eccFormats, eccFullFormats, dhFormats, dsaFormats, capiFormats, capiGroupFormats, secretFormats, headedFormats, pqFormats,
	pqWrapperFormats, pkcs8Formats, sealedFormats,
)

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

// maxBlob bounds the time and the memory that a blob can take. The longest are those of hash-based and lattice keys: a few KiB.
const maxBlob = 1 << 20

// Read makes a key of a blob. Errors: nte.NTE_NOT_SUPPORTED for a format that is not known, and for a private or secret key's blob that begins with the wrong
// magic number; nte.NTE_INVALID_PARAMETER for such a public one, an empty one, or a curve that is not known; nte.NTE_BAD_DATA for lengths that do not fit.
func Read(name string, data []byte, o *Options) (*Key, error) {
	f := find(name)
	switch {
	case f == nil:
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "there is no blob type %q", name)
	case len(data) == 0:
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "the blob is empty")
	case len(data) > maxBlob:
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the blob has %d bytes, more than %d", len(data), maxBlob)
	}
	if o == nil {
		o = &Options{}
	}
	k, err := f.readOrFind(data, o)
	var magic *magicError
	if !errors.As(err, &magic) {
		return k, err
	}
	if f.class == ck.CKO_PUBLIC_KEY {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "%s: %w", name, err)
	}
	return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "%s: %w", name, err)
}

// readOrFind reads a blob, whose magic number says which format it has where the name stands for several.
func (f *format) readOrFind(data []byte, o *Options) (*Key, error) {
	if f.read != nil {
		return f.read(data, o)
	}
	name, err := nameByMagic(f.class, data)
	if err != nil {
		return nil, err
	}
	return find(name).read(data, o)
}

// Write makes a blob of a key. Errors: nte.NTE_INVALID_PARAMETER for a format that is not known, nte.NTE_BAD_TYPE for one that the key does not fit,
// nte.NTE_BAD_DATA for a key with a number that is longer than its field, nte.NTE_NOT_SUPPORTED for a format that is only read.
func Write(name string, k *Key, o *Options) (*secret.Bytes, error) {
	f := find(name)
	if f != nil && f.read == nil {
		f = find(nameByType(name, k.KeyType))
	}
	switch {
	case f == nil && find(name) == nil:
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "there is no blob type %q", name)
	case f == nil:
		return nil, wrongKind(name, k)
	case f.write == nil:
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "%s is only read", name)
	case f.class == ck.CKO_PRIVATE_KEY && k.Class != f.class:
		return nil, nte.Errorf(nte.NTE_BAD_TYPE, "%s needs a private key", name)
	case f.class == ck.CKO_PUBLIC_KEY && k.Class == ck.CKO_SECRET_KEY, f.class == ck.CKO_SECRET_KEY && k.Class != f.class:
		return nil, wrongKind(name, k)
	}
	if o == nil {
		o = &Options{}
	}
	return f.write(k, o)
}

// magicError says that a blob is of another kind than its name says. What status that is depends on the format: Read says it. On Windows a public blob with
// a magic number of nothing is an invalid parameter, and a private one with a public one's is not supported.
type magicError struct{ found, want uint32 }

func (e *magicError) Error() string {
	return fmt.Sprintf("the blob begins with %#08x, not with %#08x", e.found, e.want)
}

func wrongMagic(found, want uint32) error { return &magicError{found, want} }

// wrongKind is what a format answers to a key that it cannot carry.
func wrongKind(name string, k *Key) error {
	return nte.Errorf(nte.NTE_BAD_TYPE, "%s does not carry %s keys", name, k.Algorithm)
}

// needs fails where a key lacks a number that a blob is made of.
func needs(name string, k *Key, types ...ck.AttributeType) error {
	for _, typ := range types {
		if len(k.Get(typ)) == 0 {
			return nte.Errorf(nte.NTE_BAD_TYPE, "%s needs the key's %v, which this %s key has not", name, typ, k.Algorithm)
		}
	}
	return nil
}
