package pubkey_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// keys makes one public key of each kind.
func keys(t *testing.T) map[string]crypto.PublicKey {
	t.Helper()
	made := map[string]crypto.PublicKey{}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	made["RSA"] = &private.PublicKey
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		private, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		made[curve.Params().Name] = &private.PublicKey
	}
	if made["Ed25519"], _, err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	made["X25519"] = x.PublicKey()
	return made
}

func equal(a, b crypto.PublicKey) bool {
	return a.(interface{ Equal(crypto.PublicKey) bool }).Equal(b)
}

func TestSPKIIsThatOfX509(t *testing.T) {
	for name, public := range keys(t) {
		got, err := pubkey.SPKI(public)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: SPKI = %x, want %x", name, got, want)
		}
		back, err := pubkey.ParseSPKI(want)
		if err != nil || !equal(public, back) {
			t.Errorf("%s: ParseSPKI = %v, %v", name, back, err)
		}
		for n := range want {
			if _, err := pubkey.ParseSPKI(want[:n]); err == nil {
				t.Fatalf("%s: ParseSPKI takes the first %d bytes", name, n)
			}
		}
		if _, err := pubkey.ParseSPKI(append(want, 0)); err == nil {
			t.Errorf("%s: ParseSPKI takes a trailing byte", name)
		}
	}
	if _, err := pubkey.SPKI("no key"); !errors.Is(err, ck.CKR_KEY_TYPE_INCONSISTENT) {
		t.Errorf("SPKI of a string: %v", err)
	}
}

func TestPointForms(t *testing.T) {
	for name, public := range keys(t) {
		curve, raw := pubkey.Point(public)
		if curve == nil {
			if name != "RSA" {
				t.Errorf("%s: no curve", name)
			}
			continue
		}
		if curve.Name != name || len(raw) != curve.PointLen() {
			t.Fatalf("%s: Point gives %s, %d bytes", name, curve.Name, len(raw))
		}
		wrapped := pubkey.EncodePoint(curve, raw)
		forms := map[string][]byte{"raw": raw, "OCTET STRING": wrapped}
		if curve.KeyType != ck.CKK_EC {
			forms["BIT STRING"] = append([]byte{3, byte(len(raw) + 1), 0}, raw...)
		}
		for form, point := range forms {
			parts := map[ck.AttributeType][]byte{ck.CKA_EC_PARAMS: curve.Params, ck.CKA_EC_POINT: point}
			got, err := pubkey.Parse(curve.KeyType, func(a ck.AttributeType) []byte { return parts[a] })
			if err != nil || !equal(public, got) {
				t.Errorf("%s, %s: Parse = %v, %v", name, form, got, err)
			}
		}
		for _, bad := range [][]byte{nil, raw[1:], append(bytes.Clone(raw), 0), wrapped[1:], append(bytes.Clone(wrapped), 0), append([]byte{5}, wrapped[1:]...)} {
			if _, err := pubkey.DecodePoint(curve, bad); !errors.Is(err, ck.CKR_ATTRIBUTE_VALUE_INVALID) {
				t.Errorf("%s: DecodePoint(%x) = %v", name, bad, err)
			}
		}
	}
}

// A raw Edwards or Montgomery point may begin like an OCTET STRING.
func TestRawPointThatLooksWrapped(t *testing.T) {
	raw := append([]byte{4, 30}, make([]byte, 30)...)
	got, err := pubkey.DecodePoint(pubkey.X25519, raw)
	if err != nil || !bytes.Equal(got, raw) {
		t.Fatalf("DecodePoint = %x, %v", got, err)
	}
}

func TestPointOffTheCurve(t *testing.T) {
	for _, curve := range []*pubkey.Curve{pubkey.P256, pubkey.P384, pubkey.P521} {
		raw := make([]byte, curve.PointLen())
		raw[0], raw[len(raw)-1] = 4, 1
		if _, err := pubkey.DecodePoint(curve, raw); !errors.Is(err, ck.CKR_ATTRIBUTE_VALUE_INVALID) {
			t.Errorf("%s: %v", curve.Name, err)
		}
		if _, err := curve.PublicKey(raw); !errors.Is(err, ck.CKR_ATTRIBUTE_VALUE_INVALID) {
			t.Errorf("%s: PublicKey: %v", curve.Name, err)
		}
	}
	if _, err := pubkey.Ed25519.PublicKey(nil); !errors.Is(err, ck.CKR_ATTRIBUTE_VALUE_INVALID) {
		t.Errorf("Ed25519: PublicKey(nil): %v", err)
	}
}

