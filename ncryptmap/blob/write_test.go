package blob_test

import (
	"bytes"
	"crypto/rsa"
	"math/big"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// copyOf is a key with the same numbers, but for those that change says.
func copyOf(k *blob.Key, change func(typ ck.AttributeType, value []byte) []byte) *blob.Key {
	out := &blob.Key{Algorithm: k.Algorithm, Class: k.Class, KeyType: k.KeyType, Public: k.Public, Domain: k.Domain}
	for _, part := range k.Parts() {
		if value := change(part.Type, bytes.Clone(part.Value)); value != nil {
			out.PutSecret(part.Type, value)
		}
	}
	return out
}

// A key that lacks a number, or has one that is too long for its field, has no blob.
func TestWriteMisfits(t *testing.T) {
	for _, s := range samples(t) {
		whole := read(t, &s)
		for _, part := range whole.Parts() {
			without := copyOf(whole, func(typ ck.AttributeType, value []byte) []byte {
				if typ == part.Type {
					return nil
				}
				return value
			})
			_, err := blob.Write(s.format, without, s.options())
			if s.format == "RSAPRIVATEBLOB" && part.Type == ck.CKA_PRIVATE_EXPONENT {
				continue // it is not in the blob
			}
			if status := nte.Code(err); status != nte.NTE_BAD_TYPE && status != nte.NTE_NOT_SUPPORTED {
				t.Errorf("%s %s without %v: %v", s.format, s.what, part.Type, err)
			}
			without.Close()
		}
	}
	for name, types := range map[string][]ck.AttributeType{
		"RSAFULLPRIVATEBLOB": {ck.CKA_EXPONENT_1, ck.CKA_EXPONENT_2, ck.CKA_COEFFICIENT, ck.CKA_PRIVATE_EXPONENT},
		"CAPIPRIVATEBLOB":    {ck.CKA_PRIME_1, ck.CKA_PRIME_2, ck.CKA_EXPONENT_1, ck.CKA_PRIVATE_EXPONENT, ck.CKA_PUBLIC_EXPONENT},
		"ECCPRIVATEBLOB":     {ck.CKA_VALUE},
		"ECCFULLPRIVATEBLOB": {ck.CKA_VALUE},
		"DHPRIVATEBLOB":      {ck.CKA_BASE, ck.CKA_VALUE},
		"DSAPRIVATEBLOB":     {ck.CKA_BASE, ck.CKA_VALUE},
		"CAPIDSAPRIVATEBLOB": {ck.CKA_BASE},
		"CAPIDHPUBLICBLOB":   {ck.CKA_BASE, ck.CKA_VALUE},
		"MLKEMPRIVATEBLOB":   {ck.CKA_VALUE},
		"PQDSAPUBLICBLOB":    {ck.CKA_VALUE},
	} {
		i := slices.IndexFunc(samples(t), func(s sample) bool { return s.format == name })
		s := samples(t)[i]
		whole := read(t, &s)
		for _, typ := range types {
			long := copyOf(whole, func(of ck.AttributeType, value []byte) []byte {
				if of == typ {
					return append(bytes.Repeat([]byte{1}, 300), value...)
				}
				return value
			})
			_, err := blob.Write(name, long, s.options())
			want(t, name+" with a long "+typ.String(), err, nte.NTE_BAD_DATA)
			long.Close()
		}
	}
}

// Zeros before a number do not make it longer than its field.
func TestWriteLeadingZeros(t *testing.T) {
	s := rsaSamples(t)[2]
	padded := copyOf(read(t, &s), func(typ ck.AttributeType, value []byte) []byte {
		if typ == ck.CKA_PRIVATE_EXPONENT || typ == ck.CKA_COEFFICIENT {
			return append(make([]byte, 200), value...)
		}
		return value
	})
	defer padded.Close()
	out, err := blob.Write(s.format, padded, nil)
	if err != nil || !out.Equal(s.data) {
		t.Errorf("%v", err)
	}
}

// A private exponent of fewer bytes than the modulus is filled up.
func TestWriteShortNumbers(t *testing.T) {
	k := &blob.Key{Algorithm: "RSA", Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_RSA}
	defer k.Close()
	for typ, n := range map[ck.AttributeType]int{ck.CKA_MODULUS: 8, ck.CKA_PUBLIC_EXPONENT: 1, ck.CKA_PRIME_1: 4, ck.CKA_PRIME_2: 5, ck.CKA_EXPONENT_1: 1,
		ck.CKA_EXPONENT_2: 2, ck.CKA_COEFFICIENT: 3, ck.CKA_PRIVATE_EXPONENT: 6} {
		k.PutSecret(typ, bytes.Repeat([]byte{byte(n)}, n))
	}
	out, err := blob.Write("RSAFULLPRIVATEBLOB", k, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(magic("RSA3"), ulongs(60, 1, 8, 4, 5), []byte{1}, bytes.Repeat([]byte{8}, 8), bytes.Repeat([]byte{4}, 4), bytes.Repeat([]byte{5}, 5),
		[]byte{0, 0, 0, 1}, []byte{0, 0, 0, 2, 2}, []byte{0, 3, 3, 3}, []byte{0, 0}, bytes.Repeat([]byte{6}, 6))
	if !out.Equal(want) {
		t.Errorf("%x, want %x", out.Bytes(), want)
	}
	_, err = blob.Write("CAPIPRIVATEBLOB", k, nil)
	if nte.Code(err) != nte.NTE_BAD_DATA { // its primes have half the modulus' length
		t.Errorf("primes of unequal length in CAPI's format: %v", err)
	}
}

// Public halves are written of private keys, where they are known.
func TestWritePublicHalf(t *testing.T) {
	of := map[string]string{
		"RSAPRIVATEBLOB": "RSAPUBLICBLOB", "RSAFULLPRIVATEBLOB": "RSAPUBLICBLOB", "CAPIPRIVATEBLOB": "CAPIPUBLICBLOB", "ECCPRIVATEBLOB": "ECCPUBLICBLOB",
		"ECCFULLPRIVATEBLOB": "ECCFULLPUBLICBLOB", "DHPRIVATEBLOB": "DHPUBLICBLOB", "DSAPRIVATEBLOB": "DSAPUBLICBLOB", "CAPIDHPRIVATEBLOB": "CAPIDHPUBLICBLOB",
		"CAPIDSAPRIVATEBLOB": "CAPIDSAPUBLICBLOB",
	}
	all := samples(t)
	for i, s := range all {
		public, ok := of[s.format]
		if !ok {
			continue
		}
		before := i - 1
		for all[before].format != public || all[before].algorithm != s.algorithm {
			before--
		}
		out, err := blob.Write(public, read(t, &s), s.options())
		if err != nil || s.algorithm != "DSA" && !out.Equal(all[before].data) {
			t.Errorf("%s of %s %s: %v", public, s.format, s.what, err)
		}
		if s.algorithm == "DSA" && (err != nil || !slices.ContainsFunc(all, func(p sample) bool { return p.format == public && out.Equal(p.data) })) {
			t.Errorf("%s of %s: %v", public, s.format, err)
		}
	}
}

// How a DSA key's parameters were made stays with it, and what is not known is written as 0xff.
func TestDSADomain(t *testing.T) {
	all := groupSamples(t)
	v2 := read(t, &all[4])
	if d := v2.Domain; d == nil || d.Count != [4]byte{0, 0, 1, 2} || d.Hash != 1 || d.Standard != 1 || !bytes.Equal(d.Seed, bytes.Repeat([]byte{0x5e}, 32)) {
		t.Errorf("%+v", v2.Domain)
	}
	for _, s := range all {
		if s.keyType != ck.CKK_DSA {
			continue
		}
		k := read(t, &s)
		k.Domain = nil
		name := map[bool]string{false: "DSAPUBLICBLOB", true: "DSAPRIVATEBLOB"}[s.private]
		out, err := blob.Write(name, k, nil)
		if s.private && k.Public == nil {
			want(t, "without a public value", err, nte.NTE_BAD_TYPE)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		at, group := 8, 20
		if len(k.Get(ck.CKA_SUBPRIME)) == 32 {
			at, group = 24, 32
			if !bytes.Equal(out.Bytes()[8:24], ulongs(1, 1, 32, 32)) {
				t.Errorf("header %x", out.Bytes()[:24])
			}
		}
		if !bytes.Equal(out.Bytes()[at:at+4+group], bytes.Repeat([]byte{0xff}, 4+group)) {
			t.Errorf("%s: count and seed %x", s.what, out.Bytes()[at:at+4+group])
		}
	}
	odd := copyOf(v2, func(typ ck.AttributeType, value []byte) []byte {
		if typ == ck.CKA_SUBPRIME {
			return value[:28]
		}
		return value
	})
	odd.Domain = nil
	_, err := blob.Write("DSAPUBLICBLOB", odd, nil)
	want(t, "a group whose hash has no number", err, nte.NTE_BAD_TYPE)
}

// Version 1 ends at 1024 bits.
func TestDSAVersion1IsShort(t *testing.T) {
	data := slices.Concat(magic("DSPB"), ulongs(256), make([]byte, 24), bytes.Repeat([]byte{1}, 20+3*256))
	_, err := blob.Read("DSAPUBLICBLOB", data, nil)
	want(t, "2048 bits in version 1", err, nte.NTE_BAD_DATA)
}

// The private exponent that a blob of primes goes without is computed, and what are no primes has none.
func TestB27RSAPrivateBlob(t *testing.T) {
	s := rsaSamples(t)[1]
	k := read(t, &s)
	key := rsaKey(t)
	key.D = new(big.Int).SetBytes(k.Get(ck.CKA_PRIVATE_EXPONENT))
	key.Precomputed = rsa.PrecomputedValues{}
	if err := key.Validate(); err != nil {
		t.Error(err)
	}
	for name, numbers := range map[string][]byte{"no prime": {3, 35, 1, 7}, "no other prime": {3, 35, 5, 1}, "no inverse": {3, 35, 5, 7}} {
		_, err := blob.Read("RSAPRIVATEBLOB", slices.Concat(magic("RSA2"), ulongs(6, 1, 1, 1, 1), numbers), nil)
		want(t, name, err, nte.NTE_BAD_DATA)
	}
}

func TestSecretKeys(t *testing.T) {
	value := bytes.Repeat([]byte{7}, 16)
	for name, row := range map[string]struct {
		format    string
		data      []byte
		algorithm string
		status    nte.Status
	}{
		"B54: too long":           {"KeyDataBlob", slices.Concat(magic("KDBM"), ulongs(1, 17), value), "", nte.NTE_BAD_DATA},
		"B54: too short":          {"KeyDataBlob", slices.Concat(magic("KDBM"), ulongs(1, 15), value), "", nte.NTE_BAD_DATA},
		"no key":                  {"KeyDataBlob", slices.Concat(magic("KDBM"), ulongs(1, 0)), "", nte.NTE_BAD_DATA},
		"another version":         {"KeyDataBlob", slices.Concat(magic("KDBM"), ulongs(2, 16), value), "", nte.NTE_BAD_DATA},
		"size of the header":      {"CipherKeyBlob", slices.Concat(ulongs(40), magic("CPHR"), ulongs(8, 16), utf16("AES"), value), "", nte.NTE_BAD_DATA},
		"no algorithm":            {"CipherKeyBlob", slices.Concat(ulongs(16), magic("CPHR"), ulongs(2, 16), utf16(""), value), "", nte.NTE_BAD_DATA},
		"half a character":        {"CipherKeyBlob", slices.Concat(ulongs(16), magic("CPHR"), ulongs(7, 17), utf16("AES"), value), "", nte.NTE_BAD_DATA},
		"half a surrogate":        {"KDFKeyBlob", slices.Concat(ulongs(16), magic("KDF1"), ulongs(4, 16), []byte{0, 0xd8, 0, 0}, value), "", nte.NTE_BAD_DATA},
		"NUL within":              {"KDFKeyBlob", slices.Concat(ulongs(16), magic("KDF1"), ulongs(6, 16), []byte{0, 0, 65, 0, 0, 0}, value), "", nte.NTE_BAD_DATA},
		"KeyDataBlob of nonsense": {"CipherKeyBlob", slices.Concat(ulongs(16), magic("CPHR"), ulongs(8, 16), utf16("AES"), magic("KDBM"), value[:12]), "", nte.NTE_BAD_DATA},
		"protected":               {"ProtectedKeyBlob", slices.Concat(ulongs(16), magic("PRTK"), ulongs(8, 16), utf16("AES"), value), "", nte.NTE_NOT_SUPPORTED},
		"protected, cut off":      {"ProtectedKeyBlob", slices.Concat(ulongs(16), magic("PRTK"), ulongs(8, 17), utf16("AES"), value), "", nte.NTE_BAD_DATA},
	} {
		_, err := blob.Read(row.format, row.data, nil)
		want(t, name, err, row.status)
	}
	k, err := blob.Read("KeyDataBlob", slices.Concat(magic("KDBM"), ulongs(1, 16), value), &blob.Options{Algorithm: "HMAC-SHA256"})
	if err != nil || k.Algorithm != "HMAC-SHA256" || k.KeyType != ck.CKK_GENERIC_SECRET {
		t.Errorf("%v, %v", k, err)
	}
	_, err = blob.Write("ProtectedKeyBlob", k, nil)
	want(t, "protected", err, nte.NTE_NOT_SUPPORTED)
	aes := read(t, &secretSamples()[0])
	_, err = blob.Write("KDFKeyBlob", aes, nil)
	want(t, "a cipher's key as a secret to derive from", err, nte.NTE_BAD_TYPE)
	bare := read(t, &secretSamples()[2])
	out, err := blob.Write("CipherKeyBlob", bare, nil)
	if err != nil || !out.Equal(secretSamples()[1].data) {
		t.Errorf("a bare key was written as %x, %v", out.Bytes(), err)
	}
	aes.Algorithm = ""
	_, err = blob.Write("CipherKeyBlob", aes, nil)
	want(t, "no algorithm", err, nte.NTE_BAD_TYPE)
}

// A seed gives a seed, an expanded key no seed. A key that has both, as one that was expanded elsewhere, gives either. The seed of a set that there is
// no code for is not expanded.
func TestB55Seeds(t *testing.T) {
	all := pqSamples(t)
	seed, expanded := read(t, &all[1]), read(t, &all[2])
	_, err := blob.Write("MLKEMPRIVATESEEDBLOB", expanded, nil)
	want(t, "the seed of an expanded key", err, nte.NTE_NOT_SUPPORTED)
	small, err := blob.Read("MLKEMPRIVATESEEDBLOB", slices.Concat(magic("MLKS"), ulongs(8, 64), utf16("512"), make([]byte, 64)), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = blob.Write("MLKEMPRIVATEBLOB", small, nil)
	want(t, "a seed of ML-KEM-512, which Go has not", err, nte.NTE_NOT_SUPPORTED)
	seed.PutSecret(ck.CKA_VALUE, make([]byte, 2400))
	for name, size := range map[string]int{"MLKEMPRIVATESEEDBLOB": 12 + 8 + 64, "MLKEMPRIVATEBLOB": 12 + 8 + 2400, "PQPrivateKeyBlob": 12 + 42 + 12 + 8 + 64} {
		out, err := blob.Write(name, seed, nil)
		if err != nil || out.Len() != size {
			t.Errorf("%s: %d bytes, %v", name, out.Len(), err)
		}
	}
	_, err = blob.Write("MLKEMPUBLICBLOB", seed, nil)
	want(t, "the public half of a private key", err, nte.NTE_BAD_TYPE)
	slh := read(t, &all[7])
	_, err = blob.Write("PQDSAPRIVATESEEDBLOB", slh, nil)
	want(t, "SLH-DSA's seed", err, nte.NTE_BAD_TYPE)
	strange := copyOf(expanded, func(typ ck.AttributeType, value []byte) []byte {
		if typ == ck.CKA_PARAMETER_SET {
			return attr.ULong(9)
		}
		return value
	})
	_, err = blob.Write("MLKEMPRIVATEBLOB", strange, nil)
	want(t, "an unknown parameter set", err, nte.NTE_BAD_TYPE)
}

func TestPQRefusals(t *testing.T) {
	key := bytes.Repeat([]byte{1}, 32)
	for name, row := range map[string]struct {
		format string
		data   []byte
		status nte.Status
	}{
		"length of another set": {"PQDSAPUBLICBLOB", slices.Concat(magic("DSPK"), ulongs(6, 32), utf16("44"), key), nte.NTE_BAD_DATA},
		"no such set":           {"PQDSAPUBLICBLOB", slices.Concat(magic("DSPK"), ulongs(6, 32), utf16("45"), key), nte.NTE_NOT_SUPPORTED},
		"another family's set":  {"PQDSAPUBLICBLOB", slices.Concat(magic("SHPK"), ulongs(6, 32), utf16("44"), key), nte.NTE_NOT_SUPPORTED},
		"LMS":                   {"PQDSAPUBLICBLOB", slices.Concat(magic("LMPK"), ulongs(2, 32), utf16(""), key), nte.NTE_NOT_SUPPORTED},
		"XMSS, generic":         {"PUBLICBLOB", slices.Concat(magic("XMPK"), ulongs(2, 32), utf16(""), key), nte.NTE_NOT_SUPPORTED},
		"no magic number":       {"PQDSAPRIVATESEEDBLOB", slices.Concat(ulongs(0, 6, 32), utf16("44"), key), nte.NTE_NOT_SUPPORTED},
		"public blob inside":    {"PQPrivateKeyBlob", slices.Concat(magic("PQPR"), ulongs(32, 32), utf16("PQDSAPUBLICBLOB"), key), nte.NTE_NOT_SUPPORTED},
		"other blob inside":     {"PQPrivateKeyBlob", slices.Concat(magic("PQPR"), ulongs(30, 32), utf16("RSAPRIVATEBLOB"), key), nte.NTE_NOT_SUPPORTED},
		"nothing inside":        {"PQPrivateKeyBlob", slices.Concat(magic("PQPR"), ulongs(34, 0), utf16("PQDSAPRIVATEBLOB")), nte.NTE_BAD_DATA},
	} {
		_, err := blob.Read(row.format, row.data, nil)
		want(t, name, err, row.status)
	}
}

func TestCAPIRefusals(t *testing.T) {
	public := fixture(t, "rsa.public.msblob")
	for name, row := range map[string]struct {
		at     int
		value  byte
		status nte.Status
	}{
		"private key in its header": {0, 7, nte.NTE_INVALID_PARAMETER},
		"another version":           {1, 3, nte.NTE_BAD_DATA},
		"another algorithm":         {5, 0x22, nte.NTE_INVALID_PARAMETER},
		"a longer modulus":          {13, 5, nte.NTE_BAD_DATA},
		"an endless modulus":        {15, 0xff, nte.NTE_BAD_DATA},
	} {
		data := bytes.Clone(public)
		data[row.at] = row.value
		_, err := blob.Read("CAPIPUBLICBLOB", data, nil)
		want(t, name, err, row.status)
	}
	sign := bytes.Clone(public)
	sign[5] = 0x24 // CALG_RSA_SIGN
	if _, err := blob.Read("CAPIPUBLICBLOB", sign, nil); err != nil {
		t.Error(err)
	}
	dh := []byte{6, 2, 0, 0, 1, 0xaa, 0, 0, 0, 'D', 'H', '1', 8, 0, 0, 0, 5}
	_, err := blob.Read("CAPIDHPUBLICBLOB", dh, nil)
	want(t, "DH without its group", err, nte.NTE_NOT_SUPPORTED)
}

// A DSS blob is read in either version, under either name.
func TestCAPIVersions(t *testing.T) {
	for _, s := range groupSamples(t) {
		other := map[string]string{"CAPIDSAPUBLICBLOB": "V2CAPIDSAPUBLICBLOB", "V2CAPIDSAPUBLICBLOB": "CAPIDSAPUBLICBLOB", "V2CAPIDSAPRIVATEBLOB": "CAPIDSAPRIVATEBLOB"}[s.format]
		if other != "" {
			s.format = other
			checkNumbers(t, &s, read(t, &s))
		}
	}
	q := slices.Concat([]byte{6, 3, 0, 0, 2, 0xaa, 0, 0}, magic("\x00DH3"), ulongs(64, 32, 32), make([]byte, 24), bytes.Repeat([]byte{3}, 8+4+8+4+8))
	k, err := blob.Read("CAPIDHPUBLICBLOB", q, nil)
	if err != nil || k.KeyType != ck.CKK_X9_42_DH || len(k.Get(ck.CKA_SUBPRIME)) != 4 || len(k.Get(ck.CKA_VALUE)) != 8 {
		t.Errorf("%v, %v", k, err)
	}
}
