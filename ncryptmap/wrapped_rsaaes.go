package ncryptmap

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

func parseRSAAES(data []byte) (ck.Mechanism, []byte, error) {
	b, err := blob.ParseRSAAES(data)
	if err != nil {
		return ck.Mechanism{}, nil, err
	}
	hash, known := hashes[b.Hash]
	if !known {
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "OAEP with hash %q is not supported", b.Hash)
	}
	oaep := ck.OAEPParams{Hash: hash.mechanism, MGF: hash.mgf, Source: ck.CKZ_DATA_SPECIFIED, Label: slices.Clone(b.Label)}
	return ck.Mechanism{Type: ck.CKM_RSA_AES_KEY_WRAP, Params: ck.RSAAESParams{AESBits: 256, OAEP: oaep}}, slices.Clone(b.Key), nil
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
	return secret.From((&blob.RSAAES{Key: wrapped.Bytes(), Hash: name, Label: label}).Marshal()), nil
}
