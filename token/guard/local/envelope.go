package local

import (
	"crypto/aes"
	"crypto/des"
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Envelopes of NCrypt's: a key under a content key that is under RSA. Both come out here, and nowhere else.

// envelopes are the ways to open them. usage is what the key comes in for (NCRYPT_ALLOW_*); nil: nothing is said.
var envelopes = map[mech.Primitive]func(r *rsaKey, s *mech.Scheme, wrapped []byte, p *guard.Policy) (m material, usage *uint32, err error){
	mech.IsolatedEnvelope: openIsolated,
	mech.PKCS7Envelope:    openPKCS7,
	mech.NCryptBlob:       openNothing,
}

// openNothing: the token puts the mechanism that opens blobs of the type in the place of the one that names the type.
func openNothing(*rsaKey, *mech.Scheme, []byte, *guard.Policy) (material, *uint32, error) {
	return nil, nil, ck.Errorf(ck.CKR_MECHANISM_INVALID, "a guard is told which mechanism opens the blob")
}

// takeOut is Unwrap for envelopes. What the key is for comes with its public half, as CKA_NCRYPT_KEY_USAGE; the key does no more, now and under any other policy.
func (g *Keys) takeOut(v guard.Vault, k *key, s *mech.Scheme, wrapped []byte, p *guard.Policy) (*guard.Key, error) {
	r, ok := k.material.(*rsaKey)
	if !ok {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	m, usage, err := envelopes[s.Row.Primitive](r, s, wrapped, p)
	if err != nil {
		return nil, unwrapError(err)
	}
	taken := newKey(v, m, clonePolicy(p))
	if usage != nil && *usage != plan.NCRYPT_ALLOW_ALL_USAGES {
		taken.policy.Bounded, taken.policy.Most = true, usageOf(p, *usage)
		taken.policy.Usage &= taken.policy.Most
	}
	made, err := g.admitKey(taken)
	if err != nil {
		return nil, err
	}
	if usage != nil {
		made.Public = append(made.Public, guard.Part{Type: ck.CKA_NCRYPT_KEY_USAGE, Value: attr.ULong(uint(*usage))})
	}
	return made, nil
}

// openIsolated opens an NCRYPT_ISOLATED_KEY_ENVELOPED_BLOB. Who made it made it for a key that is isolated, and said what that may do: a template that lets the key
// leave, or do more, is refused here, where no program can do without it.
func openIsolated(r *rsaKey, _ *mech.Scheme, wrapped []byte, p *guard.Policy) (material, *uint32, error) {
	e, err := blob.ParseIsolated(wrapped)
	if err != nil {
		return nil, nil, ck.Errorf(ck.CKR_WRAPPED_KEY_INVALID, "%w", err)
	}
	const aesName = "AES"
	switch {
	case p.Extractable || !p.Sensitive:
		return nil, nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a key that comes as an isolated one is sensitive and not extractable")
	case p.Usage&^usageOf(p, e.Usage) != 0:
		return nil, nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "the key comes in for usage %#x and no more", e.Usage)
	case (e.Algorithm == aesName) != (p.Class == ck.CKO_SECRET_KEY && p.KeyType == ck.CKK_AES) || e.Algorithm != aesName && p.Class != ck.CKO_PRIVATE_KEY:
		return nil, nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "the key in the envelope is of another class or type: %q", e.Algorithm)
	case len(e.WrappingKey) != r.raw.size():
		return nil, nil, ck.CKR_WRAPPED_KEY_LEN_RANGE
	}
	oaep := &mech.Scheme{Row: mech.Lookup(ck.CKM_RSA_PKCS_OAEP), Hash: mech.SHA256, MGFHash: mech.SHA256}
	value, err := r.decryptOAEP(nil, oaep, e.WrappingKey)
	if err != nil {
		return nil, nil, err
	}
	content, err := newSecretKey(ck.CKK_AES, secret.From(value)) // which closes it
	if err != nil {
		return nil, nil, ck.CKR_WRAPPED_KEY_INVALID
	}
	defer content.wipe()
	gcm := &mech.Scheme{IV: e.Nonce, AAD: e.Authenticated, TagLen: gcmTagLen}
	opened, err := openGCM(content, nil, gcm, slices.Concat(e.Key, e.Tag))
	if err != nil {
		return nil, nil, err
	}
	plain := secret.From(opened)
	defer plain.Close()
	if p.Class == ck.CKO_SECRET_KEY {
		m, err := materialOf(p.Class, p.KeyType, plain)
		return m, &e.Usage, wrappedKeyError(err)
	}
	m, said, err := privateKeyOf(p.KeyType, plain.Bytes(), false)
	if said != nil {
		e.Usage &= *said
	}
	return m, &e.Usage, err
}

