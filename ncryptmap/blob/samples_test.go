package blob_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rsa"
	"math/big"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// sample is a blob that the tests made without the package, and what must be found in it.
type sample struct {
	what, format string
	data         []byte
	curve        string // NCRYPTBUFFER_ECC_CURVE_NAME
	private      bool
	algorithm    string
	keyType      ck.KeyType
	size         int // 0: not said
	numbers      map[ck.AttributeType][]byte
	oneWay       bool // it is not written as it was read
}

func rsaSamples(t testing.TB) []sample {
	k := rsaKey(t)
	n, e, p, q := k.N, big.NewInt(int64(k.E)), k.Primes[0], k.Primes[1]
	public := slices.Concat(e.Bytes(), n.Bytes())
	primes := slices.Concat(p.Bytes(), q.Bytes())
	rest := slices.Concat(wideNumber(k.Precomputed.Dp, 64), wideNumber(k.Precomputed.Dq, 64), wideNumber(k.Precomputed.Qinv, 64), wideNumber(k.D, 128))
	numbers := map[ck.AttributeType][]byte{ck.CKA_MODULUS: n.Bytes(), ck.CKA_PUBLIC_EXPONENT: e.Bytes()}
	private := with(numbers, ck.CKA_PRIME_1, p.Bytes(), ck.CKA_PRIME_2, q.Bytes())
	full := with(private, ck.CKA_PRIVATE_EXPONENT, k.D.Bytes(), ck.CKA_EXPONENT_1, k.Precomputed.Dp.Bytes(),
		ck.CKA_EXPONENT_2, k.Precomputed.Dq.Bytes(), ck.CKA_COEFFICIENT, k.Precomputed.Qinv.Bytes())
	private = with(private, ck.CKA_PRIVATE_EXPONENT, shortExponent(k).Bytes()) // computed
	row := func(format string, data []byte, private bool, size int, numbers map[ck.AttributeType][]byte) sample {
		return sample{format, format, data, "", private, "RSA", ck.CKK_RSA, size, numbers, false}
	}
	return []sample{
		row("RSAPUBLICBLOB", slices.Concat(magic("RSA1"), ulongs(1024, 3, 128, 0, 0), public), false, 155, numbers),
		row("RSAPRIVATEBLOB", slices.Concat(magic("RSA2"), ulongs(1024, 3, 128, 64, 64), public, primes), true, 283, private),
		row("RSAFULLPRIVATEBLOB", slices.Concat(magic("RSA3"), ulongs(1024, 3, 128, 64, 64), public, primes, rest), true, 603, full),
		row("CAPIPUBLICBLOB", fixture(t, "rsa.public.msblob"), false, 148, numbers),
		row("CAPIPRIVATEBLOB", fixture(t, "rsa.private.msblob"), true, 596, full),
	}
}

// shortExponent is the private exponent modulo the least common multiple of p-1 and q-1. OpenSSL's may be longer.
func shortExponent(k *rsa.PrivateKey) *big.Int {
	one := big.NewInt(1)
	p, q := new(big.Int).Sub(k.Primes[0], one), new(big.Int).Sub(k.Primes[1], one)
	multiple := new(big.Int).Mul(p, q)
	multiple.Div(multiple, new(big.Int).GCD(nil, nil, p, q))
	return new(big.Int).Mod(k.D, multiple)
}

// with is a map with more in it.
func with(numbers map[ck.AttributeType][]byte, more ...any) map[ck.AttributeType][]byte {
	out := map[ck.AttributeType][]byte{}
	for typ, value := range numbers {
		out[typ] = value
	}
	for i := 0; i < len(more); i += 2 {
		switch typ := more[i].(type) {
		case ck.AttributeType:
			out[typ] = more[i+1].([]byte)
		case int:
			out[ck.AttributeType(typ)] = more[i+1].([]byte)
		}
	}
	return out
}

