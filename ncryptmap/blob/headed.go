package blob

import (
	"bytes"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// NCRYPT_KEY_BLOB_HEADER (ncrypt.h): cbSize, which is the header's own, dwMagic, cbAlgName, cbKeyData; then the algorithm's name in UTF-16 with its NUL, and
// the key's data.
const (
	keyBlobHeader  = 16
	magicCipher    = 0x52485043 // NCRYPT_CIPHER_KEY_BLOB_MAGIC
	magicKDF       = 0x3146444b // NCRYPT_KDF_KEY_BLOB_MAGIC
	magicProtected = 0x4b545250 // NCRYPT_PROTECTED_KEY_BLOB_MAGIC
)

var headedFormats = []format{
	{"CipherKeyBlob", ck.CKO_SECRET_KEY, readCipher, writeCipher},
	{"KDFKeyBlob", ck.CKO_SECRET_KEY, readKDF, writeKDF},
	{"ProtectedKeyBlob", ck.CKO_SECRET_KEY, readProtected, nil},
}

// readHeaded takes a blob with the header apart.
func readHeaded(data []byte, magic uint32) (algorithm string, value []byte, err error) {
	r := &reader{data: data}
	size, found := r.ulong(), r.ulong()
	if found != magic {
		return "", nil, r.wrongMagic(found, magic)
	}
	name, length := r.ulong(), r.ulong()
	algorithm, value = r.text(name), r.take(length)
	if err := r.end(); err != nil {
		return "", nil, err
	}
	if size != keyBlobHeader || algorithm == "" {
		return "", nil, nte.Errorf(nte.NTE_BAD_DATA, "the blob's header has %d bytes, not %d, or it names no algorithm", size, keyBlobHeader)
	}
	return algorithm, value, nil
}

// readCipher: the data of a cipher's key is a KeyDataBlob. Programs exist that put the bare key there, as the header's comments can be read; a key that
// happens to be a whole KeyDataBlob is not to be expected.
func readCipher(data []byte, _ *Options) (*Key, error) {
	algorithm, value, err := readHeaded(data, magicCipher)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(value, []byte("KDBM")) {
		return readKeyData(value, &Options{Algorithm: algorithm})
	}
	return secretKey(value, algorithm)
}

// readKDF: the data is the secret that keys are derived from.
func readKDF(data []byte, _ *Options) (*Key, error) {
	algorithm, value, err := readHeaded(data, magicKDF)
	if err != nil {
		return nil, err
	}
	return secretKey(value, algorithm)
}

// readProtected: what is inside is for the machine that wrote it.
func readProtected(data []byte, _ *Options) (*Key, error) {
	if _, _, err := readHeaded(data, magicProtected); err != nil {
		return nil, err
	}
	return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "a ProtectedKeyBlob can be opened by the provider that made it only")
}

func writeCipher(k *Key, o *Options) (*secret.Bytes, error) {
	inner, err := writeKeyData(k, o)
	if err != nil {
		return nil, err
	}
	defer inner.Close()
	return writeHeaded("CipherKeyBlob", magicCipher, k.Algorithm, inner.Bytes())
}

func writeKDF(k *Key, _ *Options) (*secret.Bytes, error) {
	if k.KeyType != ck.CKK_GENERIC_SECRET {
		return nil, wrongKind("KDFKeyBlob", k)
	}
	if err := needs("KDFKeyBlob", k, ck.CKA_VALUE); err != nil {
		return nil, err
	}
	return writeHeaded("KDFKeyBlob", magicKDF, k.Algorithm, k.Get(ck.CKA_VALUE))
}

func writeHeaded(name string, magic uint32, algorithm string, value []byte) (*secret.Bytes, error) {
	if algorithm == "" {
		return nil, nte.Errorf(nte.NTE_BAD_TYPE, "%s needs the algorithm's name", name)
	}
	text := Wide(algorithm)
	w := newWriter(keyBlobHeader + len(text) + len(value))
	w.ulong(keyBlobHeader, magic, uint32(len(text)), uint32(len(value)))
	w.bytes(text)
	w.bytes(value)
	return w.done()
}