// usageOf is what a policy may have of NCrypt's usage.
func usageOf(p *guard.Policy, usage uint32) guard.Usage {
	var most guard.Usage
	for _, a := range plan.UsageAttributes(p.Class, p.KeyType, usage) {
		if slices.Equal(a.Value, attr.Bool(true)) {
			most |= guard.UsageOf(a.Type)
		}
	}
	return most
}

// openPKCS7 opens an EnvelopedData for the first of its recipients that the key could be. Whatever is wrong has one answer: of a content key that PKCS #1 v1.5 does
// not open some key comes out, so that nobody learns from an envelope of his making what is in another's.
func openPKCS7(r *rsaKey, s *mech.Scheme, wrapped []byte, p *guard.Policy) (material, *uint32, error) {
	e, err := blob.ParseEnveloped(wrapped)
	if err != nil {
		return nil, nil, ck.Errorf(ck.CKR_WRAPPED_KEY_INVALID, "%w", err)
	}
	if p.Class != ck.CKO_PRIVATE_KEY {
		return nil, nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "envelopes of PKCS #7 have private keys in them")
	}
	if len(s.Context) != 0 {
		c, err := blob.ParseCertificate(s.Context)
		if err != nil {
			return nil, nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "the recipient's certificate: %w", err)
		}
		e.Recipients = slices.DeleteFunc(e.Recipients, func(to blob.Recipient) bool { return !to.Names(c) })
	}
	for i := range e.Recipients {
		plain := openContent(r, e, &e.Recipients[i])
		if plain == nil {
			continue
		}
		m, usage, err := privateKeyOf(p.KeyType, plain.Bytes(), true)
		plain.Close()
		if err == nil {
			return m, usage, nil
		}
	}
	return nil, nil, ck.CKR_WRAPPED_KEY_INVALID
}

// contentHashes are those of OAEP, by CNG's names.
var contentHashes = map[string]mech.Hash{"SHA1": mech.SHA1, "SHA256": mech.SHA256, "SHA384": mech.SHA384, "SHA512": mech.SHA512}

// openContent opens what is in an envelope by a recipient's key, nil where it does not.
func openContent(r *rsaKey, e *blob.Enveloped, to *blob.Recipient) *secret.Bytes {
	if len(to.Key) != r.raw.size() {
		return nil
	}
	var opened []byte
	var err error
	if to.Hash == "" {
		opened, err = r.decryptPKCS1(nil, to.Key, []int{e.Cipher.KeyLen})
	} else {
		scheme := &mech.Scheme{Row: mech.Lookup(ck.CKM_RSA_PKCS_OAEP), Hash: contentHashes[to.Hash], MGFHash: contentHashes[to.MGF], Label: to.Label}
		opened, err = r.decryptOAEP(nil, scheme, to.Key)
	}
	if err != nil {
		return nil
	}
	defer secret.Wipe(opened)
	if len(opened) != e.Cipher.KeyLen {
		return nil
	}
	cipherOf := des.NewTripleDESCipher
	if e.Cipher.AES {
		cipherOf = aes.NewCipher
	}
	block, err := cipherOf(opened)
	if err != nil {
		return nil
	}
	plain, ok := blob.OpenCBC(block, e.IV, e.Data)
	if !ok {
		return nil
	}
	return plain
}

// privateKeyOf takes in a PrivateKeyInfo as CNG reads it, with attributes that say what the key is for, or as this guard does; or, where it can be one, the
// CNG blob that envelopes have in them, too.
func privateKeyOf(keyType ck.KeyType, plain []byte, orBlob bool) (material, *uint32, error) {
	k, err := blob.ReadPrivateKeyInfo(plain, &blob.Options{})
	if err != nil && orBlob {
		k, err = blob.Read("RSAPRIVATEBLOB", plain, nil)
	}
	if err != nil {
		m, err := parsePKCS8(keyType, plain)
		return m, nil, wrappedKeyError(err)
	}
	defer k.Close()
	if k.KeyType != keyType {
		return nil, nil, ck.CKR_WRAPPED_KEY_INVALID
	}
	given := &guard.Material{Class: ck.CKO_PRIVATE_KEY, KeyType: keyType}
	for _, a := range k.Parts() {
		given.Parts = append(given.Parts, guard.Part{Type: a.Type, Value: a.Value})
	}
	m, err := importMaterial(given)
	return m, k.Usage, wrappedKeyError(err)
}

// wrappedKeyError says of what came out of an envelope no more than that it is no key.
func wrappedKeyError(err error) error {
	if err != nil {
		return ck.CKR_WRAPPED_KEY_INVALID
	}
	return nil
}
