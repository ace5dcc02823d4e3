package blob_test

import (
	"bytes"
	"testing"

	"filippo.io/mldsa"
	"filippo.io/mldsa/x509"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// pqInfo is a PrivateKeyInfo of an algorithm of NIST's, 2.16.840.1.101.3.4.FAMILY.SET.
func pqInfo(t *testing.T, family, set byte, key func(*cryptobyte.Builder)) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes([]byte{6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, family, set}) })
		b.AddASN1(asn1.OCTET_STRING, key)
	})
	return b.BytesOrPanic()
}

// The three forms of RFC 9881 and RFC 9935, section 6, of every parameter set; and back.
func TestPQPrivateKeyInfo(t *testing.T) {
	for _, set := range []struct {
		algorithm      string
		keyType        ck.KeyType
		number         uint
		family, arc    byte
		seed, expanded int
	}{
		{"ML-DSA", ck.CKK_ML_DSA, 1, 3, 17, 32, 2560}, {"ML-DSA", ck.CKK_ML_DSA, 2, 3, 18, 32, 4032}, {"ML-DSA", ck.CKK_ML_DSA, 3, 3, 19, 32, 4896},
		{"ML-KEM", ck.CKK_ML_KEM, 1, 4, 1, 64, 1632}, {"ML-KEM", ck.CKK_ML_KEM, 2, 4, 2, 64, 2400}, {"ML-KEM", ck.CKK_ML_KEM, 3, 4, 3, 64, 3168},
	} {
		seed, expanded := bytes.Repeat([]byte{0x5e}, set.seed), bytes.Repeat([]byte{0xe5}, set.expanded)
		tag := asn1.Tag(0).ContextSpecific()
		forms := map[string]struct {
			key                  func(*cryptobyte.Builder)
			wantSeed, wantTheKey []byte
		}{
			"seed":        {func(b *cryptobyte.Builder) { b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(seed) }) }, seed, nil},
			"written out": {func(b *cryptobyte.Builder) { b.AddASN1OctetString(expanded) }, nil, expanded},
			"both": {func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1OctetString(seed); b.AddASN1OctetString(expanded) })
			}, seed, expanded},
		}
		for name, form := range forms {
			der := pqInfo(t, set.family, set.arc, form.key)
			k, err := blob.Read(blob.PKCS8, der, &blob.Options{})
			if err != nil {
				t.Errorf("%s %d, %s: %v", set.algorithm, set.number, name, err)
				continue
			}
			number, _ := attr.ParseULong(k.Get(ck.CKA_PARAMETER_SET))
			if k.Algorithm != set.algorithm || k.KeyType != set.keyType || number != set.number ||
				!bytes.Equal(k.Get(ck.CKA_SEED), form.wantSeed) || !bytes.Equal(k.Get(ck.CKA_VALUE), form.wantTheKey) {
				t.Errorf("%s %d, %s: it is another key", set.algorithm, set.number, name)
			}
			out, err := blob.Write(blob.PKCS8, k, nil)
			if err != nil || !out.Equal(der) {
				t.Errorf("%s %d, %s: written as something else, %v", set.algorithm, set.number, name, err)
			}
			k.Close()
		}
		for name, key := range map[string]func(*cryptobyte.Builder){
			"a short seed":    func(b *cryptobyte.Builder) { b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(seed[1:]) }) },
			"no seed":         func(b *cryptobyte.Builder) { b.AddASN1(tag, func(*cryptobyte.Builder) {}) },
			"a short key":     func(b *cryptobyte.Builder) { b.AddASN1OctetString(expanded[1:]) },
			"nothing in both": func(b *cryptobyte.Builder) { b.AddASN1(asn1.SEQUENCE, func(*cryptobyte.Builder) {}) },
			"half of both": func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1OctetString(seed) })
			},
			"more than the seed": func(b *cryptobyte.Builder) { forms["seed"].key(b); b.AddASN1Int64(1) },
		} {
			_, err := blob.Read(blob.PKCS8, pqInfo(t, set.family, set.arc, key), &blob.Options{})
			want(t, set.algorithm+", "+name, err, nte.NTE_BAD_DATA)
		}
	}
	_, err := blob.Read(blob.PKCS8, pqInfo(t, 3, 20, func(b *cryptobyte.Builder) { b.AddASN1OctetString(make([]byte, 64)) }), &blob.Options{})
	want(t, "SLH-DSA", err, nte.NTE_NOT_SUPPORTED)
}

// Others read it.
func TestPQPrivateKeyInfoOfOthers(t *testing.T) {
	key, err := mldsa.GenerateKey(mldsa.MLDSA44())
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	k, err := blob.Read(blob.PKCS8, der, &blob.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	out, err := blob.Write(blob.PKCS8, k, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	again, err := x509.ParsePKCS8PrivateKey(out.Bytes())
	if other, ok := again.(*mldsa.PrivateKey); err != nil || !ok || !other.Equal(key) {
		t.Errorf("%T, %v", again, err)
	}
}
