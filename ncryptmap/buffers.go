package ncryptmap

import (
	"encoding/binary"
	"strings"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Buffer is an NCryptBuffer: a parameter.
type Buffer struct {
	Type uint32 // NCRYPTBUFFER_*
	Data []byte
}

// Buffers is an NCryptBufferDesc: the parameters of a call.
type Buffers struct {
	Version uint32 // NCRYPTBUFFER_VERSION: 0
	List    []Buffer
}

// check refuses a list of another version.
func (b *Buffers) check() error {
	if b != nil && b.Version != 0 {
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "parameters of version %d", b.Version)
	}
	return nil
}

// find gives the first parameter of a type.
func (b *Buffers) find(typ uint32) ([]byte, bool) {
	if b == nil {
		return nil, false
	}
	for _, buffer := range b.List {
		if buffer.Type == typ {
			return buffer.Data, true
		}
	}
	return nil, false
}

// text gives a parameter that is a string of UTF-16, with its NUL or without; empty where there is none.
func (b *Buffers) text(typ uint32) (string, error) {
	data, ok := b.find(typ)
	if !ok {
		return "", nil
	}
	text, ok := blob.ParseWide(data)
	if !ok {
		return "", nte.Errorf(nte.NTE_INVALID_PARAMETER, "parameter %d is not UTF-16", typ)
	}
	return text, nil
}

// options are the parameters that say how a blob is to be read or written. The caller closes the password.
func (b *Buffers) options() (*blob.Options, error) {
	o := &blob.Options{}
	var err error
	if o.Curve, err = b.text(NCRYPTBUFFER_ECC_CURVE_NAME); err != nil {
		return nil, err
	}
	if o.Algorithm, err = b.text(NCRYPTBUFFER_PKCS_ALG_ID); err != nil {
		return nil, err
	}
	if oid, ok := b.find(NCRYPTBUFFER_PKCS_ALG_OID); ok {
		o.Cipher = strings.TrimRight(string(oid), "\x00")
	}
	if value, ok := b.find(NCRYPTBUFFER_PKCS_ALG_PARAM); ok {
		if o.Salt, o.Rounds, err = parsePBEParams(value); err != nil {
			return nil, err
		}
	}
	o.Certificate, _ = b.find(NCRYPTBUFFER_CERT_BLOB)
	if password, ok := b.find(NCRYPTBUFFER_PKCS_SECRET); ok {
		o.Password = secret.Copy(password)
	}
	return o, nil
}

// parsePBEParams reads CRYPT_PKCS12_PBE_PARAMS (wincrypt.h): iIterations, cbSalt, and the salt behind them.
func parsePBEParams(value []byte) (salt []byte, rounds int, err error) {
	const header, most = 8, 1<<31 - 1
	if len(value) < header || uint64(binary.LittleEndian.Uint32(value[4:])) != uint64(len(value)-header) {
		return nil, 0, nte.Errorf(nte.NTE_INVALID_PARAMETER, "parameter %d is no CRYPT_PKCS12_PBE_PARAMS", NCRYPTBUFFER_PKCS_ALG_PARAM)
	}
	n := binary.LittleEndian.Uint32(value)
	if n == 0 || n > most {
		return nil, 0, nte.Errorf(nte.NTE_INVALID_PARAMETER, "%d rounds of key derivation", n)
	}
	return value[header:], int(n), nil
}

// all gives the parameters of a type, in their order.
func (b *Buffers) all(typ uint32) [][]byte {
	if b == nil {
		return nil
	}
	var found [][]byte
	for _, buffer := range b.List {
		if buffer.Type == typ {
			found = append(found, buffer.Data)
		}
	}
	return found
}
