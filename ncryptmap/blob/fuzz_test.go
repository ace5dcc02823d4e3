package blob_test

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// statuses are what anything that comes from outside may be answered with.
var statuses = map[nte.Status]bool{nte.NTE_BAD_DATA: true, nte.NTE_BAD_TYPE: true, nte.NTE_NOT_SUPPORTED: true, nte.NTE_INVALID_PARAMETER: true}

// fuzzFormats reads blobs of a family. Whatever is read is written, where it can be, and what is written is read as the same key and written as the same
// bytes. A blob of the length of the one that was written is that one, or has fields that say nothing.
func fuzzFormats(f *testing.F, samples []sample, names ...string) {
	for _, s := range samples {
		f.Add(s.curve, s.data)
	}
	f.Fuzz(func(t *testing.T, curve string, data []byte) {
		o := &blob.Options{Curve: curve}
		for _, name := range names {
			k, err := blob.Read(name, data, o)
			if err != nil {
				if !statuses[nte.Code(err)] {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			checkWritten(t, name, k, o, len(data))
			k.Close()
		}
	})
}

func checkWritten(t *testing.T, name string, k *blob.Key, o *blob.Options, length int) {
	t.Helper()
	out, err := blob.Write(name, k, o)
	if err != nil {
		if !statuses[nte.Code(err)] {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	defer out.Close()
	if out.Len() > 2*length+5120 { // explicit parameters have the curve's length, and a seed may be written out
		t.Errorf("%s: %d bytes became %d", name, length, out.Len())
	}
	again, err := blob.Read(name, out.Bytes(), o)
	if err != nil && (name == "PUBLICBLOB" || name == "PRIVATEBLOB") {
		return // it was read in one format and written in another, which may want the curve's name, or primes that are some
	}
	if err != nil {
		t.Fatalf("%s: what was written is not read: %v", name, err)
	}
	defer again.Close()
	second, err := blob.Write(name, again, o)
	if err != nil || !second.Equal(out.Bytes()) {
		t.Errorf("%s: written as %x, then as %x, %v", name, out.Bytes(), second.Bytes(), err)
	}
	second.Close()
}

func FuzzRSA(f *testing.F) {
	fuzzFormats(f, rsaSamples(f), "RSAPUBLICBLOB", "RSAPRIVATEBLOB", "RSAFULLPRIVATEBLOB", "CAPIPUBLICBLOB", "CAPIPRIVATEBLOB")
}

func FuzzECC(f *testing.F) {
	fuzzFormats(f, eccSamples(f), "ECCPUBLICBLOB", "ECCPRIVATEBLOB", "ECCFULLPUBLICBLOB", "ECCFULLPRIVATEBLOB")
}

func FuzzGroup(f *testing.F) {
	fuzzFormats(f, groupSamples(f), "DHPUBLICBLOB", "DHPRIVATEBLOB", "DSAPUBLICBLOB", "DSAPRIVATEBLOB", "CAPIDHPUBLICBLOB", "CAPIDHPRIVATEBLOB",
		"CAPIDSAPUBLICBLOB", "CAPIDSAPRIVATEBLOB", "V2CAPIDSAPUBLICBLOB", "V2CAPIDSAPRIVATEBLOB")
}

func FuzzSecret(f *testing.F) {
	fuzzFormats(f, secretSamples(), "KeyDataBlob", "CipherKeyBlob", "KDFKeyBlob", "ProtectedKeyBlob")
}

func FuzzPostQuantum(f *testing.F) {
	fuzzFormats(f, pqSamples(f), "PQDSAPUBLICBLOB", "PQDSAPRIVATEBLOB", "PQDSAPRIVATESEEDBLOB", "MLKEMPUBLICBLOB", "MLKEMPRIVATEBLOB",
		"MLKEMPRIVATESEEDBLOB", "PQPrivateKeyBlob")
}

func FuzzGeneric(f *testing.F) {
	fuzzFormats(f, samples(f), "PUBLICBLOB", "PRIVATEBLOB")
}

// parts are the attributes that keys are made of.
var parts = []ck.AttributeType{
	ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT, ck.CKA_PRIVATE_EXPONENT, ck.CKA_PRIME_1, ck.CKA_PRIME_2, ck.CKA_EXPONENT_1, ck.CKA_EXPONENT_2, ck.CKA_COEFFICIENT,
	ck.CKA_EC_PARAMS, ck.CKA_EC_POINT, ck.CKA_VALUE, ck.CKA_PRIME, ck.CKA_SUBPRIME, ck.CKA_BASE, ck.CKA_PARAMETER_SET, ck.CKA_SEED,
}

var keyTypes = []ck.KeyType{
	ck.CKK_RSA, ck.CKK_EC, ck.CKK_EC_MONTGOMERY, ck.CKK_DH, ck.CKK_X9_42_DH, ck.CKK_DSA, ck.CKK_AES, ck.CKK_GENERIC_SECRET, ck.CKK_ML_DSA, ck.CKK_ML_KEM,
	ck.CKK_SLH_DSA, ck.CKK_DES3,
}

// encodeKey is the other side of decodeKey, for seeds.
func encodeKey(k *blob.Key) []byte {
	out := []byte{byte(bytes.IndexByte([]byte{2, 3, 4}, byte(k.Class)))}
	for i, keyType := range keyTypes {
		if keyType == k.KeyType {
			out = append(out, byte(i))
		}
	}
	for _, part := range k.Parts() {
		for i, typ := range parts {
			if typ == part.Type {
				out = append(append(out, byte(i), byte(len(part.Value)>>8), byte(len(part.Value))), part.Value...)
			}
		}
	}
	return out
}

// decodeKey makes a key of anything: its class, its type, and numbers with their lengths.
func decodeKey(algorithm string, data []byte) *blob.Key {
	if len(data) < 2 {
		return nil
	}
	k := &blob.Key{Algorithm: algorithm, Class: ck.ObjectClass(2 + data[0]%3), KeyType: keyTypes[int(data[1])%len(keyTypes)]}
	for data = data[2:]; len(data) >= 3; {
		typ, n := parts[int(data[0])%len(parts)], int(data[1])<<8|int(data[2])
		n = min(n, len(data)-3)
		value := data[3 : 3+n]
		switch {
		case data[0] >= 240:
			k.Public = value
		case data[0] >= 224 && n >= 4:
			k.Domain = &blob.Domain{Count: [4]byte(value), Seed: value[4:], Hash: uint32(n), Standard: 1}
		default:
			k.PutSecret(typ, value)
		}
		data = data[3+n:]
	}
	return k
}

// FuzzWrite writes any key in any format: it is refused, or what was written is read.
func FuzzWrite(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.algorithm, encodeKey(read(f, &s)))
	}
	f.Fuzz(func(t *testing.T, algorithm string, data []byte) {
		k := decodeKey(algorithm, data)
		if k == nil {
			return
		}
		defer k.Close()
		for _, name := range blob.PlainFormats() {
			out, err := blob.Write(name, k, nil)
			switch {
			case err == nil:
				out.Close()
			case !statuses[nte.Code(err)]:
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
