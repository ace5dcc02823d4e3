package vectors_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// once remembers the key of the group that is being run, since an import costs more than a signature.
type once struct {
	g               *group
	public, private pkcs11.ObjectHandle
}

func (o *once) use(g *group, make func() (public, private pkcs11.ObjectHandle)) {
	if o.g == nil || !bytes.Equal(o.g.PublicKeyDER, g.PublicKeyDER) || !bytes.Equal(o.g.PrivateKeyPKCS8, g.PrivateKeyPKCS8) {
		o.g = g
		o.public, o.private = make()
	}
}

func rsaVectors(t *testing.T, tok *token) {
	for file, m := range map[string]ck.MechanismType{
		"rsa_signature_2048_sha224": ck.CKM_SHA224_RSA_PKCS, "rsa_signature_2048_sha256": ck.CKM_SHA256_RSA_PKCS,
		"rsa_signature_2048_sha384": ck.CKM_SHA384_RSA_PKCS, "rsa_signature_2048_sha512": ck.CKM_SHA512_RSA_PKCS,
		"rsa_signature_2048_sha3_224": ck.CKM_SHA3_224_RSA_PKCS, "rsa_signature_2048_sha3_256": ck.CKM_SHA3_256_RSA_PKCS,
		"rsa_signature_2048_sha3_384": ck.CKM_SHA3_384_RSA_PKCS, "rsa_signature_2048_sha3_512": ck.CKM_SHA3_512_RSA_PKCS,
		"rsa_signature_3072_sha512": ck.CKM_SHA512_RSA_PKCS, "rsa_signature_4096_sha256": ck.CKM_SHA256_RSA_PKCS,
	} {
		tok.verifies(t, file, func(*group) []*pkcs11.Mechanism { return tok.with(m, nil) })
	}
	for _, file := range []string{"rsa_pss_2048_sha1_mgf1_20", "rsa_pss_2048_sha256_mgf1_0", "rsa_pss_2048_sha256_mgf1_32", "rsa_pss_2048_sha256_mgf1sha1_20",
		"rsa_pss_2048_sha384_mgf1_48", "rsa_pss_3072_sha256_mgf1_32", "rsa_pss_4096_sha512_mgf1_64", "rsa_pss_misc"} {
		tok.verifies(t, file, func(g *group) []*pkcs11.Mechanism {
			h, mgf := hashes[strings.ReplaceAll(g.SHA, "-", "")], hashes[strings.ReplaceAll(g.MGFSHA, "-", "")]
			if h.size == 0 || mgf.size == 0 {
				return nil // a hash that the interface has no combined mechanism for
			}
			return tok.with(number(t, "CKM_"+strings.ReplaceAll(g.SHA, "-", "")+"_RSA_PKCS_PSS"), pkcs11.NewPSSParams(uint(h.mechanism), mgf.mgf, uint(g.SLen)))
		})
	}
	tok.tryRawPSS(t)
}

// verifies runs a file of signatures. Of those that are only acceptable, either answer is fine.
func (tok *token) verifies(t *testing.T, file string, m func(*group) []*pkcs11.Mechanism) {
	t.Helper()
	var key once
	each(t, file, func(t *testing.T, g *group, v *vector) {
		mechanism := m(g)
		if mechanism == nil {
			return
		}
		key.use(g, func() (public, private pkcs11.ObjectHandle) {
			return tok.importRSAPublic(t, publicKey[*rsa.PublicKey](t, g.PublicKeyDER)), 0
		})
		err := tok.verify(mechanism, key.public, v.Msg, v.Sig)
		if (v.Result == "valid" && err != nil) || (v.Result == "invalid" && err == nil) {
			t.Errorf("%v, of a signature that is %s", err, v.Result)
		}
	})
}

// tryRawPSS hashes here, and has the digest verified.
func (tok *token) tryRawPSS(t *testing.T) {
	var key once
	each(t, "rsa_pss_2048_sha256_mgf1_32", func(t *testing.T, g *group, v *vector) {
		key.use(g, func() (public, private pkcs11.ObjectHandle) {
			return tok.importRSAPublic(t, publicKey[*rsa.PublicKey](t, g.PublicKeyDER)), 0
		})
		err := tok.verify(tok.with(ck.CKM_RSA_PKCS_PSS, pssOf("CKM_SHA256_RSA_PKCS_PSS")), key.public, sum256(v.Msg), v.Sig)
		if (v.Result == "valid" && err != nil) || (v.Result == "invalid" && err == nil) {
			t.Errorf("%v, of a signature that is %s", err, v.Result)
		}
	})
}

func rsaEncryptionVectors(t *testing.T, tok *token) {
	for _, file := range []string{"rsa_oaep_2048_sha1_mgf1sha1", "rsa_oaep_2048_sha256_mgf1sha1", "rsa_oaep_2048_sha256_mgf1sha256",
		"rsa_oaep_2048_sha384_mgf1sha384", "rsa_oaep_2048_sha512_mgf1sha512", "rsa_oaep_3072_sha256_mgf1sha256"} {
		tok.decrypts(t, file, func(g *group, v *vector) []*pkcs11.Mechanism {
			h, mgf := hashes[strings.ReplaceAll(g.SHA, "-", "")], hashes[strings.ReplaceAll(g.MGFSHA, "-", "")]
			return tok.with(ck.CKM_RSA_PKCS_OAEP, pkcs11.NewOAEPParams(uint(h.mechanism), mgf.mgf, pkcs11.CKZ_DATA_SPECIFIED, v.Label))
		})
	}
	tok.decrypts(t, "rsa_pkcs1_2048", func(*group, *vector) []*pkcs11.Mechanism { return tok.with(ck.CKM_RSA_PKCS, nil) })
}

// decrypts runs a file of ciphertexts. One that is invalid gives an error or, as v1.5 padding may, something else than the message.
func (tok *token) decrypts(t *testing.T, file string, m func(*group, *vector) []*pkcs11.Mechanism) {
	t.Helper()
	var key once
	each(t, file, func(t *testing.T, g *group, v *vector) {
		key.use(g, func() (public, private pkcs11.ObjectHandle) {
			parsed, err := x509.ParsePKCS8PrivateKey(g.PrivateKeyPKCS8)
			must(t, err)
			return tok.importRSA(t, parsed.(*rsa.PrivateKey))
		})
		plain, err := tok.decrypt(m(g, v), key.private, v.CT)
		switch {
		case v.Result == "valid" && (err != nil || !bytes.Equal(plain, v.Msg)):
			t.Errorf("decrypted to %x, %v", plain, err)
		case v.Result == "invalid" && err == nil && (!strings.HasPrefix(file, "rsa_pkcs1") || len(v.Msg) > 0 && bytes.Equal(plain, v.Msg)):
			t.Errorf("an invalid ciphertext was decrypted")
		}
	})
}
