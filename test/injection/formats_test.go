package injection_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"slices"
	"strconv"
	"testing"
)

// The structures of cardmod.h, bcrypt.h and wincrypt.h as this test writes and reads them, by the headers alone.

const (
	userPIN       = "1234"
	noCard        = "1"
	keyExchange   = 1
	signature     = 2
	ecdsaP256     = 3
	keyGen        = 1
	paddingPKCS1  = 2
	paddingOAEP   = 8
	cipherOps     = 1
	asymmetricOps = 2
)

func x(b []byte) string { return hex.EncodeToString(b) }

func n(number int) string { return strconv.Itoa(number) }

func dwords(numbers ...uint32) (b []byte) {
	for _, number := range numbers {
		b = binary.LittleEndian.AppendUint32(b, number)
	}
	return b
}

// wide is UTF-16 with its NUL, for ASCII.
func wide(s string) (b []byte) {
	for _, c := range []byte(s) {
		b = append(b, c, 0)
	}
	return append(b, 0, 0)
}

// keyData is a KeyDataBlob.
func keyData(key []byte) []byte {
	return slices.Concat([]byte("KDBM"), dwords(1, uint32(len(key))), key)
}

func little(number *big.Int, size int) []byte {
	b := number.FillBytes(make([]byte, size))
	slices.Reverse(b)
	return b
}

// privateBlob is a PRIVATEKEYBLOB.
func privateBlob(key *rsa.PrivateKey) []byte {
	size, half := key.Size(), key.Size()/2
	c := key.Precomputed
	return slices.Concat([]byte{7, 2, 0, 0, 0, 0xa4, 0, 0}, []byte("RSA2"), dwords(uint32(8*size), uint32(key.E)), little(key.N, size), little(key.Primes[0], half),
		little(key.Primes[1], half), little(c.Dp, half), little(c.Dq, half), little(c.Qinv, half), little(key.D, size))
}

// publicKey reads a PUBLICKEYBLOB.
func publicKey(t *testing.T, b []byte) *rsa.PublicKey {
	t.Helper()
	if len(b) < 20 || b[0] != 6 || string(b[8:12]) != "RSA1" || len(b) != 20+int(binary.LittleEndian.Uint32(b[12:]))/8 {
		t.Fatalf("not a PUBLICKEYBLOB: %x", b)
	}
	modulus := slices.Clone(b[20:])
	slices.Reverse(modulus)
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(binary.LittleEndian.Uint32(b[16:]))}
}

// importKeyPair is CARD_IMPORT_KEYPAIR with its key.
func importKeyPair(container byte, spec, bits uint32, key []byte) []byte {
	return slices.Concat(dwords(7), []byte{container, 0, 0, 0}, dwords(1, spec, bits, uint32(len(key))), key)
}

// pkcs1 encrypts by PKCS #1 v1.5, which cards have and Go advises against.
func pkcs1(t testing.TB, public *rsa.PublicKey, plain []byte) []byte {
	t.Helper()
	//lint:ignore SA1019 the padding is what is tested
	encrypted, err := rsa.EncryptPKCS1v15(rand.Reader, public, plain)
	if err != nil {
		t.Fatal(err)
	}
	return encrypted
}
