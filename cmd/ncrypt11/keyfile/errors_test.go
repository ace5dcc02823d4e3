package keyfile_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/keyfile"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

const (
	newKey  = "generate a new RSA, EC (P-256, P-384, P-521) or Ed25519 key"
	curve   = "use a key on P-256, P-384 or P-521"
	convert = "openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW"
)

// refused lists every fixture that cannot be read, with the whole message.
var refused = []struct{ file, want string }{
	{"bad-legacy-encrypted.pem", "PEM block 1 (RSA PRIVATE KEY): it is encrypted in the legacy OpenSSL manner (AES-128-CBC); convert it with: " + convert},
	{"bad-pbes1.pem", "PEM block 1 (ENCRYPTED PRIVATE KEY): its encryption is not PBES2 (OID 1.2.840.113549.1.12.1.3); encrypt it anew with: " + convert},
	{"bad-secp224r1-sec1.pem", "PEM block 1 (EC PRIVATE KEY): the curve P-224 is not supported; " + curve},
	{"bad-secp224r1-pkcs8.pem", "PEM block 1 (PRIVATE KEY): the curve P-224 is not supported; " + curve},
	{"bad-secp256k1-sec1.pem", "PEM block 1 (EC PRIVATE KEY): the curve secp256k1 is not supported; " + curve},
	{"bad-secp256k1-pkcs8.pem", "PEM block 1 (PRIVATE KEY): the curve secp256k1 is not supported; " + curve},
	{"bad-secp256k1-aes256.pem", "PEM block 1 (ENCRYPTED PRIVATE KEY): the curve secp256k1 is not supported; " + curve},
	{"bad-brainpoolP256r1-sec1.pem", "PEM block 1 (EC PRIVATE KEY): the curve brainpoolP256r1 is not supported; " + curve},
	{"bad-brainpoolP256r1-pkcs8.pem", "PEM block 1 (PRIVATE KEY): the curve brainpoolP256r1 is not supported; " + curve},
	{"bad-explicit-curve.pem", "PEM block 1 (EC PRIVATE KEY): the curve is described by its parameters instead of its name; convert it with: openssl ec -param_enc named_curve -in FILE -out NEW"},
	{"bad-ed448.pem", "PEM block 1 (PRIVATE KEY): Ed448 keys are not supported; " + newKey},
	{"bad-ml-kem.pem", "PEM block 1 (PRIVATE KEY): ML-KEM-768 keys are not supported; " + newKey},
	{"bad-ml-dsa-without-seed.pem", "PEM block 1 (PRIVATE KEY): the ML-DSA-65 key is without its seed, and cannot be used so; give the file that has its seed, or generate a new key in the token"},
	{"bad-rsa-pss.pem", "PEM block 1 (PRIVATE KEY): RSASSA-PSS keys are not supported; " + newKey},
	{"bad-rsa-three-primes.pem", "PEM block 1 (RSA PRIVATE KEY): RSA keys of 3 primes are not supported; generate a new key of two primes"},
	{"bad-dsa.pem", "PEM block 1 (PRIVATE KEY): DSA keys are not supported; " + newKey},
	{"bad-openssh-dsa", "PEM block 1 (OPENSSH PRIVATE KEY): DSA keys are not supported; " + newKey},
	{"bad-openssh-gcm", "PEM block 1 (OPENSSH PRIVATE KEY): its cipher aes256-gcm@openssh.com is not supported; encrypt a copy anew with: ssh-keygen -p -Z aes256-ctr -f COPY"},
	{"bad-no-certificate.p12", "DER file: it cannot be read as one private key and its certificates: pkcs12: certificate missing; take it apart with: openssl pkcs12 -in FILE -out NEW"},
	{"bad-no-key.p12", "DER file: it cannot be read as one private key and its certificates: pkcs12: private key missing; take it apart with: openssl pkcs12 -in FILE -out NEW"},
	{"bad-pkcs7.der", "DER file: it is a PKCS #7 or CMS bundle, which has no private keys; get its certificates with: openssl pkcs7 -print_certs -inform DER -in FILE -out NEW"},
	{"bad-certificate-request.pem", "PEM block 1 (CERTIFICATE REQUEST): it is a certificate request, which has neither a key nor a certificate to import; give the file of the private key"},
	{"bad-certificate-request.der", "DER file: it is a certificate request, which has neither a key nor a certificate to import; give the file of the private key"},
	{"bad-trusted-certificate.pem", "PEM block 1 (TRUSTED CERTIFICATE): it is a certificate with OpenSSL trust settings; convert it with: openssl x509 -in FILE -out NEW"},
}