// eccRows are the magic numbers of bcrypt.h, as it comments them.
var eccRows = []struct {
	fixture, algorithm, public, private, curve string
	oid                                        []byte
	size, total                                int
}{
	{"p256.explicit.pem", "ECDH_P256", "ECK1", "ECK2", "", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}, 32, 104},
	{"p384.explicit.pem", "ECDH_P384", "ECK3", "ECK4", "", []byte{6, 5, 0x2b, 0x81, 4, 0, 0x22}, 48, 152},
	{"p521.explicit.pem", "ECDH_P521", "ECK5", "ECK6", "", []byte{6, 5, 0x2b, 0x81, 4, 0, 0x23}, 66, 206},
	{"p256.explicit.pem", "ECDSA_P256", "ECS1", "ECS2", "", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}, 32, 104},
	{"p384.explicit.pem", "ECDSA_P384", "ECS3", "ECS4", "", []byte{6, 5, 0x2b, 0x81, 4, 0, 0x22}, 48, 152},
	{"p521.explicit.pem", "ECDSA_P521", "ECS5", "ECS6", "", []byte{6, 5, 0x2b, 0x81, 4, 0, 0x23}, 66, 206},
	{"p256.explicit.pem", "ECDH", "ECKP", "ECKV", "nistP256", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}, 32, 104},
	{"p384.explicit.pem", "ECDSA", "ECDP", "ECDV", "secP384r1", []byte{6, 5, 0x2b, 0x81, 4, 0, 0x22}, 48, 152},
	{"k1.pem", "ECDSA", "ECDP", "ECDV", "secP256k1", nil, 32, 104},
	{"bp384.pem", "ECDH", "ECKP", "ECKV", "brainpoolP384r1", nil, 48, 152},
}

func eccSamples(t testing.TB) []sample {
	out := []sample{}
	for _, c := range eccRows {
		k := ecKey(t, c.fixture)
		oid := c.oid
		if oid == nil {
			oid = k.oid
		}
		numbers := map[ck.AttributeType][]byte{ck.CKA_EC_PARAMS: oid, ck.CKA_EC_POINT: append([]byte{4}, k.xy...)}
		private := with(numbers, ck.CKA_VALUE, bytes.TrimLeft(k.d, "\x00"))
		out = append(out,
			sample{c.public, "ECCPUBLICBLOB", slices.Concat(magic(c.public), ulongs(uint32(c.size)), k.xy), c.curve, false, c.algorithm, ck.CKK_EC,
				8 + 2*c.size, numbers, false},
			sample{c.private, "ECCPRIVATEBLOB", slices.Concat(magic(c.private), ulongs(uint32(c.size)), k.xy, k.d), c.curve, true, c.algorithm, ck.CKK_EC,
				c.total, private, false})
		if k.domain == nil || c.curve != "" && c.algorithm != "ECDH" {
			continue
		}
		group := c.algorithm[:len(c.algorithm)-len(cut(c.algorithm))]
		generic := map[string]string{"ECDH": "ECK", "ECDSA": "ECD"}[group]
		d, size := k.domain, uint32(c.size)
		header := ulongs(1, 1, 0, size, size, 1, 0)
		domain := slices.Concat(wideNumber(d.Field.Prime, c.size), d.Curve.A, d.Curve.B, d.Base[1:], wideNumber(d.Order, c.size), d.Cofactor.Bytes())
		out = append(out,
			sample{c.public, "ECCFULLPUBLICBLOB", slices.Concat(magic(generic+"P"), header, domain, k.xy), "", false, group, ck.CKK_EC, 0, numbers, false},
			sample{c.private, "ECCFULLPRIVATEBLOB", slices.Concat(magic(generic+"V"), header, domain, k.xy, k.d), "", true, group, ck.CKK_EC, 0, private, false})
	}
	return append(out, curve25519Samples(t)...)
}

// cut is what follows the algorithm's group.
func cut(algorithm string) string {
	if i := bytes.IndexByte([]byte(algorithm), '_'); i >= 0 {
		return algorithm[i:]
	}
	return ""
}

func curve25519Samples(t testing.TB) []sample {
	d := bytes.Repeat([]byte{0x48}, 32)
	k, err := ecdh.X25519().NewPrivateKey(d)
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[ck.AttributeType][]byte{ck.CKA_EC_PARAMS: {6, 3, 0x2b, 0x65, 0x6e}, ck.CKA_EC_POINT: k.PublicKey().Bytes()}
	public := slices.Concat(ulongs(32), k.PublicKey().Bytes(), make([]byte, 32))
	return []sample{
		{"curve25519", "ECCPUBLICBLOB", slices.Concat(magic("ECKP"), public), "curve25519", false, "ECDH", ck.CKK_EC_MONTGOMERY, 72, numbers, false},
		{"curve25519", "ECCPRIVATEBLOB", slices.Concat(magic("ECKV"), public, d), "curve25519", true, "ECDH", ck.CKK_EC_MONTGOMERY, 104,
			with(numbers, ck.CKA_VALUE, d), false},
	}
}

