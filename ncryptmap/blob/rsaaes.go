package blob

import (
	"encoding/binary"
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// The formats of what a mechanism of PKCS #11 gave, and nothing else, or no more than its parameters.
const (
	AESWrap    = "Rfc3565KeyWrapBlob"   // BCRYPT_AES_WRAP_KEY_BLOB: CKM_AES_KEY_WRAP (RFC 3394)
	RSAAESWrap = "PKCS11RsaAesWrapBlob" // BCRYPT_PKCS11_RSA_AES_WRAP_KEY_BLOB: CKM_RSA_AES_KEY_WRAP
)

// RSAAES is a BCRYPT_PKCS11_RSA_AES_WRAP_BLOB: dwMagic, cbKey, cbPaddingAlgId, cbPaddingLabel; then the wrapped key, the name of OAEP's hash, OAEP's label.
type RSAAES struct {
	Key   []byte // what CKM_RSA_AES_KEY_WRAP gave
	Hash  string // of OAEP, by CNG's name
	Label []byte // of OAEP
}

const magicRSAAES = 0x57504152

// ParseRSAAES reads such a blob. Errors: nte.NTE_INVALID_PARAMETER where it begins otherwise; nte.NTE_BAD_DATA.
func ParseRSAAES(data []byte) (*RSAAES, error) {
	if len(data) > maxBlob {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the blob has %d bytes, more than %d", len(data), maxBlob)
	}
	r := &reader{data: data}
	if found := r.ulong(); len(data) >= 4 && found != magicRSAAES {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "%w", wrongMagic(found, magicRSAAES))
	}
	key, hash, label := r.ulong(), r.ulong(), r.ulong()
	b := &RSAAES{Key: r.take(key), Hash: r.text(hash), Label: r.take(label)}
	if err := r.end(); err != nil {
		return nil, err
	}
	return b, nil
}

// Marshal writes it.
func (b *RSAAES) Marshal() []byte {
	name := Wide(b.Hash)
	var out []byte
	for _, v := range []uint32{magicRSAAES, uint32(len(b.Key)), uint32(len(name)), uint32(len(b.Label))} {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return slices.Concat(out, b.Key, name, b.Label)
}
