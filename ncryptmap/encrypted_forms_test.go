package ncryptmap_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
)

// The structures of RFC 5208 and RFC 5915, to make keys of forms that nothing writes.
type (
	algorithm struct {
		OID        asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	info struct {
		Version    int
		Algorithm  algorithm
		Key        []byte
		Attributes []attribute `asn1:"optional,tag:0,set"`
	}
	attribute struct {
		OID    asn1.ObjectIdentifier
		Values []asn1.BitString `asn1:"set"`
	}
	ecKey struct {
		Version    int
		Key        []byte
		Parameters asn1.RawValue  `asn1:"optional,explicit,tag:0"`
		Public     asn1.BitString `asn1:"optional,explicit,tag:1"`
	}
)

func der(t testing.TB, value any) []byte {
	t.Helper()
	out, err := asn1.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// changed takes a key's PKCS #8 apart, lets it be changed, and puts it together.
func changed(t testing.TB, pkcs8 []byte, change func(*info, *ecKey)) []byte {
	t.Helper()
	var outer info
	if _, err := asn1.Unmarshal(pkcs8, &outer); err != nil {
		t.Fatal(err)
	}
	var inner ecKey
	if _, err := asn1.Unmarshal(outer.Key, &inner); err == nil {
		change(&outer, &inner)
		outer.Key = der(t, inner)
	} else {
		change(&outer, nil)
	}
	return der(t, outer)
}

// described has the key's curve described and not named.
func described(t testing.TB, pkcs8 []byte) []byte {
	ec := openssl(t, map[string][]byte{"key": pkcs8}, "ec", "ec", "-inform", "DER", "-in", "key", "-param_enc", "explicit", "-outform", "DER", "-out", "ec")
	return openssl(t, map[string][]byte{"ec": ec}, "out", "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-in", "ec", "-outform", "DER", "-out", "out")
}

func TestB42B43B44PublicKeysInPKCS8(t *testing.T) {
	s := open(t, t.TempDir())
	for name, curve := range map[string]string{"P-256": "ECDH_P256", "P-384": "ECDH_P384", "P-521": "ECDH_P521"} {
		key := samples()[name]
		whole := pkcs8(t, key)
		explicit := described(t, whole)
		for what, data := range map[string][]byte{
			"B42: no public key":                        changed(t, whole, func(_ *info, ec *ecKey) { ec.Public = asn1.BitString{} }),
			"B43: another's public key":                 changed(t, whole, func(_ *info, ec *ecKey) { ec.Public.Bytes[5] ^= 1 }),
			"B44: explicit parameters and a public key": explicit,
			"B44: explicit parameters and zeros":        changed(t, explicit, func(_ *info, ec *ecKey) { clear(ec.Public.Bytes) }),
		} {
			h := s.took("PKCS8_PRIVATEKEY", nil, data, 0)
			s.isKey(h, key)
			got, err := s.GetProperty(h, ncryptmap.NCRYPT_ALGORITHM_PROPERTY, 0)
			s.must(err)
			if !bytes.Equal(got, utf16z(curve)) {
				t.Errorf("%s: %s: algorithm %q", what, name, got)
			}
		}
		for what, data := range map[string][]byte{
			"B44: explicit parameters, no public key": changed(t, explicit, func(_ *info, ec *ecKey) { ec.Public = asn1.BitString{} }),
			"B44: a generator of somebody's choice":   bytes.Replace(explicit, generator(key.(*ecdsa.PrivateKey)), make([]byte, len(generator(key.(*ecdsa.PrivateKey)))), 1),
		} {
			_, err := s.ImportKey(s.provider, 0, "PKCS8_PRIVATEKEY", nil, data, 0)
			s.want(what, err, nte.NTE_NOT_SUPPORTED)
		}
	}
}

func generator(key *ecdsa.PrivateKey) []byte { return key.Curve.Params().Gx.Bytes() }

// withUsage has the key's attributes say what it is for.
func withUsage(t testing.TB, pkcs8 []byte, bits ...int) []byte {
	return changed(t, pkcs8, func(outer *info, _ *ecKey) {
		value := asn1.BitString{}
		for _, bit := range bits {
			for len(value.Bytes) <= bit/8 {
				value.Bytes = append(value.Bytes, 0)
			}
			value.Bytes[bit/8] |= 0x80 >> (bit % 8)
			value.BitLength = max(value.BitLength, bit+1)
		}
		outer.Attributes = []attribute{{asn1.ObjectIdentifier{2, 5, 29, 15}, []asn1.BitString{value}}}
	})
}

func TestB77cB77dKeyUsageInPKCS8(t *testing.T) {
	s := open(t, t.TempDir())
	whole := pkcs8(t, samples()["RSA"])
	for _, test := range []struct {
		name string
		bits []int
		want uint32
		back []int // written
	}{
		{"digitalSignature", []int{0}, plan.NCRYPT_ALLOW_SIGNING_FLAG, []int{0}},
		{"keyCertSign", []int{5}, plan.NCRYPT_ALLOW_SIGNING_FLAG, []int{0}},
		{"cRLSign", []int{6}, plan.NCRYPT_ALLOW_SIGNING_FLAG, []int{0}},
		{"keyEncipherment", []int{2}, plan.NCRYPT_ALLOW_DECRYPT_FLAG, []int{3}},
		{"dataEncipherment", []int{3}, plan.NCRYPT_ALLOW_DECRYPT_FLAG, []int{3}},
		{"decipherOnly", []int{8}, plan.NCRYPT_ALLOW_DECRYPT_FLAG, []int{3}},
		{"keyAgreement and more", []int{0, 4}, plan.NCRYPT_ALLOW_KEY_AGREEMENT_FLAG | plan.NCRYPT_ALLOW_SIGNING_FLAG, []int{0, 4}},
		{"nonRepudiation", []int{1}, 0, nil},
		{"none", nil, 0, nil},
	} {
		h := s.took("PKCS8_PRIVATEKEY", nil, withUsage(t, whole, test.bits...), 0)
		if got := s.dword(h, ncryptmap.NCRYPT_KEY_USAGE_PROPERTY); got != test.want {
			t.Errorf("%s: usage %#x, want %#x", test.name, got, test.want)
		}
		_, err := s.SignHash(h, &ncryptmap.Padding{}, make([]byte, 32), ncryptmap.NCRYPT_PAD_PKCS1_FLAG)
		s.want(test.name+": sign", err, map[bool]nte.Status{false: nte.NTE_PERM}[test.want&plan.NCRYPT_ALLOW_SIGNING_FLAG != 0])
		if !bytes.Equal(s.plaintext(h), withUsage(t, whole, test.back...)) {
			t.Errorf("%s: the attribute is not written as it should be", test.name)
		}
	}
	all := s.took("PKCS8_PRIVATEKEY", nil, whole, 0)
	if got := s.dword(all, ncryptmap.NCRYPT_KEY_USAGE_PROPERTY); got != plan.NCRYPT_ALLOW_ALL_USAGES || !bytes.Equal(s.plaintext(all), whole) {
		t.Errorf("usage %#x, or an attribute where none belongs", got)
	}
	for name, damage := range map[string]func(*info){
		"two of them": func(i *info) { i.Attributes = slices.Repeat(i.Attributes, 2) },
		"no value":    func(i *info) { i.Attributes[0].Values = nil },
	} {
		data := changed(t, withUsage(t, whole, 0), func(i *info, _ *ecKey) { damage(i) })
		_, err := s.ImportKey(s.provider, 0, "PKCS8_PRIVATEKEY", nil, data, 0)
		s.want(name, err, nte.NTE_BAD_DATA)
	}
	// Under a password, too, what the key is for is not lost.
	h := s.took("PKCS8_PRIVATEKEY", nil, withUsage(t, pkcs8(t, samples()["P-256"]), 0), 0)
	s.must(s.set(h, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, plan.NCRYPT_ALLOW_EXPORT_FLAG))
	password := with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, "x", ncryptmap.NCRYPTBUFFER_PKCS_ALG_PARAM, rounds(1, "salt"))
	encrypted, err := s.ExportKey(h, 0, "PKCS8_PRIVATEKEY", password, 0)
	s.must(err)
	defer encrypted.Close()
	again := s.took("PKCS8_PRIVATEKEY", password, encrypted.Bytes(), 0)
	if got := s.dword(again, ncryptmap.NCRYPT_KEY_USAGE_PROPERTY); got != plan.NCRYPT_ALLOW_SIGNING_FLAG {
		t.Errorf("under a password: usage %#x", got)
	}
}

func TestB46NoKeyValidation(t *testing.T) {
	s := open(t, t.TempDir())
	key := samples()["RSA"].(*rsa.PrivateKey)
	wrong := *key
	wrong.N = new(big.Int).Add(key.N, big.NewInt(2))
	for blobType, data := range map[string][]byte{
		"PKCS8_PRIVATEKEY":   changed(t, pkcs8(t, key), func(i *info, _ *ecKey) { i.Key = bytes.Replace(i.Key, key.N.Bytes(), wrong.N.Bytes(), 1) }),
		"RSAFULLPRIVATEBLOB": rsaBlob(&wrong, "RSAFULLPRIVATEBLOB"),
		"RSAPRIVATEBLOB":     rsaBlob(&wrong, "RSAPRIVATEBLOB"),
	} {
		if _, err := s.ImportKey(s.provider, 0, blobType, nil, data, 0); err == nil {
			t.Errorf("%s: a modulus that is not the primes' was accepted", blobType)
		}
		s.isKey(s.took(blobType, nil, data, ncryptmap.NCRYPT_NO_KEY_VALIDATION), key)
		h := s.took(blobType, nil, data, ncryptmap.NCRYPT_DO_NOT_FINALIZE_FLAG)
		s.must(s.FinalizeKey(h, ncryptmap.NCRYPT_NO_KEY_VALIDATION))
		s.isKey(h, key)
	}
}

func TestB77hUnknownBuffers(t *testing.T) {
	s := open(t, t.TempDir())
	key := samples()["P-256"]
	s.isKey(s.took("PKCS8_PRIVATEKEY", with(uint32(77), "whatever"), pkcs8(t, key), 0), key)
	_, err := s.ImportKey(s.provider, 0, "PKCS7_ENVELOPE", with(uint32(77), "whatever"), []byte("x"), 0)
	s.want("PKCS #7", err, nte.NTE_INVALID_PARAMETER)
}

// What nobody takes in is answered as it should be.
func TestStrangePKCS8(t *testing.T) {
	s := open(t, t.TempDir())
	whole := pkcs8(t, samples()["P-256"])
	for name, test := range map[string]struct {
		data []byte
		want nte.Status
	}{
		"cut off":      {whole[:len(whole)-1], nte.NTE_BAD_DATA},
		"one byte on":  {append(slices.Clone(whole), 0), nte.NTE_BAD_DATA},
		"no key":       {changed(t, pkcs8(t, samples()["RSA"]), func(i *info, _ *ecKey) { i.Key = nil }), nte.NTE_BAD_KEY},
		"another kind": {changed(t, whole, func(i *info, _ *ecKey) { i.Algorithm.OID = asn1.ObjectIdentifier{1, 2, 3} }), nte.NTE_NOT_SUPPORTED},
		"Ed25519":      {openssl(t, nil, "out", "genpkey", "-algorithm", "ed25519", "-outform", "DER", "-out", "out"), nte.NTE_NOT_SUPPORTED},
		"X448":         {openssl(t, nil, "out", "genpkey", "-algorithm", "x448", "-outform", "DER", "-out", "out"), nte.NTE_NOT_SUPPORTED},
		"zero":         {changed(t, whole, func(_ *info, ec *ecKey) { clear(ec.Key) }), nte.NTE_BAD_DATA},
	} {
		_, err := s.ImportKey(s.provider, 0, "PKCS8_PRIVATEKEY", nil, test.data, 0)
		s.want(name, err, test.want)
	}
}
