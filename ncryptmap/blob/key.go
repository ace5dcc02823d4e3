package blob

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Key is a key as a blob has it. Close wipes it.
type Key struct {
	Algorithm string         // CNG's name: RSA, ECDSA_P256, ECDH_P384, ECDSA, ECDH, DSA, DH, AES, ...
	Class     ck.ObjectClass // CKO_PUBLIC_KEY, CKO_PRIVATE_KEY or CKO_SECRET_KEY
	KeyType   ck.KeyType
	Usage     *uint32 // what the blob says that the key is for (NCRYPT_ALLOW_*); nil: it says nothing
	Name      string  // what the blob says that the key is called; empty: it says nothing
	Public    []byte  // the public value of a DH or DSA key that is private, for which PKCS #11 has no attribute; nil: not known
	Domain    *Domain // how the parameters of a DSA key were made; nil: not known

	parts   attr.Template
	secrets []*secret.Bytes
}

// Parts are the key's numbers, named by the attributes that PKCS #11 gives them: big-endian and without leading zeros, points uncompressed, those of curve25519
// and of post-quantum keys as their standards encode them. Values are wiped by Close.
func (k *Key) Parts() attr.Template { return k.parts }

// Get gives one of the numbers, nil where the key has it not.
func (k *Key) Get(typ ck.AttributeType) []byte {
	value, _ := k.parts.Find(typ)
	return value
}

// Put adds a number that everybody may know. The value is copied.
func (k *Key) Put(typ ck.AttributeType, value []byte) {
	k.parts = append(k.parts, attr.Attribute{Type: typ, Value: slices.Clone(value)})
}

// PutSecret adds a number that nobody may know. The value is copied; the caller wipes its own.
func (k *Key) PutSecret(typ ck.AttributeType, value []byte) { k.own(typ, secret.Copy(value)) }

// put adds a number that everybody may know, or nobody.
func (k *Key) put(typ ck.AttributeType, value []byte, isSecret bool) {
	if isSecret {
		k.PutSecret(typ, value)
		return
	}
	k.Put(typ, value)
}

// own adds a secret number without a copy.
func (k *Key) own(typ ck.AttributeType, s *secret.Bytes) {
	k.secrets = append(k.secrets, s)
	k.parts = append(k.parts, attr.Attribute{Type: typ, Value: s.Bytes()})
}

// Close wipes the secret numbers.
func (k *Key) Close() {
	if k == nil {
		return
	}
	for _, s := range k.secrets {
		s.Close()
	}
	k.parts, k.secrets = nil, nil
}

// newKey is a key without numbers.
func newKey(algorithm string, keyType ck.KeyType, private bool) *Key {
	k := &Key{Algorithm: algorithm, Class: ck.CKO_PUBLIC_KEY, KeyType: keyType}
	if private {
		k.Class = ck.CKO_PRIVATE_KEY
	}
	return k
}

// checked gives a key of which all was read, if all of it was there.
func (k *Key) checked(r *reader) (*Key, error) {
	if err := r.end(); err != nil {
		k.Close()
		return nil, err
	}
	for _, part := range k.parts {
		if len(part.Value) == 0 {
			k.Close()
			return nil, nte.Errorf(nte.NTE_BAD_DATA, "%v is missing from the blob, or zero", part.Type)
		}
	}
	return k, nil
}