func groupSamples(t testing.TB) []sample {
	dh, v1, v2 := groupKey(t, "dh"), groupKey(t, "dsa1024"), groupKey(t, "dsa2048")
	n := map[ck.AttributeType][]byte{ck.CKA_PRIME: dh.p.Bytes(), ck.CKA_BASE: dh.g.Bytes()}
	n1 := map[ck.AttributeType][]byte{ck.CKA_PRIME: v1.p.Bytes(), ck.CKA_SUBPRIME: v1.q.Bytes(), ck.CKA_BASE: v1.g.Bytes()}
	n2 := map[ck.AttributeType][]byte{ck.CKA_PRIME: v2.p.Bytes(), ck.CKA_SUBPRIME: v2.q.Bytes(), ck.CKA_BASE: v2.g.Bytes()}
	dhBody := slices.Concat(ulongs(256), wideNumber(dh.p, 256), wideNumber(dh.g, 256), wideNumber(dh.y, 256))
	unknown := bytes.Repeat([]byte{0xff}, 24)
	v1Body := slices.Concat(ulongs(128), unknown, wideNumber(v1.q, 20), wideNumber(v1.p, 128), wideNumber(v1.g, 128), wideNumber(v1.y, 128))
	seed := slices.Concat([]byte{0, 0, 1, 2}, bytes.Repeat([]byte{0x5e}, 32))
	v2Body := slices.Concat(ulongs(256, 1, 1, 32, 32), seed, wideNumber(v2.q, 32), wideNumber(v2.p, 256), wideNumber(v2.g, 256), wideNumber(v2.y, 256))
	dsa3 := slices.Concat(unknown, little(v2.p, 256), little(v2.q, 32), little(v2.g, 256), little(v2.y, 256))
	dh3 := slices.Concat(unknown, little(dh.p, 256), little(dh.g, 256), little(dh.y, 256))
	x := uint32(len(dh.x.Bytes()))
	row := func(format, algorithm string, typ ck.KeyType, k *group, numbers map[ck.AttributeType][]byte, size int, data ...[]byte) sample {
		private := bytes.Contains([]byte(format), []byte("PRIVATE"))
		value := k.y
		if private {
			value = k.x
		}
		return sample{format + algorithm, format, slices.Concat(data...), "", private, algorithm, typ, size, with(numbers, ck.CKA_VALUE, value.Bytes()), false}
	}
	return []sample{
		row("DHPUBLICBLOB", "DH", ck.CKK_DH, dh, n, 8+3*256, magic("DHPB"), dhBody),
		row("DHPRIVATEBLOB", "DH", ck.CKK_DH, dh, n, 8+4*256, magic("DHPV"), dhBody, wideNumber(dh.x, 256)),
		row("DSAPUBLICBLOB", "DSA", ck.CKK_DSA, v1, n1, 52+3*128, magic("DSPB"), v1Body),
		row("DSAPRIVATEBLOB", "DSA", ck.CKK_DSA, v1, n1, 52+3*128+20, magic("DSPV"), v1Body, wideNumber(v1.x, 20)),
		row("DSAPUBLICBLOB", "DSA", ck.CKK_DSA, v2, n2, 28+64+3*256, magic("DPB2"), v2Body),
		row("DSAPRIVATEBLOB", "DSA", ck.CKK_DSA, v2, n2, 28+64+3*256+32, magic("DPV2"), v2Body, wideNumber(v2.x, 32)),
		row("V2CAPIDSAPUBLICBLOB", "DSA", ck.CKK_DSA, v1, n1, 0, fixture(t, "dsa1024.public.msblob")),
		row("V2CAPIDSAPRIVATEBLOB", "DSA", ck.CKK_DSA, v1, n1, 0, fixture(t, "dsa1024.private.msblob")),
		row("CAPIDSAPUBLICBLOB", "DSA", ck.CKK_DSA, v2, n2, 0, []byte{6, 3, 0, 0, 0, 0x22, 0, 0}, magic("DSS3"), ulongs(2048, 256, 0), dsa3),
		row("CAPIDSAPRIVATEBLOB", "DSA", ck.CKK_DSA, v2, n2, 0, []byte{7, 3, 0, 0, 0, 0x22, 0, 0}, magic("DSS4"), ulongs(2048, 256, 0, 256), dsa3,
			little(v2.x, 32)),
		row("CAPIDHPUBLICBLOB", "DH", ck.CKK_DH, dh, n, 0, []byte{6, 3, 0, 0, 1, 0xaa, 0, 0}, magic("\x00DH3"), ulongs(2048, 0, 0), dh3),
		row("CAPIDHPRIVATEBLOB", "DH", ck.CKK_DH, dh, n, 0, []byte{7, 3, 0, 0, 1, 0xaa, 0, 0}, magic("\x00DH4"), ulongs(2048, 0, 0, 8*x), dh3,
			little(dh.x, int(x))),
	}
}

