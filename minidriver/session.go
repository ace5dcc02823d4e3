package minidriver

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// MDImportSessionKey takes in a session key in the clear, as a server has it that made it: a KeyDataBlob, which stays the caller's to wipe.
func (c *Context) MDImportSessionKey(blobType, algorithm string, data []byte) (KeyHandle, error) {
	if err := c.enter("MDImportSessionKey"); err != nil {
		return 0, err
	}
	defer c.mu.Unlock()
	if err := checkBlob(blobType, algorithm); err != nil {
		return 0, err
	}
	given, err := blob.Read(KeyDataBlob, data, &blob.Options{Algorithm: algorithm})
	if err != nil {
		return 0, invalid("%w", err)
	}
	defer given.Close()
	value := given.Get(ck.CKA_VALUE)
	if n := len(value); n != 16 && n != 24 && n != 32 {
		return 0, invalid("an AES key of %d bytes", n)
	}
	return c.keys.add(&key{value: secret.Copy(value)}), nil
}

func checkBlob(blobType, algorithm string) error {
	if blobType != KeyDataBlob {
		return invalid("session keys come as %s, not as %q", KeyDataBlob, blobType)
	}
	return checkAlgorithm(algorithm)
}

// OAEP is BCRYPT_OAEP_PADDING_INFO.
type OAEP struct {
	Hash  string // pszAlgId
	Label []byte
}

// oaepHashes are the hashes of OAEP by CNG's names. The mask is made with the same.
var oaepHashes = map[string]ck.OAEPParams{
	"SHA1":   {Hash: ck.CKM_SHA_1, MGF: ck.CKG_MGF1_SHA1, Source: ck.CKZ_DATA_SPECIFIED},
	"SHA256": {Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, Source: ck.CKZ_DATA_SPECIFIED},
	"SHA384": {Hash: ck.CKM_SHA384, MGF: ck.CKG_MGF1_SHA384, Source: ck.CKZ_DATA_SPECIFIED},
	"SHA512": {Hash: ck.CKM_SHA512, MGF: ck.CKG_MGF1_SHA512, Source: ck.CKZ_DATA_SPECIFIED},
}

// paddingOf says by flags and padding info how a session key is encrypted.
func paddingOf(info *OAEP, flags uint32) (ck.SKISessionParams, error) {
	switch {
	case flags == CARD_PADDING_PKCS1:
		return ck.SKISessionParams{Padding: ck.CKM_RSA_PKCS}, nil
	case flags != CARD_PADDING_OAEP:
		return ck.SKISessionParams{}, invalid("flags %#x are no padding that %q has", flags, CP_PADDING_SCHEMES)
	case info == nil:
		return ck.SKISessionParams{}, invalid("OAEP needs its padding info")
	}
	params, ok := oaepHashes[info.Hash]
	if !ok {
		return ck.SKISessionParams{}, invalid("OAEP by hash %q", info.Hash)
	}
	params.Label = info.Label
	return ck.SKISessionParams{Padding: ck.CKM_RSA_PKCS_OAEP, OAEP: params}, nil
}

// ImportSessionKey is CardImportSessionKey: the card decrypts a KeyDataBlob with a container's AT_KEYEXCHANGE pair, which it must have generated itself, and
// keeps the session key until it is destroyed. What decrypts must be the whole blob, not the bare key. Whatever is wrong with it is
// SCARD_E_INVALID_PARAMETER. Errors: SCARD_E_NO_KEY_CONTAINER; SCARD_W_SECURITY_VIOLATION for a pair that can do more, or was known outside.
func (c *Context) ImportSessionKey(container byte, padding *OAEP, blobType, algorithm string, data []byte, flags uint32) (KeyHandle, error) {
	if err := c.enter("CardImportSessionKey"); err != nil {
		return 0, err
	}
	defer c.mu.Unlock()
	if err := checkBlob(blobType, algorithm); err != nil {
		return 0, err
	}
	params, err := paddingOf(padding, flags)
	if err != nil {
		return 0, err
	}
	k1, err := c.container(container)
	if err != nil {
		return 0, err
	}
	if k1.spec.KeyType != ck.CKK_RSA || !k1.spec.Exchange {
		return 0, invalid("container %d has no RSA key for exchange", container)
	}
	alone := onlyUnwraps(ck.CKA_ENCRYPT, ck.CKA_DECRYPT, ck.CKA_SIGN, ck.CKA_VERIFY, ck.CKA_WRAP, ck.CKA_DERIVE)
	t := slices.Concat(confined(false), alone, attr.Template{
		boolean(ck.CKA_COPYABLE, false), number(ck.CKA_CLASS, uint(ck.CKO_SECRET_KEY)), number(ck.CKA_KEY_TYPE, uint(ck.CKK_AES)),
		{Type: ck.CKA_ALLOWED_MECHANISMS, Value: attr.ULong(uint(ck.CKM_NCRYPT_SKI_IMPORT_KEYPAIR))},
	})
	object, err := c.session.UnwrapKey(ck.Mechanism{Type: ck.CKM_NCRYPT_SKI_SESSION, Params: params}, k1.object, data, t)
	if err != nil {
		return 0, err
	}
	return c.keys.add(&key{object: object}), nil
}

// GetSharedKeyHandle is CardGetSharedKeyHandle: a key that the card and the server share already, an AES key of the token's whose CKA_ID input is. Its
// attributes say what it is for: one with CKA_UNWRAP alone and CKA_ALLOWED_MECHANISMS of CKM_NCRYPT_SKI_IMPORT_KEYPAIR brings key pairs in, one with
// CKA_DECRYPT PINs. How it came to the server is not for here. Nothing is given out.
func (c *Context) GetSharedKeyHandle(input []byte) (KeyHandle, error) {
	if err := c.enter("CardGetSharedKeyHandle"); err != nil {
		return 0, err
	}
	defer c.mu.Unlock()
	if c.session == nil {
		return 0, unsupported("without a card there is no key that it shares: a server gives its own to MDImportSessionKey")
	}
	if len(input) == 0 {
		return 0, invalid("the shared key's CKA_ID is needed")
	}
	found, err := c.find(number(ck.CKA_CLASS, uint(ck.CKO_SECRET_KEY)), number(ck.CKA_KEY_TYPE, uint(ck.CKK_AES)), boolean(ck.CKA_TOKEN, true),
		attr.Attribute{Type: ck.CKA_ID, Value: input})
	if err != nil {
		return 0, err
	}
	if len(found) != 1 {
		return 0, nte.Errorf(nte.SCARD_E_FILE_NOT_FOUND, "%d AES keys of the token have this CKA_ID", len(found))
	}
	return c.keys.add(&key{object: found[0], shared: true}), nil
}
