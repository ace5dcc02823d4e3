package blob_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// ulongs writes header fields: an encoder that is not the package's.
func ulongs(values ...uint32) []byte {
	out := []byte{}
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return out
}

// magic is a magic number by its letters.
func magic(letters string) []byte { return []byte(letters) }

func wideNumber(n *big.Int, size int) []byte { return n.FillBytes(make([]byte, size)) }

func little(n *big.Int, size int) []byte {
	out := wideNumber(n, size)
	slices.Reverse(out)
	return out
}

// utf16 is ASCII in UTF-16LE, with a NUL.
func utf16(s string) []byte {
	out := []byte{}
	for _, c := range []byte(s + "\x00") {
		out = append(out, c, 0)
	}
	return out
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func fixtureDER(t testing.TB, name string) []byte {
	t.Helper()
	block, _ := pem.Decode(fixture(t, name))
	if block == nil {
		t.Fatalf("%s is not PEM", name)
	}
	return block.Bytes
}

func parse(t testing.TB, der []byte, into any) {
	t.Helper()
	if rest, err := asn1.Unmarshal(der, into); err != nil || len(rest) != 0 {
		t.Fatalf("%v, %d bytes left", err, len(rest))
	}
}

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(fixtureDER(t, "rsa.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

// group is a DH or DSA key of OpenSSL's.
type group struct{ p, q, g, y, x *big.Int }

func groupKey(t testing.TB, name string) *group {
	t.Helper()
	var private struct {
		Version   int
		Algorithm struct {
			Algorithm  asn1.ObjectIdentifier
			Parameters asn1.RawValue
		}
		Key []byte
	}
	var public struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	parse(t, fixtureDER(t, name+".pem"), &private)
	parse(t, fixtureDER(t, name+".public.pem"), &public)
	var numbers []*big.Int
	parse(t, private.Algorithm.Parameters.FullBytes, &numbers)
	k := &group{}
	parse(t, private.Key, &k.x)
	parse(t, public.Key.Bytes, &k.y)
	if len(numbers) == 3 { // DSA: p, q, g
		k.p, k.q, k.g = numbers[0], numbers[1], numbers[2]
	} else { // DH: p, g
		k.p, k.g = numbers[0], numbers[1]
	}
	return k
}

// point is an EC key of OpenSSL's.
type point struct {
	d, xy  []byte
	domain *explicit // nil: the curve is named
	oid    []byte
}

// explicit are a curve's parameters: X9.62's ECParameters.
type explicit struct {
	Version int
	Field   struct {
		Type  asn1.ObjectIdentifier
		Prime *big.Int
	}
	Curve struct {
		A, B []byte
		Seed asn1.BitString `asn1:"optional"`
	}
	Base            []byte
	Order, Cofactor *big.Int
}

func ecKey(t testing.TB, name string) *point {
	t.Helper()
	var key struct {
		Version    int
		Private    []byte
		Parameters asn1.RawValue  `asn1:"optional,explicit,tag:0"`
		Public     asn1.BitString `asn1:"optional,explicit,tag:1"`
	}
	parse(t, fixtureDER(t, name), &key)
	k := &point{d: key.Private, xy: key.Public.Bytes[1:], oid: key.Parameters.Bytes}
	if key.Parameters.Bytes[0] == 0x30 { // SEQUENCE: explicit parameters
		k.domain = &explicit{}
		parse(t, key.Parameters.Bytes, k.domain)
	}
	return k
}
