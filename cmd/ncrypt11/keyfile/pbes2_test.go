package keyfile_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/pem"
	"strings"
	"testing"
)

// TestWork checks that a file cannot keep the reader busy.
func TestWork(t *testing.T) {
	const small, large = "\x02\x02\x04\x00\x02\x01\x08\x02\x01\x01", "\x02\x02\x40\x00\x02\x01\x7f\x02\x01\x7f" // N, r, p
	scrypt, _ := pem.Decode(fixture(t, "ed25519-scrypt.pem"))
	if !bytes.Contains(scrypt.Bytes, []byte(small)) {
		t.Fatal("the fixture has other scrypt parameters than expected")
	}
	const forever = 1 << 31
	count := list(octets("salt"), integer(forever))
	contents := octets(string(list(list(oid(1, 2, 840, 113549, 1, 7, 1), octets(string(count))))))
	for name, data := range map[string][]byte{
		"scrypt":                 bytes.Replace(scrypt.Bytes, []byte(small), []byte(large), 1),
		"PBKDF2":                 encrypted(kdf(octets("salt"), integer(forever)), aes256(iv), iv),
		"PKCS #12 MAC":           list(integer(3), list(), list(list(), octets("salt"), integer(forever))),
		"PKCS #12 contents":      list(integer(3), list(oid(1, 2, 840, 113549, 1, 7, 1), contents)),
		"PKCS #12 nested deeply": list(integer(3), nested(100)),
	} {
		t.Run(name, func(t *testing.T) {
			want := "DER file: its key derivation asks for more work than is sensible"
			if strings.HasPrefix(name, "PKCS #12") {
				want += "; take it apart with: openssl pkcs12 -in FILE -out NEW"
			}
			wantError(t, data, want)
		})
	}
}

// TestPBES2Parameters checks that what the parameters say is checked, and before anybody is asked for a passphrase where possible.
func TestPBES2Parameters(t *testing.T) {
	salt := octets("salt")
	good := kdf(salt, integer(1))
	scrypt := func(n, r, p int) []byte {
		return list(oid(1, 3, 6, 1, 4, 1, 11591, 4, 11), list(salt, integer(n), integer(r), integer(p)))
	}
	const damaged = "the structure is damaged"
	anew := " is not supported; encrypt it anew with: " + convert
	for _, row := range []struct {
		name string
		der  []byte
		want string
	}{
		{"wrong key", encrypted(good, aes256(iv), iv), "wrong passphrase, or the file is damaged"},
		{"short IV", encrypted(good, aes256(iv[:15]), iv), damaged},
		{"no IV", encrypted(good, aes256(""), iv), damaged},
		{"ciphertext of no block", encrypted(good, aes256(iv), ""), damaged},
		{"ciphertext of half a block", encrypted(good, aes256(iv), iv[:8]), damaged},
		{"no iterations", encrypted(kdf(salt, integer(0)), aes256(iv), iv), damaged},
		{"key length of another cipher", encrypted(kdf(salt, integer(1), integer(16)), aes256(iv), iv), damaged},
		{"scrypt cost not a power of two", encrypted(scrypt(3, 8, 1), aes256(iv), iv), damaged},
		{"scrypt block size of zero", encrypted(scrypt(2, 0, 1), aes256(iv), iv), damaged},
		{"scrypt cost", encrypted(scrypt(1<<30, 1, 1), aes256(iv), iv), "its key derivation asks for more work than is sensible"},
		{"scrypt parallelization", encrypted(scrypt(2, 1, 1<<30), aes256(iv), iv), "its key derivation asks for more work than is sensible"},
		{"unknown cipher", encrypted(good, list(oid(1, 2, 3), octets(iv)), iv), "its cipher OID 1.2.3" + anew},
		{"unknown key derivation", encrypted(list(oid(1, 2, 3), list()), aes256(iv), iv), "its key derivation OID 1.2.3" + anew},
		{"unknown hash", encrypted(kdf(salt, integer(1), list(oid(1, 2, 3))), aes256(iv), iv),
			"its key derivation uses the hash OID 1.2.3, which" + anew},
	} {
		t.Run(row.name, func(t *testing.T) { wantError(t, row.der, "DER file: "+row.want) })
	}
}

const iv = "0123456789abcdef"

// encrypted, kdf and aes256 make an EncryptedPrivateKeyInfo under PBES2, a PBKDF2 algorithm and a cipher algorithm.
func encrypted(kdf, cipher []byte, ciphertext string) []byte {
	return list(list(oid(1, 2, 840, 113549, 1, 5, 13), list(kdf, cipher)), octets(ciphertext))
}

func kdf(parameters ...[]byte) []byte {
	return list(oid(1, 2, 840, 113549, 1, 5, 12), list(parameters...))
}

func aes256(iv string) []byte { return list(oid(2, 16, 840, 1, 101, 3, 4, 1, 42), octets(iv)) }

// list, octets, integer and oid encode DER.
func list(elements ...[]byte) []byte {
	return element(asn1.TagSequence|0x20, bytes.Join(elements, nil))
}

func octets(content string) []byte { return element(asn1.TagOctetString, []byte(content)) }

func integer(n int) []byte { return must(asn1.Marshal(n)) }

func oid(arcs ...int) []byte { return must(asn1.Marshal(asn1.ObjectIdentifier(arcs))) }

func nested(depth int) []byte {
	der := list()
	for range depth {
		der = list(der)
	}
	return der
}

func element(tag byte, content []byte) []byte {
	return must(asn1.Marshal(asn1.RawValue{Tag: int(tag &^ 0x20), IsCompound: tag&0x20 != 0, Bytes: content}))
}

func must(der []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return der
}