func TestRefusedFixtures(t *testing.T) {
	for _, row := range refused {
		t.Run(row.file, func(t *testing.T) { wantError(t, fixture(t, row.file), row.want) })
	}
}

func TestDamaged(t *testing.T) {
	pkcs1, pkcs8 := fixture(t, "rsa-pkcs1.der"), fixture(t, "rsa-pkcs8.pem")
	bundle := string(fixture(t, "server-bundle.pem"))
	sec1 := fixture(t, "ec-P-384-sec1.der")
	mldsa65, _ := pem.Decode(fixture(t, "ml-dsa-65-pkcs8.pem"))
	for _, row := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "the file is empty"},
		{"too big", make([]byte, keyfile.MaxSize+1), "the file is larger than 1 MiB; no key file is; check the name"},
		{"only white space", []byte(" \n"), "it is neither PEM nor DER; give a key file in PEM, DER, PKCS #12 or OpenSSH format"},
		{"only parameters", []byte(bundle[strings.Index(bundle, "-----BEGIN EC PAR"):strings.Index(bundle, "-----BEGIN EC PRI")]),
			"it holds parameters, but no key and no certificate; give the file of the private key"},
		{"DER and more", append(bytes.Clone(pkcs1), "\r\n"...), "DER file: 2 bytes follow the end of the structure; remove them, or copy the file again"},
		{"DER cut off", pkcs1[:len(pkcs1)-1], "DER file: it is not DER, or it is cut off; copy the file again"},
		{"BER", []byte("\x30\x80\x02\x01\x03\x00\x00"), "DER file: it is BER, not DER; rewrite a PKCS #12 file with: openssl pkcs12 -in FILE -out NEW"},
		{"DER of something else", []byte("\x30\x03\x01\x01\xff"), "DER file: its structure is that of no key and no certificate; copy the file again, or check its name"},
		{"PEM and more", append(bytes.Clone(pkcs8), "MIIE\n"...), "5 bytes of text follow the last PEM block; remove them, or copy the file again if it was cut"},
		{"PEM cut off", pkcs8[:len(pkcs8)-10], "PEM block 1: the block is damaged: no matching END line, or not base64; copy the file again"},
		{"PEM not base64", bytes.Replace(pkcs8, []byte("MII"), []byte("M*I"), 1), "PEM block 1: the block is damaged: no matching END line, or not base64; copy the file again"},
		{"second of five blocks damaged", []byte(strings.Replace(bundle, "-----END EC PARAMETERS-----\n", "", 1)),
			"PEM block 2: the block is damaged: no matching END line, or not base64; copy the file again"},
		{"PEM with an empty block", []byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"), "PEM block 1 (PRIVATE KEY): it is empty"},
		{"PKCS #1 labeled as PKCS #8", encode("PRIVATE KEY", pkcs1),
			"PEM block 1 (PRIVATE KEY): the label announces a PKCS #8 private key, but what follows is a PKCS #1 RSA private key; correct the BEGIN and END lines"},
		{"unknown label", encode("MY\x1b[31m KEY", pkcs1), "PEM block 1 (MY?[31m KEY): blocks of this type are not supported; give the file of the private key"},
		{"RSA modulus", flip(pkcs1, 100), "DER file: the RSA key is not valid: "},
		{"RSA private exponent", flip(pkcs1, 400), "DER file: the RSA key is not valid: "},
		{"RSA too large", huge(), "DER file: RSA keys of more than 16384 bits are not supported"},
		{"EC scalar", flip(sec1, 20), "DER file: its public half does not belong to its private half; the file is damaged; get it anew"},
		{"EC point", flip(sec1, len(sec1)-1), "DER file: its public half does not belong to its private half; the file is damaged; get it anew"},
		{"EC without a curve", []byte("\x30\x06\x02\x01\x01\x04\x01\x01"), "DER file: the key does not name its curve; " + curve},
		{"EC on two curves", twoCurves(t), "DER file: the key names two different curves"},
		{"Ed25519 of 31 bytes", list(integer(0), list(oid(1, 3, 101, 112)), octets(string(octets(strings.Repeat("x", 31))))), "DER file: the Ed25519 key is not valid: "},
		{"ML-DSA of another seed", flip(mldsa65.Bytes, 40), "DER file: its public half does not belong to its private half; the file is damaged; get it anew"},
		{"ML-DSA of another key", flip(mldsa65.Bytes, 75), "DER file: its public half does not belong to its private half; the file is damaged; get it anew"},
		{"ML-DSA of 31 bytes", list(integer(0), list(oid(2, 16, 840, 1, 101, 3, 4, 3, 17)), octets("\x80\x1f"+strings.Repeat("x", 31))), "DER file: the ML-DSA-44 key is not valid: "},
		{"ML-DSA of nothing", list(integer(0), list(oid(2, 16, 840, 1, 101, 3, 4, 3, 17)), octets("\x30\x00")), "DER file: the structure is damaged"},
		{"ML-DSA public of 1 byte", list(list(oid(2, 16, 840, 1, 101, 3, 4, 3, 17)), element(asn1.TagBitString, []byte{0, 0})), "DER file: the ML-DSA-44 public key cannot be read: "},
		{"unknown algorithm", list(integer(0), list(oid(1, 2, 3)), octets("x")), "DER file: OID 1.2.3 keys are not supported; " + newKey},
		{"no algorithm", list(integer(0), list(), octets("x")), "DER file: the key does not name its algorithm"},
		{"DSA", list(bytes.Repeat(integer(0), 6)), "DER file: DSA keys are not supported; " + newKey},
		{"DSA public", list(list(oid(1, 2, 840, 10040, 4, 1)), element(asn1.TagBitString, []byte{0, 0})), "DER file: DSA keys are not supported; " + newKey},
		{"Ed25519 public of 1 byte", list(list(oid(1, 3, 101, 112)), element(asn1.TagBitString, []byte{0, 0})), "DER file: the public key cannot be read: "},
		{"RSA public of zero", list(integer(0), integer(0)), "DER file: the RSA public key cannot be read: "},
		{"OpenSSH, public half in clear exchanged", exchangePublic(t, 1),
			"PEM block 1 (OPENSSH PRIVATE KEY): its public half does not belong to its private half; the file is damaged; get it anew"},
		{"OpenSSH, public half exchanged everywhere", exchangePublic(t, -1),
			"PEM block 1 (OPENSSH PRIVATE KEY): its public half does not belong to its private half; the file is damaged; get it anew"},
		{"OpenSSH cut off", encode("OPENSSH PRIVATE KEY", []byte("openssh-key-v1\x00\x00\x00\x00\x04none")), "PEM block 1 (OPENSSH PRIVATE KEY): the structure is damaged"},
	} {
		t.Run(row.name, func(t *testing.T) { wantError(t, row.data, row.want) })
	}
}

