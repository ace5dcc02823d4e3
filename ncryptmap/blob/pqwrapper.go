package blob

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// NCRYPT_PQ_BLOB (ncrypt.h): dwMagic, cbBCryptType, cbBCryptBlob; then the type of another blob in UTF-16 with its NUL, and that blob.
const (
	magicPQWrapper  = 0x52505150 // NCRYPT_PQ_PRIVATE_BLOB_MAGIC
	pqWrapperHeader = 12
)

var pqWrapperFormats = []format{
	{"PQPrivateKeyBlob", ck.CKO_PRIVATE_KEY, readPQWrapper, writePQWrapper},
}

// pqFormat finds a format that can be inside: one of private keys.
func pqFormat(is func(*format) bool) *format {
	i := slices.IndexFunc(pqFormats, func(f format) bool { return f.class == ck.CKO_PRIVATE_KEY && is(&f) })
	if i < 0 {
		return nil
	}
	return &pqFormats[i]
}

func readPQWrapper(data []byte, o *Options) (*Key, error) {
	r := &reader{data: data}
	if found := r.ulong(); found != magicPQWrapper {
		return nil, r.wrongMagic(found, magicPQWrapper)
	}
	nameLength, blobLength := r.ulong(), r.ulong()
	name, inner := r.text(nameLength), r.take(blobLength)
	if err := r.end(); err != nil {
		return nil, err
	}
	f := pqFormat(func(f *format) bool { return f.name == name })
	if f == nil {
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "a PQPrivateKeyBlob of type %q is not supported", name)
	}
	return f.read(inner, o)
}

// writePQWrapper puts the seed inside where there is one: everything else can be made of it.
func writePQWrapper(k *Key, o *Options) (*secret.Bytes, error) {
	set := pqSetOf(k)
	if set == nil {
		return nil, wrongKind("PQPrivateKeyBlob", k)
	}
	part, suffix := pqPrivate, "PRIVATEBLOB"
	if len(k.Get(ck.CKA_SEED)) != 0 {
		part, suffix = pqSeed, "PRIVATESEEDBLOB"
	}
	if set.algorithm.magics[part] == 0 {
		return nil, wrongKind("PQPrivateKeyBlob", k)
	}
	name := nameByType(suffix, k.KeyType)
	inner, err := pqFormat(func(f *format) bool { return f.name == name }).write(k, o)
	if err != nil {
		return nil, err
	}
	defer inner.Close()
	text := Wide(name)
	w := newWriter(pqWrapperHeader + len(text) + inner.Len())
	w.ulong(magicPQWrapper, uint32(len(text)), uint32(inner.Len()))
	w.bytes(text)
	w.bytes(inner.Bytes())
	return w.done()
}