func TestDecodeParams(t *testing.T) {
	for _, test := range []struct {
		what    string
		params  string
		keyType ck.KeyType
		want    *pubkey.Curve
		rv      error
	}{
		{"secp256r1", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", ck.CKK_EC, pubkey.P256, nil},
		{"secp384r1", "\x06\x05\x2b\x81\x04\x00\x22", ck.CKK_EC, pubkey.P384, nil},
		{"secp521r1", "\x06\x05\x2b\x81\x04\x00\x23", ck.CKK_EC, pubkey.P521, nil},
		{"curveName", "\x13\x09secp256r1", ck.CKK_EC, pubkey.P256, nil},
		{"OID", "\x06\x03\x2b\x65\x70", ck.CKK_EC_EDWARDS, pubkey.Ed25519, nil},
		{"curveName", "\x13\x0cedwards25519", ck.CKK_EC_EDWARDS, pubkey.Ed25519, nil},
		{"old OID", "\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01", ck.CKK_EC_EDWARDS, pubkey.Ed25519, nil},
		{"OID", "\x06\x03\x2b\x65\x6e", ck.CKK_EC_MONTGOMERY, pubkey.X25519, nil},
		{"curveName", "\x13\x0acurve25519", ck.CKK_EC_MONTGOMERY, pubkey.X25519, nil},
		{"OpenSC", "\x13\x0bcurve25519", ck.CKK_EC_MONTGOMERY, pubkey.X25519, nil},
		{"old OID", "\x06\x0a\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01", ck.CKK_EC_MONTGOMERY, pubkey.X25519, nil},
		{"of another key type", "\x06\x03\x2b\x65\x6e", ck.CKK_EC_EDWARDS, nil, ck.CKR_CURVE_NOT_SUPPORTED},
		{"of another key type", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", ck.CKK_EC_EDWARDS, nil, ck.CKR_CURVE_NOT_SUPPORTED},
		{"secp256k1", "\x06\x05\x2b\x81\x04\x00\x0a", ck.CKK_EC, nil, ck.CKR_CURVE_NOT_SUPPORTED},
		{"a name of nothing", "\x13\x03abc", ck.CKK_EC, nil, ck.CKR_CURVE_NOT_SUPPORTED},
		{"explicit parameters", "\x30\x03\x02\x01\x01", ck.CKK_EC, nil, ck.CKR_DOMAIN_PARAMS_INVALID},
		{"implicitlyCA", "\x05\x00", ck.CKK_EC, nil, ck.CKR_DOMAIN_PARAMS_INVALID},
		{"nothing", "", ck.CKK_EC, nil, ck.CKR_DOMAIN_PARAMS_INVALID},
		{"a trailing byte", "\x06\x05\x2b\x81\x04\x00\x22\x00", ck.CKK_EC, nil, ck.CKR_DOMAIN_PARAMS_INVALID},
	} {
		got, err := pubkey.DecodeParams([]byte(test.params), test.keyType)
		if got != test.want || !errors.Is(err, test.rv) {
			t.Errorf("%s for %v: %v, %v", test.what, test.keyType, got, err)
		}
	}
}

func TestCurvesAreWholeAndDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range pubkey.Curves() {
		if seen[string(c.Params)] || seen[c.Name] {
			t.Errorf("%s stands twice", c.Name)
		}
		seen[string(c.Params)], seen[c.Name] = true, true
		got, err := pubkey.DecodeParams(c.Params, c.KeyType)
		if err != nil || got != c {
			t.Errorf("%s: DecodeParams = %v, %v", c.Name, got, err)
		}
		if e := c.Elliptic(); e != nil && (e.Params().BitSize != c.Bits || e.Params().Name != c.Name) {
			t.Errorf("%s is %s", c.Name, e.Params().Name)
		}
	}
}

func TestParseRSA(t *testing.T) {
	odd := new(big.Int).SetBit(big.NewInt(1), 2047, 1).Bytes()
	even := new(big.Int).SetBit(big.NewInt(2), 2047, 1).Bytes()
	huge := new(big.Int).SetBit(big.NewInt(1), pubkey.MaxRSABits, 1).Bytes()
	f4 := []byte{1, 0, 1}
	for _, test := range []struct {
		what string
		n, e []byte
		want error
	}{
		{"plain", odd, f4, nil},
		{"leading zeros", append([]byte{0, 0}, odd...), append([]byte{0}, f4...), nil},
		{"exponent 3", odd, []byte{3}, nil},
		{"no modulus", nil, f4, ck.CKR_TEMPLATE_INCOMPLETE},
		{"no exponent", odd, nil, ck.CKR_TEMPLATE_INCOMPLETE},
		{"even modulus", even, f4, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"huge modulus", huge, f4, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"exponent 0", odd, []byte{0}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"exponent 1", odd, []byte{1}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"even exponent", odd, []byte{4}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"huge exponent", odd, []byte{1, 0, 0, 0, 1}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"exponent beyond the modulus", []byte{5}, f4, ck.CKR_ATTRIBUTE_VALUE_INVALID},
	} {
		parts := map[ck.AttributeType][]byte{ck.CKA_MODULUS: test.n, ck.CKA_PUBLIC_EXPONENT: test.e}
		_, err := pubkey.Parse(ck.CKK_RSA, func(a ck.AttributeType) []byte { return parts[a] })
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.what, err, test.want)
		}
	}
	if _, err := pubkey.Parse(ck.CKK_AES, func(ck.AttributeType) []byte { return nil }); !errors.Is(err, ck.CKR_KEY_TYPE_INCONSISTENT) {
		t.Errorf("AES: %v", err)
	}
}

func FuzzParseSPKI(f *testing.F) {
	for _, c := range pubkey.Curves() {
		f.Add(c.Params)
	}
	for _, public := range keysForFuzz() {
		spki, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(spki)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		public, err := pubkey.ParseSPKI(der)
		if err != nil {
			return
		}
		again, err := pubkey.SPKI(public)
		if err != nil {
			t.Fatalf("SPKI of what ParseSPKI gave: %v", err)
		}
		if _, err := pubkey.ParseSPKI(again); err != nil {
			t.Fatalf("ParseSPKI of what SPKI gave: %v", err)
		}
	})
}

func keysForFuzz() []crypto.PublicKey {
	return []crypto.PublicKey{
		&rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537},
		ed25519.PublicKey(make([]byte, 32)),
	}
}