func TestForeign(t *testing.T) {
	for _, row := range []struct{ name, data, want string }{
		{"PuTTY", "PuTTY-User-Key-File-3: ssh-ed25519\n", "it is a PuTTY private key; convert it with: puttygen FILE -O private-openssh-new -o NEW"},
		{"OpenSSH public", string(fixture(t, "openssh-rsa.pub")), "it is an SSH public key where a private key was expected; give the file without .pub"},
		{"JKS", "\xfe\xed\xfe\xed\x00\x00\x00\x02", "it is a Java key store (JKS); convert it with: keytool -importkeystore -srckeystore FILE -destkeystore NEW -deststoretype PKCS12"},
		{"JWK", ` {"kty":"EC"}`, "it is JSON, perhaps a JSON Web Key; convert it to PKCS #8 PEM"},
		{"UTF-16", "\xff\xfe-\x00-\x00", "it is UTF-16 text; convert it with: iconv -f UTF-16 -t UTF-8 FILE"},
		{"OpenPGP", string(encode("PGP PRIVATE KEY BLOCK", []byte("x"))), "PEM block 1 (PGP PRIVATE KEY BLOCK): OpenPGP keys are not supported; "},
		{"TPM", string(encode("TSS2 PRIVATE KEY", []byte("x"))), "PEM block 1 (TSS2 PRIVATE KEY): the key is wrapped by a TPM, which does not give it out; generate a new key in the token"},
		{"FIDO", string(encode("OPENSSH PRIVATE KEY", []byte("openssh-key-v1\x00\x00\x00\x00\x04none\x00\x00\x00\x04none\x00\x00\x00\x00\x00\x00\x00\x01"+
			"\x00\x00\x00\x1e\x00\x00\x00\x1ask-ssh-ed25519@openssh.com\x00\x00\x00\x00"))),
			"PEM block 1 (OPENSSH PRIVATE KEY): the private key is inside a FIDO security key, which does not give it out; " + newKey},
	} {
		t.Run(row.name, func(t *testing.T) { wantError(t, []byte(row.data), row.want) })
	}
}

