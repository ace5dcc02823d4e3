package ncryptmap

import (
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// BCRYPT_PKCS11_RSA_AES_WRAP_BLOB: dwMagic, cbKey, cbPaddingAlgId, cbPaddingLabel; then the wrapped key, the name of OAEP's hash, OAEP's label.
const (
	magicRSAAES  = 0x57504152
	rsaAESHeader = 16
)

func parseRSAAES(data []byte) (ck.Mechanism, []byte, error) {
	if len(data) < rsaAESHeader {
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_BAD_DATA, "the blob has no header")
	}
	if magic := binary.LittleEndian.Uint32(data); magic != magicRSAAES {
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "the blob begins with %#08x, not with %#08x", magic, magicRSAAES)
	}
	n, h, l := uint64(binary.LittleEndian.Uint32(data[4:])), uint64(binary.LittleEndian.Uint32(data[8:])), uint64(binary.LittleEndian.Uint32(data[12:]))
	if rsaAESHeader+n+h+l != uint64(len(data)) {
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_BAD_DATA, "the lengths in the blob's header do not fit its size")
	}
	body := data[rsaAESHeader:]
	name, ok := blob.ParseWide(body[n : n+h])
	hash, known := hashes[name]
	if !ok || !known {
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "OAEP with hash %q is not supported", name)
	}
	oaep := ck.OAEPParams{Hash: hash.mechanism, MGF: hash.mgf, Source: ck.CKZ_DATA_SPECIFIED, Label: append([]byte{}, body[n+h:]...)}
	return ck.Mechanism{Type: ck.CKM_RSA_AES_KEY_WRAP, Params: ck.RSAAESParams{AESBits: 256, OAEP: oaep}}, append([]byte{}, body[:n]...), nil
}

// readRSAAES reads a blob of what CKM_RSA_AES_KEY_WRAP gave.
func (k *key) readRSAAES(ksp *KSP, importKey Handle, params *Buffers, data []byte) error {
	mechanism, wrapped, err := parseRSAAES(data)
	if err != nil {
		return err
	}
	return k.readThrough(ksp, importKey, params, &wrappedBlob{mechanism: mechanism, data: wrapped}, "")
}

// wrapRSAAES makes a blob of CKM_RSA_AES_KEY_WRAP's output.
func (k *key) wrapRSAAES(under *wrapper, params *Buffers) (*secret.Bytes, error) {
	name, err := params.text(NCRYPTBUFFER_PKCS_PADDING_ALGO)
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = "SHA256"
	}
	hash, known := hashes[name]
	if !known {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "OAEP with hash %q is not supported", name)
	}
	bits := uint32(256)
	if value, ok := params.find(NCRYPTBUFFER_PKCS_AES_KEY_BITS); ok {
		if bits, err = parseDword(value); err != nil {
			return nil, err
		}
	}
	label, _ := params.find(NCRYPTBUFFER_PKCS_PADDING_LABEL)
	oaep := ck.OAEPParams{Hash: hash.mechanism, MGF: hash.mgf, Source: ck.CKZ_DATA_SPECIFIED, Label: label}
	wrapped, err := k.wrap(under, ck.Mechanism{Type: ck.CKM_RSA_AES_KEY_WRAP, Params: ck.RSAAESParams{AESBits: uint(bits), OAEP: oaep}})
	if err != nil {
		return nil, err
	}
	defer wrapped.Close()
	out := dword(magicRSAAES, uint32(wrapped.Len()), uint32(len(blob.Wide(name))), uint32(len(label)))
	out = append(append(append(out, wrapped.Bytes()...), blob.Wide(name)...), label...)
	return secret.From(out), nil
}
