package vectors_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// generation has no known answers: what is generated must be what Go's own library takes, and never the same twice.
func generation(t *testing.T, tok *token) {
	mechanisms, err := tok.GetMechanismList(tok.slot)
	must(t, err)
	for _, m := range mechanisms {
		info, err := tok.GetMechanismInfo(tok.slot, []*pkcs11.Mechanism{m})
		must(t, err)
		if info.Flags&pkcs11.CKF_GENERATE != 0 {
			tok.generates(t, ck.MechanismType(m.Mechanism))
		}
	}
	tok.generatesRSA(t)
	tok.generatesEC(t)
	tok.generatesEdwards(t)
	tok.generatesMontgomery(t)
	tok.generatesKEM(t)
	tok.generatesMLDSA(t)
}

func (tok *token) generates(t *testing.T, m ck.MechanismType) {
	t.Helper()
	var values [2][]byte
	for i := range values {
		key, err := tok.GenerateKey(tok.h, tok.with(m, nil), []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, 32), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true),
		})
		if err != nil {
			t.Errorf("%v: %v", m, err)
			return
		}
		values[i] = tok.value(t, key, pkcs11.CKA_VALUE)
		tok.destroy(t, key)
	}
	if len(values[0]) != 32 || bytes.Equal(values[0], values[1]) || bytes.Count(values[0], []byte{0}) > 8 {
		t.Errorf("%v gives keys %x", m, values)
	}
}

func (tok *token) value(t *testing.T, object pkcs11.ObjectHandle, typ uint) []byte {
	t.Helper()
	attributes, err := tok.GetAttributeValue(tok.h, object, []*pkcs11.Attribute{pkcs11.NewAttribute(typ, nil)})
	must(t, err)
	return attributes[0].Value
}

func (tok *token) pair(t *testing.T, m ck.MechanismType, use uint, public ...*pkcs11.Attribute) (pkcs11.ObjectHandle, pkcs11.ObjectHandle) {
	t.Helper()
	a, b, err := tok.GenerateKeyPair(tok.h, tok.with(m, nil), public, uses(use))
	must(t, err)
	return a, b
}

func (tok *token) generatesRSA(t *testing.T) {
	public, private := tok.pair(t, ck.CKM_RSA_PKCS_KEY_PAIR_GEN, pkcs11.CKA_SIGN, pkcs11.NewAttribute(pkcs11.CKA_MODULUS_BITS, 3072))
	key := &rsa.PublicKey{
		N: new(big.Int).SetBytes(tok.value(t, public, pkcs11.CKA_MODULUS)),
		E: int(new(big.Int).SetBytes(tok.value(t, public, pkcs11.CKA_PUBLIC_EXPONENT)).Int64()),
	}
	if key.N.BitLen() != 3072 || key.E != 65537 {
		t.Errorf("a modulus of %d bits, exponent %d", key.N.BitLen(), key.E)
	}
	digest := sum256(nil)
	signature, err := tok.sign(tok.with(ck.CKM_RSA_PKCS_PSS, pssOf("CKM_SHA256_RSA_PKCS_PSS")), private, digest)
	must(t, err)
	if err := rsa.VerifyPSS(key, crypto.SHA256, digest, signature, nil); err != nil {
		t.Error(err)
	}
}

func (tok *token) generatesEC(t *testing.T) {
	for curve := range curveOIDs {
		public, private := tok.pair(t, ck.CKM_EC_KEY_PAIR_GEN, pkcs11.CKA_SIGN, params(t, curve))
		key, err := ecdsa.ParseUncompressedPublicKey(curve, tok.point(t, public))
		must(t, err)
		signature, err := tok.sign(tok.with(ck.CKM_ECDSA, nil), private, sum256(nil))
		must(t, err)
		half := len(signature) / 2
		if !ecdsa.Verify(key, sum256(nil), new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])) {
			t.Errorf("%s: the signature is not good", curve.Params().Name)
		}
	}
}

// point takes CKA_EC_POINT out of its OCTET STRING, where it is in one.
func (tok *token) point(t *testing.T, public pkcs11.ObjectHandle) []byte {
	t.Helper()
	value := tok.value(t, public, pkcs11.CKA_EC_POINT)
	var point []byte
	if rest, err := asn1.Unmarshal(value, &point); err == nil && len(rest) == 0 {
		return point
	}
	return value
}

func (tok *token) generatesEdwards(t *testing.T) {
	oid, err := asn1.Marshal(asn1.ObjectIdentifier{1, 3, 101, 112})
	must(t, err)
	public, private := tok.pair(t, ck.CKM_EC_EDWARDS_KEY_PAIR_GEN, pkcs11.CKA_SIGN, pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, oid))
	signature, err := tok.sign(tok.with(ck.CKM_EDDSA, nil), private, []byte("message"))
	must(t, err)
	if !ed25519.Verify(tok.point(t, public), []byte("message"), signature) {
		t.Error("the signature is not good")
	}
}

func (tok *token) generatesMontgomery(t *testing.T) {
	oid, err := asn1.Marshal(asn1.ObjectIdentifier{1, 3, 101, 110})
	must(t, err)
	public, private := tok.pair(t, ck.CKM_EC_MONTGOMERY_KEY_PAIR_GEN, pkcs11.CKA_DERIVE, pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, oid))
	theirs, err := ecdh.X25519().NewPublicKey(tok.point(t, public))
	must(t, err)
	ours, err := ecdh.X25519().GenerateKey(rand.Reader)
	must(t, err)
	want, err := ours.ECDH(theirs)
	must(t, err)
	key, err := tok.DeriveKey(tok.h, tok.with(ck.CKM_ECDH1_DERIVE, pkcs11.NewECDH1DeriveParams(uint(ck.CKD_NULL), nil, ours.PublicKey().Bytes())), private,
		[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
			pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true)})
	must(t, err)
	if got := tok.value(t, key, pkcs11.CKA_VALUE); !bytes.Equal(got, want) {
		t.Errorf("the token derives %x, Go %x", got, want)
	}
}
