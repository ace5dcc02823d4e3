package ncryptmap

import (
	"crypto/hkdf"
	"crypto/hmac"
	_ "crypto/sha1" // programs ask for it
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/binary"
	"hash"
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// The ways to make a key of an agreed secret.
const (
	BCRYPT_KDF_HASH               = "HASH"
	BCRYPT_KDF_HMAC               = "HMAC"
	BCRYPT_KDF_SP80056A_CONCAT    = "SP800_56A_CONCAT"
	BCRYPT_KDF_RAW_SECRET         = "TRUNCATE"
	BCRYPT_KDF_HKDF               = "HKDF"
	BCRYPT_USE_SECRET_AS_HMAC_KEY = 1 // flag of DeriveKey with BCRYPT_KDF_HMAC
)

// The parameters of these, a number space of their own.
const (
	KDF_HASH_ALGORITHM uint32 = 0x0
	KDF_SECRET_PREPEND uint32 = 0x1
	KDF_SECRET_APPEND  uint32 = 0x2
	KDF_HMAC_KEY       uint32 = 0x3
	KDF_ALGORITHMID    uint32 = 0x8
	KDF_PARTYUINFO     uint32 = 0x9
	KDF_PARTYVINFO     uint32 = 0xA
	KDF_SUPPPUBINFO    uint32 = 0xB
	KDF_SUPPPRIVINFO   uint32 = 0xC
	KDF_HKDF_SALT      uint32 = 0x13
	KDF_HKDF_INFO      uint32 = 0x14
)

// DeriveKey is NCryptDeriveKey: bytes of an agreed secret, which the caller closes. size is how many are wanted, 0 for as many as there are. Errors:
// NTE_INVALID_HANDLE; NTE_BAD_FLAGS; NTE_NOT_SUPPORTED for another way; NTE_INVALID_PARAMETER.
func (k *KSP) DeriveKey(sharedSecret Handle, kdf string, params *Buffers, size int, flags uint32) (*secret.Bytes, error) {
	a, err := get[*agreed](&k.handles, sharedSecret)
	if err != nil {
		return nil, err
	}
	if err := checkFlags(callDerive, flags&^BCRYPT_USE_SECRET_AS_HMAC_KEY); err != nil {
		return nil, err
	}
	if err := params.check(); err != nil {
		return nil, err
	}
	derive, ok := kdfs[kdf]
	if !ok {
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "there is no way %q to derive a key", kdf)
	}
	value := a.value.Bytes()
	if kdf == BCRYPT_KDF_RAW_SECRET && a.littleEndian {
		derive = func(value []byte, _ *Buffers, _ int, _ uint32) ([]byte, error) { return slices.Clone(value), nil }
	}
	out, err := derive(value, params, size, flags)
	if err != nil {
		return nil, err
	}
	if size > 0 && size < len(out) {
		defer secret.Wipe(out)
		return secret.Copy(out[:size]), nil
	}
	return secret.From(out), nil
}

// kdfs are the ways, by name. What they give is theirs, and not shared.
var kdfs = map[string]func(value []byte, params *Buffers, size int, flags uint32) ([]byte, error){
	BCRYPT_KDF_HASH: func(value []byte, params *Buffers, _ int, _ uint32) ([]byte, error) {
		newHash, err := kdfHash(params)
		if err != nil {
			return nil, err
		}
		return digest(newHash(), value, params), nil
	},
	BCRYPT_KDF_HMAC:            kdfHMAC,
	BCRYPT_KDF_SP80056A_CONCAT: kdfConcat,
	BCRYPT_KDF_RAW_SECRET: func(value []byte, _ *Buffers, _ int, _ uint32) ([]byte, error) {
		return truncate(value), nil
	},
	BCRYPT_KDF_HKDF: kdfHKDF,
}

// kdfHash is the hash that the parameters name; SHA-1 where they name none, as on Windows.
func kdfHash(params *Buffers) (func() hash.Hash, error) {
	name, err := params.text(KDF_HASH_ALGORITHM)
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = "SHA1"
	}
	h, ok := hashes[name]
	if !ok {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "hash algorithm %q is not supported", name)
	}
	return h.hash.New, nil
}

// digest hashes what is put before the secret, the secret, and what is put behind it, in the order of the list.
func digest(h hash.Hash, value []byte, params *Buffers) []byte {
	for _, b := range params.all(KDF_SECRET_PREPEND) {
		h.Write(b)
	}
	h.Write(value)
	for _, b := range params.all(KDF_SECRET_APPEND) {
		h.Write(b)
	}
	return h.Sum(nil)
}

func kdfHMAC(value []byte, params *Buffers, _ int, flags uint32) ([]byte, error) {
	newHash, err := kdfHash(params)
	if err != nil {
		return nil, err
	}
	key, given := params.find(KDF_HMAC_KEY)
	if flags&BCRYPT_USE_SECRET_AS_HMAC_KEY != 0 {
		key, given = value, true
	}
	if !given {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "the way HMAC needs a key")
	}
	return digest(hmac.New(newHash, key), value, params), nil
}

// kdfConcat is the one-step derivation of SP 800-56A, with the fixed information in its parts.
func kdfConcat(value []byte, params *Buffers, size int, _ uint32) ([]byte, error) {
	newHash, err := kdfHash(params)
	if err != nil {
		return nil, err
	}
	size = min(max(size, newHash().Size()), maxDerived)
	var out []byte
	for counter := uint32(1); len(out) < size; counter++ {
		h := newHash()
		h.Write(binary.BigEndian.AppendUint32(nil, counter))
		h.Write(value)
		for _, typ := range []uint32{KDF_ALGORITHMID, KDF_PARTYUINFO, KDF_PARTYVINFO, KDF_SUPPPUBINFO, KDF_SUPPPRIVINFO} {
			part, _ := params.find(typ)
			h.Write(part)
		}
		out = h.Sum(out)
	}
	return out, nil
}

// maxDerived bounds what is derived from one secret, bytes.
const maxDerived = 1 << 16

func kdfHKDF(value []byte, params *Buffers, size int, _ uint32) ([]byte, error) {
	newHash, err := kdfHash(params)
	if err != nil {
		return nil, err
	}
	if size == 0 {
		size = newHash().Size()
	}
	salt, _ := params.find(KDF_HKDF_SALT)
	info, _ := params.find(KDF_HKDF_INFO)
	out, err := hkdf.Key(newHash, value, salt, string(info), size)
	if err != nil {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "%w", err)
	}
	return out, nil
}
