package vectors_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"

	"github.com/miekg/pkcs11"
)

// importRSA makes both objects of an RSA key.
func (tok *token) importRSA(t *testing.T, key *rsa.PrivateKey) (public, private pkcs11.ObjectHandle) {
	t.Helper()
	e := big.NewInt(int64(key.E)).Bytes()
	private, err := tok.object(pkcs11.CKO_PRIVATE_KEY, pkcs11.CKK_RSA, append(uses(pkcs11.CKA_SIGN, pkcs11.CKA_DECRYPT, pkcs11.CKA_UNWRAP, pkcs11.CKA_SIGN_RECOVER),
		pkcs11.NewAttribute(pkcs11.CKA_MODULUS, key.N.Bytes()), pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, e),
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE_EXPONENT, key.D.Bytes()),
		pkcs11.NewAttribute(pkcs11.CKA_PRIME_1, key.Primes[0].Bytes()), pkcs11.NewAttribute(pkcs11.CKA_PRIME_2, key.Primes[1].Bytes()),
		pkcs11.NewAttribute(pkcs11.CKA_EXPONENT_1, key.Precomputed.Dp.Bytes()), pkcs11.NewAttribute(pkcs11.CKA_EXPONENT_2, key.Precomputed.Dq.Bytes()),
		pkcs11.NewAttribute(pkcs11.CKA_COEFFICIENT, key.Precomputed.Qinv.Bytes()))...)
	must(t, err)
	return tok.importRSAPublic(t, &key.PublicKey), private
}

func (tok *token) importRSAPublic(t *testing.T, key *rsa.PublicKey) pkcs11.ObjectHandle {
	t.Helper()
	public, err := tok.object(pkcs11.CKO_PUBLIC_KEY, pkcs11.CKK_RSA, append(uses(pkcs11.CKA_VERIFY, pkcs11.CKA_ENCRYPT, pkcs11.CKA_WRAP),
		pkcs11.NewAttribute(pkcs11.CKA_MODULUS, key.N.Bytes()), pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, big.NewInt(int64(key.E)).Bytes()))...)
	must(t, err)
	return public
}

// curveOIDs are values of CKA_EC_PARAMS.
var curveOIDs = map[elliptic.Curve]asn1.ObjectIdentifier{
	elliptic.P256(): {1, 2, 840, 10045, 3, 1, 7}, elliptic.P384(): {1, 3, 132, 0, 34}, elliptic.P521(): {1, 3, 132, 0, 35},
}

func params(t *testing.T, curve elliptic.Curve) *pkcs11.Attribute {
	t.Helper()
	oid, err := asn1.Marshal(curveOIDs[curve])
	must(t, err)
	return pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, oid)
}

func (tok *token) importEC(t *testing.T, key *ecdsa.PrivateKey) (public, private pkcs11.ObjectHandle) {
	t.Helper()
	scalar, err := key.Bytes()
	must(t, err)
	private, err = tok.object(pkcs11.CKO_PRIVATE_KEY, pkcs11.CKK_EC, append(uses(pkcs11.CKA_SIGN, pkcs11.CKA_DERIVE),
		params(t, key.Curve), pkcs11.NewAttribute(pkcs11.CKA_VALUE, scalar))...)
	must(t, err)
	return tok.importECPublic(t, &key.PublicKey), private
}

func (tok *token) importECPublic(t *testing.T, key *ecdsa.PublicKey) pkcs11.ObjectHandle {
	t.Helper()
	point, err := key.Bytes()
	must(t, err)
	der, err := asn1.Marshal(point)
	must(t, err)
	public, err := tok.object(pkcs11.CKO_PUBLIC_KEY, pkcs11.CKK_EC, append(uses(pkcs11.CKA_VERIFY), params(t, key.Curve), pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, der))...)
	must(t, err)
	return public
}

// publicKey reads the SubjectPublicKeyInfo of a group.
func publicKey[K any](t *testing.T, der []byte) K {
	t.Helper()
	key, err := x509.ParsePKIXPublicKey(der)
	must(t, err)
	k, ok := key.(K)
	if !ok {
		t.Fatalf("a key of type %T", key)
	}
	return k
}