func secretSamples() []sample {
	value := bytes.Repeat([]byte{0xae}, 32)
	numbers := map[ck.AttributeType][]byte{ck.CKA_VALUE: value}
	data := slices.Concat(magic("KDBM"), ulongs(1, 32), value)
	headed := func(letters, algorithm string, data []byte) []byte {
		return slices.Concat(ulongs(16), magic(letters), ulongs(uint32(2*len(algorithm)+2), uint32(len(data))), utf16(algorithm), data)
	}
	return []sample{
		{"AES", "KeyDataBlob", data, "", true, "AES", ck.CKK_AES, 44, numbers, false},
		{"AES", "CipherKeyBlob", headed("CPHR", "AES", data), "", true, "AES", ck.CKK_AES, 16 + 8 + 44, numbers, false},
		{"bare", "CipherKeyBlob", headed("CPHR", "AES", value), "", true, "AES", ck.CKK_AES, 16 + 8 + 32, numbers, true},
		{"KDF", "KDFKeyBlob", headed("KDF1", "PBKDF2", value), "", true, "PBKDF2", ck.CKK_GENERIC_SECRET, 16 + 14 + 32, numbers, false},
	}
}

func pqSamples(t testing.TB) []sample {
	kem, err := mlkem.GenerateKey768()
	if err != nil {
		t.Fatal(err)
	}
	fill := func(n int) []byte { return bytes.Repeat([]byte{0x3d}, n) }
	row := func(letters, format, algorithm, set string, typ ck.KeyType, number uint, attribute ck.AttributeType, value []byte) sample {
		data := slices.Concat(magic(letters), ulongs(uint32(2*len(set)+2), uint32(len(value))), utf16(set), value)
		return sample{letters, format, data, "", attribute == ck.CKA_SEED || bytes.Contains([]byte(format), []byte("PRIVATE")), algorithm, typ, 0,
			map[ck.AttributeType][]byte{ck.CKA_PARAMETER_SET: attr.ULong(number), attribute: value}, false}
	}
	out := []sample{
		row("MLKP", "MLKEMPUBLICBLOB", "ML-KEM", "768", ck.CKK_ML_KEM, 2, ck.CKA_VALUE, kem.EncapsulationKey().Bytes()),
		row("MLKS", "MLKEMPRIVATESEEDBLOB", "ML-KEM", "768", ck.CKK_ML_KEM, 2, ck.CKA_SEED, kem.Bytes()),
		row("MLKR", "MLKEMPRIVATEBLOB", "ML-KEM", "1024", ck.CKK_ML_KEM, 3, ck.CKA_VALUE, fill(3168)),
		row("DSPK", "PQDSAPUBLICBLOB", "ML-DSA", "44", ck.CKK_ML_DSA, 1, ck.CKA_VALUE, fill(1312)),
		row("DSSK", "PQDSAPRIVATEBLOB", "ML-DSA", "65", ck.CKK_ML_DSA, 2, ck.CKA_VALUE, fill(4032)),
		row("DSSS", "PQDSAPRIVATESEEDBLOB", "ML-DSA", "87", ck.CKK_ML_DSA, 3, ck.CKA_SEED, fill(32)),
		row("SHPK", "PQDSAPUBLICBLOB", "SLH-DSA", "SHAKE-128f", ck.CKK_SLH_DSA, 4, ck.CKA_VALUE, fill(32)),
		row("SHSK", "PQDSAPRIVATEBLOB", "SLH-DSA", "SHA2-256s", ck.CKK_SLH_DSA, 9, ck.CKA_VALUE, fill(128)),
	}
	for _, inner := range []sample{out[1], out[4]} {
		wrapped := inner
		wrapped.format = "PQPrivateKeyBlob"
		wrapped.data = slices.Concat(magic("PQPR"), ulongs(uint32(2*len(inner.format)+2), uint32(len(inner.data))), utf16(inner.format), inner.data)
		out = append(out, wrapped)
	}
	return out
}

func samples(t testing.TB) []sample {
	t.Helper()
	return slices.Concat(rsaSamples(t), eccSamples(t), groupSamples(t), secretSamples(), pqSamples(t))
}

func (s *sample) options() *blob.Options { return &blob.Options{Curve: s.curve} }

func (s *sample) class() ck.ObjectClass {
	switch {
	case !s.private:
		return ck.CKO_PUBLIC_KEY
	case s.keyType == ck.CKK_AES || s.keyType == ck.CKK_GENERIC_SECRET:
		return ck.CKO_SECRET_KEY
	}
	return ck.CKO_PRIVATE_KEY
}
