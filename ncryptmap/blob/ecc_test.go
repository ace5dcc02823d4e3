package blob_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// eccNamed is the sample with these letters, or whose curve's ECC blob has them.
func eccNamed(t *testing.T, what, format string) sample {
	t.Helper()
	all := eccSamples(t)
	return all[slices.IndexFunc(all, func(s sample) bool { return s.what == what && s.format == format })]
}

func TestB39UnknownCurve(t *testing.T) {
	s := eccNamed(t, "ECDP", "ECCPUBLICBLOB")
	for _, name := range []string{"", "secP256k1 ", "SECP256K1", "P-256", "ec192wapi"} {
		_, err := blob.Read(s.format, s.data, &blob.Options{Curve: name})
		want(t, "curve "+name, err, nte.NTE_INVALID_PARAMETER)
	}
	_, err := blob.Read(s.format, s.data, nil)
	want(t, "no curve", err, nte.NTE_INVALID_PARAMETER)
	_, err = blob.Read(s.format, s.data, &blob.Options{Curve: "nistP521"})
	want(t, "a curve of another size", err, nte.NTE_BAD_DATA)
}

// A curve that tokens have no keys on is read and written; that the token has it not is for others to say.
func TestB40NamedCurve(t *testing.T) {
	i := slices.IndexFunc(eccSamples(t), func(s sample) bool { return s.curve == "secP256k1" })
	s := eccSamples(t)[i]
	k := read(t, &s)
	if !bytes.Equal(k.Get(ck.CKA_EC_PARAMS), []byte{6, 5, 0x2b, 0x81, 4, 0, 10}) {
		t.Errorf("parameters %x", k.Get(ck.CKA_EC_PARAMS))
	}
	if blob.CurveByName("secP256k1") != nil || blob.CurveByName("curve25519") != pubkey.X25519 || blob.CurveByName("x962P256v1") != pubkey.P256 {
		t.Error("CurveByName finds what there is not, or not what there is")
	}
	for curve, name := range map[*pubkey.Curve]string{pubkey.P256: "nistP256", pubkey.P521: "nistP521", pubkey.Ed25519: "", nil: ""} {
		if got := blob.CurveName(curve); got != name {
			t.Errorf("%v is %q, want %q", curve, got, name)
		}
	}
}

func TestB41P521(t *testing.T) {
	s := eccNamed(t, "ECS6", "ECCPRIVATEBLOB")
	if !bytes.Equal(s.data[4:8], ulongs(66)) || len(s.data) != 8+66*3 {
		t.Fatalf("the test made %d bytes", len(s.data))
	}
	k := read(t, &s)
	out, err := blob.Write("ECCPRIVATEBLOB", k, nil)
	if err != nil || out.Len() != 206 {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
}

// Of a private key the public half may be missing: zeros stand for it.
func TestPrivateWithoutPublic(t *testing.T) {
	for _, s := range eccSamples(t) {
		size := map[string]int{"ECCPRIVATEBLOB": (len(s.data) - 8) / 3}[s.format]
		if size == 0 {
			continue
		}
		clear(s.data[8 : 8+2*size])
		s.numbers = with(s.numbers)
		delete(s.numbers, ck.CKA_EC_POINT)
		k := read(t, &s)
		checkNumbers(t, &s, k)
		_, err := blob.Write(s.format, k, nil)
		want(t, "written without its public half", err, nte.NTE_BAD_TYPE)
	}
	public := eccSamples(t)[0]
	clear(public.data[8:])
	k := read(t, &public) // a point that is none: who takes the key in refuses it
	if len(k.Get(ck.CKA_EC_POINT)) != 65 {
		t.Error("the point of a public key was left out")
	}
	zero := eccSamples(t)[1]
	clear(zero.data[len(zero.data)-32:])
	_, err := blob.Read(zero.format, zero.data, nil)
	want(t, "private number zero", err, nte.NTE_BAD_DATA)
}

// Parameters that are those of no curve are not supported: a generator of the caller's choice among them.
func TestExplicitParameters(t *testing.T) {
	for _, s := range eccSamples(t) {
		if s.format != "ECCFULLPUBLICBLOB" && s.format != "ECCFULLPRIVATEBLOB" {
			continue
		}
		for at, status := range map[int]nte.Status{
			4:                          nte.NTE_BAD_DATA, // version
			8:                          nte.NTE_NOT_SUPPORTED,
			40:                         nte.NTE_NOT_SUPPORTED, // P
			32 + 3*int(s.data[16]) + 5: nte.NTE_NOT_SUPPORTED, // Gx
			32 + 6*int(s.data[16]):     nte.NTE_NOT_SUPPORTED, // cofactor
			32 + 5*int(s.data[16]) + 9: nte.NTE_NOT_SUPPORTED, // order
		} {
			data := bytes.Clone(s.data)
			data[at] ^= 2
			_, err := blob.Read(s.format, data, nil)
			want(t, s.format, err, status)
		}
		curves := bytes.Clone(s.data)
		copy(curves[8:], ulongs(9))
		_, err := blob.Read(s.format, curves, nil)
		want(t, "a curve of an unknown type", err, nte.NTE_BAD_DATA)
	}
}

// A seed, and zeros before an order, say nothing of the curve.
func TestExplicitSeed(t *testing.T) {
	s := eccNamed(t, "ECK2", "ECCFULLPRIVATEBLOB")
	size := int(s.data[16])
	fields, order, cofactor, xy, d := s.data[32:32+5*size], s.data[32+5*size:32+6*size], s.data[32+6*size:33+6*size], s.data[33+6*size:33+8*size], s.data[33+8*size:]
	s.data = slices.Concat(s.data[:16], ulongs(uint32(size), uint32(size+2), 2, 20), fields, []byte{0, 0}, order, []byte{0}, cofactor, make([]byte, 20), xy,
		[]byte{0, 0}, d)
	checkNumbers(t, &s, read(t, &s))
	s.data[len(s.data)-size-1] = 1
	_, err := blob.Read(s.format, s.data, nil)
	want(t, "a private number that is longer than the curve's", err, nte.NTE_BAD_DATA)
}

func TestCurve25519(t *testing.T) {
	s := curve25519Samples(t)[0]
	s.data[8+32] = 1
	_, err := blob.Read(s.format, s.data, s.options())
	want(t, "a second coordinate", err, nte.NTE_BAD_DATA)
	k := read(t, &curve25519Samples(t)[1])
	_, err = blob.Write("ECCFULLPRIVATEBLOB", k, nil)
	want(t, "explicit parameters", err, nte.NTE_NOT_SUPPORTED)
}
