package blob

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// BCRYPT_KEY_DATA_BLOB_HEADER: dwMagic, dwVersion, cbKeyData; then the key.
const (
	magicKeyData   = 0x4d42444b // BCRYPT_KEY_DATA_BLOB_MAGIC
	versionKeyData = 1          // BCRYPT_KEY_DATA_BLOB_VERSION1
	keyDataHeader  = 12
)

var secretFormats = []format{
	{"KeyDataBlob", ck.CKO_SECRET_KEY, readKeyData, writeKeyData},
}

func readKeyData(data []byte, o *Options) (*Key, error) {
	r := &reader{data: data}
	if found := r.ulong(); found != magicKeyData {
		return nil, r.wrongMagic(found, magicKeyData)
	}
	if version := r.ulong(); version != versionKeyData {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "version %d of KeyDataBlob is not known", version)
	}
	value := r.take(r.ulong())
	if err := r.end(); err != nil {
		return nil, err
	}
	return secretKey(value, o.Algorithm)
}

// secretKey is a secret key of the algorithm, AES where none is named.
func secretKey(value []byte, algorithm string) (*Key, error) {
	if algorithm == "" {
		algorithm = "AES"
	}
	keyType := ck.CKK_GENERIC_SECRET
	if algorithm == "AES" {
		keyType = ck.CKK_AES
	}
	if len(value) == 0 {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the secret key is empty")
	}
	k := &Key{Algorithm: algorithm, Class: ck.CKO_SECRET_KEY, KeyType: keyType}
	k.PutSecret(ck.CKA_VALUE, value)
	return k, nil
}

func writeKeyData(k *Key, _ *Options) (*secret.Bytes, error) {
	if err := needs("KeyDataBlob", k, ck.CKA_VALUE); err != nil {
		return nil, err
	}
	value := k.Get(ck.CKA_VALUE)
	w := newWriter(keyDataHeader + len(value))
	w.ulong(magicKeyData, versionKeyData, uint32(len(value)))
	w.bytes(value)
	return w.done()
}