func TestPassphrase(t *testing.T) {
	cancelled := errors.New("nobody answered")
	for _, row := range good {
		if row.asks == 0 {
			continue
		}
		t.Run(row.file, func(t *testing.T) {
			for _, c := range []struct {
				name string
				ask  func(string) (*secret.Bytes, error)
				want error
			}{
				{"wrong", answer("wrong horse"), keyfile.ErrPassphrase},
				{"empty", answer(""), keyfile.ErrPassphrase},
				{"nobody to ask", nil, keyfile.ErrPassphraseNeeded},
				{"cancelled", func(string) (*secret.Bytes, error) { return nil, cancelled }, cancelled},
			} {
				file, err := keyfile.Parse(fixture(t, row.file), c.ask)
				if !errors.Is(err, c.want) || file != nil {
					t.Errorf("%s: %v, want %v", c.name, err, c.want)
				}
			}
		})
	}
}

func wantError(t *testing.T, data []byte, want string) {
	t.Helper()
	file, err := keyfile.Parse(data, answer(passphrase))
	if err == nil || file != nil {
		t.Fatalf("read, want error %s", want)
	}
	var typed *keyfile.Error
	if !errors.As(err, &typed) {
		t.Errorf("error of type %T", err)
	}
	// A message that ends in a colon and a space goes on with the words of a library.
	if got := err.Error(); got != want && !(strings.HasSuffix(want, " ") && strings.HasPrefix(got, want)) {
		t.Errorf("error %s\nwant  %s", got, want)
	}
}

func encode(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func flip(data []byte, i int) []byte {
	data = bytes.Clone(data)
	data[i] ^= 1
	return data
}

// huge is an RSA key that would take long to check.
func huge() []byte {
	number := element(asn1.TagInteger, bytes.Repeat([]byte{0x55}, 1<<16))
	return list(integer(0), number, integer(65537), number, number, number, number, number, number)
}

// exchangePublic puts another public key into an OpenSSH key, in the first n of the places where it stands.
func exchangePublic(t *testing.T, n int) []byte {
	t.Helper()
	block, _ := pem.Decode(fixture(t, "openssh-ed25519"))
	own := expected(t, "openssh-ed25519").(ed25519.PublicKey)
	other := expected(t, "openssh-ed25519-encrypted").(ed25519.PublicKey)
	const places = 3
	if bytes.Count(block.Bytes, own) != places {
		t.Fatal("the fixture is not what it was")
	}
	return encode("OPENSSH PRIVATE KEY", bytes.Replace(block.Bytes, own, other, n))
}

// twoCurves is a PKCS #8 key that says P-384 outside and P-256 inside.
func twoCurves(t *testing.T) []byte {
	t.Helper()
	block, _ := pem.Decode(fixture(t, "ec-P-256-sec1.pem"))
	return list(integer(0), list(oid(1, 2, 840, 10045, 2, 1), oid(1, 3, 132, 0, 34)), octets(string(block.Bytes)))
}
