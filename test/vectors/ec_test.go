package vectors_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

func sum256(b []byte) []byte {
	h := sha256.Sum256(b)
	return h[:]
}

func sum384(b []byte) []byte {
	h := sha512.Sum384(b)
	return h[:]
}

func sum512(b []byte) []byte {
	h := sha512.Sum512(b)
	return h[:]
}

// ecdsaVectors takes each file twice: hashed by the token, and hashed here.
func ecdsaVectors(t *testing.T, tok *token) {
	for file, c := range map[string]struct {
		m    ck.MechanismType
		hash func([]byte) []byte
	}{
		"ecdsa_secp256r1_sha256_p1363": {ck.CKM_ECDSA_SHA256, sum256}, "ecdsa_secp256r1_sha512_p1363": {ck.CKM_ECDSA_SHA512, sum512},
		"ecdsa_secp384r1_sha384_p1363": {ck.CKM_ECDSA_SHA384, sum384}, "ecdsa_secp521r1_sha512_p1363": {ck.CKM_ECDSA_SHA512, sum512},
	} {
		var key once
		each(t, file, func(t *testing.T, g *group, v *vector) {
			key.use(g, func() (public, private pkcs11.ObjectHandle) {
				return tok.importECPublic(t, publicKey[*ecdsa.PublicKey](t, g.PublicKeyDER)), 0
			})
			judge(t, v, tok.verify(tok.with(c.m, nil), key.public, v.Msg, v.Sig))
			judge(t, v, tok.verify(tok.with(ck.CKM_ECDSA, nil), key.public, c.hash(v.Msg), v.Sig))
		})
	}
}

// judge holds a verification to what the vector says. PKCS #11 lets r and s be shorter than the order, both alike, which Wycheproof calls invalid.
func judge(t *testing.T, v *vector, err error) {
	t.Helper()
	if v.Result == "valid" && err != nil || v.Result == "invalid" && err == nil && !v.has("SignatureSize") {
		t.Errorf("%v, of a signature that is %s", err, v.Result)
	}
}

func eddsaVectors(t *testing.T, tok *token) {
	oid, err := asn1.Marshal(asn1.ObjectIdentifier{1, 3, 101, 112})
	must(t, err)
	var key once
	each(t, "ed25519", func(t *testing.T, g *group, v *vector) {
		key.use(g, func() (public, private pkcs11.ObjectHandle) {
			public, err := tok.object(pkcs11.CKO_PUBLIC_KEY, uint(ck.CKK_EC_EDWARDS), append(uses(pkcs11.CKA_VERIFY), pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, oid),
				pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, []byte(publicKey[ed25519.PublicKey](t, g.PublicKeyDER))))...)
			must(t, err)
			return public, 0
		})
		judge(t, v, tok.verify(tok.with(ck.CKM_EDDSA, nil), key.public, v.Msg, v.Sig))
	})
}

func ecdhVectors(t *testing.T, tok *token) {
	for file, curve := range map[string]elliptic.Curve{
		"ecdh_secp256r1_ecpoint": elliptic.P256(), "ecdh_secp384r1_ecpoint": elliptic.P384(), "ecdh_secp521r1_ecpoint": elliptic.P521(),
	} {
		for _, m := range []ck.MechanismType{ck.CKM_ECDH1_DERIVE, ck.CKM_ECDH1_COFACTOR_DERIVE} {
			each(t, file, func(t *testing.T, _ *group, v *vector) {
				tok.ecdh(t, v, m, pkcs11.CKK_EC, params(t, curve), fit(v.Private, curve))
			})
		}
	}
	oid, err := asn1.Marshal(asn1.ObjectIdentifier{1, 3, 101, 110})
	must(t, err)
	each(t, "x25519", func(t *testing.T, _ *group, v *vector) {
		tok.ecdh(t, v, ck.CKM_ECDH1_DERIVE, uint(ck.CKK_EC_MONTGOMERY), pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, oid), v.Private)
	})
}

// fit cuts the leading zero that some of Wycheproof's numbers have, and adds those that some lack.
func fit(scalar []byte, curve elliptic.Curve) []byte {
	scalar = bytes.TrimLeft(scalar, "\x00")
	return append(make([]byte, (curve.Params().BitSize+7)/8-len(scalar)), scalar...)
}

func (tok *token) ecdh(t *testing.T, v *vector, m ck.MechanismType, keyType uint, params *pkcs11.Attribute, scalar []byte) {
	t.Helper()
	if len(v.Public) == 0 {
		return // the client cannot pass it
	}
	base, err := tok.object(pkcs11.CKO_PRIVATE_KEY, keyType, append(uses(pkcs11.CKA_DERIVE), params, pkcs11.NewAttribute(pkcs11.CKA_VALUE, scalar))...)
	must(t, err)
	defer tok.destroy(t, base)
	key, err := tok.DeriveKey(tok.h, tok.with(m, pkcs11.NewECDH1DeriveParams(uint(ck.CKD_NULL), nil, v.Public)), base, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true),
	})
	if err != nil {
		if v.Result == "valid" {
			t.Error(err)
		}
		return
	}
	defer tok.destroy(t, key)
	if v.Result == "invalid" {
		t.Error("an invalid point gave a secret")
		return
	}
	value, err := tok.GetAttributeValue(tok.h, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
	if err != nil || !bytes.Equal(value[0].Value, v.Shared) {
		t.Errorf("another secret, %v", err)
	}
}
