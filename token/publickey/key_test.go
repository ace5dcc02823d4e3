package publickey_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"math/big"
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/publickey"
)

var oaepHashes = []struct{ hash, mask mech.Hash }{
	{mech.SHA1, mech.SHA1}, {mech.SHA256, mech.SHA256}, {mech.SHA256, mech.SHA1}, {mech.SHA384, mech.SHA512}, {mech.SHA3_256, mech.SHA3_256},
}

// rsaKeys are of whole bytes, of one bit more (where the PSS message is a byte shorter than the modulus) and of one less.
var rsaKeys = sync.OnceValue(func() map[int]*rsa.PrivateKey {
	keys := map[int]*rsa.PrivateKey{}
	for _, bits := range []int{1024, 1025, 2047, 2048} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		keys[bits] = key
	}
	return keys
})

func TestOAEPDecryptsInGo(t *testing.T) {
	private := rsaKeys()[2048]
	key := parse(t, &private.PublicKey)
	for _, test := range oaepHashes {
		for _, label := range [][]byte{nil, []byte("label")} {
			params := ck.OAEPParams{Hash: test.hash.Mechanism(), MGF: test.mask.MGF(), Source: ck.CKZ_DATA_SPECIFIED, Label: label}
			s := scheme(t, ck.CKM_RSA_PKCS_OAEP, params, mech.OpEncrypt)
			longest := bytes.Repeat([]byte{7}, 256-2-2*test.hash.Size())
			for _, data := range [][]byte{nil, []byte("data"), longest} {
				out, err := key.Encrypt([]byte("before"), s, data)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.HasPrefix(out, []byte("before")) {
					t.Fatal("Encrypt does not append")
				}
				options := &rsa.OAEPOptions{Hash: test.hash.Crypto(), MGFHash: test.mask.Crypto(), Label: label}
				back, err := private.Decrypt(nil, out[6:], options)
				if err != nil || !bytes.Equal(back, data) {
					t.Errorf("%v, %v: %x, %v", test.hash, test.mask, back, err)
				}
			}
			if _, err := key.Encrypt(nil, s, append(longest, 1)); !errors.Is(err, ck.CKR_DATA_LEN_RANGE) {
				t.Errorf("a byte too many: %v", err)
			}
		}
	}
}

func TestRSAPKCS1AndRaw(t *testing.T) {
	for bits, private := range rsaKeys() {
		key := parse(t, &private.PublicKey)
		size := private.Size()
		if key.Bits() != bits || key.SignatureLen() != size {
			t.Fatalf("%d bits: Bits %d, SignatureLen %d", bits, key.Bits(), key.SignatureLen())
		}
		longest := bytes.Repeat([]byte{0}, size-11)
		for _, data := range [][]byte{nil, []byte("data"), longest} {
			checkPKCS1(t, private, key, data)
		}
		plain := scheme(t, ck.CKM_RSA_PKCS, nil, mech.OpEncrypt)
		if _, err := key.Encrypt(nil, plain, append(longest, 1)); !errors.Is(err, ck.CKR_DATA_LEN_RANGE) {
			t.Errorf("%d bits: a byte too many: %v", bits, err)
		}
		checkRaw(t, private, key)
	}
}

func checkPKCS1(t *testing.T, private *rsa.PrivateKey, key publickey.Key, data []byte) {
	t.Helper()
	s := scheme(t, ck.CKM_RSA_PKCS, nil, mech.OpVerify)
	out, err := key.Encrypt(nil, s, data)
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 CKM_RSA_PKCS is this padding
	if back, err := rsa.DecryptPKCS1v15(nil, private, out); err != nil || !bytes.Equal(back, data) {
		t.Errorf("decrypts to %x, %v", back, err)
	}
	sig, err := rsa.SignPKCS1v15(nil, private, 0, data)
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Verify(s, data, sig); err != nil {
		t.Errorf("Verify: %v", err)
	}
	if back, err := key.VerifyRecover([]byte{9}, s, sig); err != nil || !bytes.Equal(back, append([]byte{9}, data...)) {
		t.Errorf("VerifyRecover: %x, %v", back, err)
	}
	if err := key.Verify(s, []byte("other"), sig); !errors.Is(err, ck.CKR_SIGNATURE_INVALID) {
		t.Errorf("other data: %v", err)
	}
	if err := key.Verify(s, make([]byte, key.SignatureLen()-10), sig); !errors.Is(err, ck.CKR_DATA_LEN_RANGE) {
		t.Errorf("too much data: %v", err)
	}
	if err := key.Verify(s, data, sig[1:]); !errors.Is(err, ck.CKR_SIGNATURE_LEN_RANGE) {
		t.Errorf("a short signature: %v", err)
	}
	sig[len(sig)-1] ^= 1
	if _, err := key.VerifyRecover(nil, s, sig); !errors.Is(err, ck.CKR_SIGNATURE_INVALID) {
		t.Errorf("VerifyRecover of a broken signature: %v", err)
	}
}

func checkRaw(t *testing.T, private *rsa.PrivateKey, key publickey.Key) {
	t.Helper()
	s := scheme(t, ck.CKM_RSA_X_509, nil, mech.OpVerify)
	data := []byte{0, 0, 5, 6, 7}
	number := new(big.Int).SetBytes(data)
	want := new(big.Int).Exp(number, big.NewInt(int64(private.E)), private.N).FillBytes(make([]byte, private.Size()))
	if got, err := key.Encrypt(nil, s, data); err != nil || !bytes.Equal(got, want) {
		t.Errorf("raw Encrypt: %x, %v", got, err)
	}
	sig := new(big.Int).Exp(number, private.D, private.N).FillBytes(make([]byte, private.Size()))
	for _, same := range [][]byte{data, data[2:], number.FillBytes(make([]byte, private.Size()))} {
		if err := key.Verify(s, same, sig); err != nil {
			t.Errorf("raw Verify of %d bytes: %v", len(same), err)
		}
	}
	if err := key.Verify(s, []byte{5, 6, 8}, sig); !errors.Is(err, ck.CKR_SIGNATURE_INVALID) {
		t.Errorf("raw Verify of another number: %v", err)
	}
	if back, err := key.VerifyRecover(nil, s, sig); err != nil || new(big.Int).SetBytes(back).Cmp(number) != 0 || len(back) != private.Size() {
		t.Errorf("raw VerifyRecover: %x, %v", back, err)
	}
	modulus := private.N.Bytes()
	if _, err := key.Encrypt(nil, s, modulus); !errors.Is(err, ck.CKR_DATA_INVALID) {
		t.Errorf("the modulus as data: %v", err)
	}
	if _, err := key.Encrypt(nil, s, append([]byte{0}, modulus...)); !errors.Is(err, ck.CKR_DATA_LEN_RANGE) {
		t.Errorf("more than the modulus' bytes: %v", err)
	}
	if err := key.Verify(s, data, modulus); !errors.Is(err, ck.CKR_SIGNATURE_INVALID) {
		t.Errorf("the modulus as signature: %v", err)
	}
	if _, err := key.VerifyRecover(nil, s, modulus); !errors.Is(err, ck.CKR_SIGNATURE_INVALID) {
		t.Errorf("the modulus as signature that recovers: %v", err)
	}
	if err := key.Verify(s, make([]byte, private.Size()+1), sig); !errors.Is(err, ck.CKR_DATA_LEN_RANGE) {
		t.Errorf("too much data: %v", err)
	}
}

func TestPSSOfEverySize(t *testing.T) {
	for bits, private := range rsaKeys() {
		key := parse(t, &private.PublicKey)
		longest := (bits-1+7)/8 - 2 - 32
		for _, saltLen := range []int{1, 20, 32, longest} {
			params := ck.PSSParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, SaltLen: uint(saltLen)}
			s := scheme(t, ck.CKM_RSA_PKCS_PSS, params, mech.OpVerify)
			digest := mech.SHA256.Sum(nil, []byte("message"))
			sig, err := rsa.SignPSS(rand.Reader, private, crypto.SHA256, digest, &rsa.PSSOptions{SaltLength: saltLen})
			if err != nil {
				t.Fatal(err)
			}
			if err := key.Verify(s, digest, sig); err != nil {
				t.Errorf("%d bits, salt %d: %v", bits, saltLen, err)
			}
			other := *s
			other.SaltLen--
			if err := key.Verify(&other, digest, sig); !errors.Is(err, ck.CKR_SIGNATURE_INVALID) {
				t.Errorf("%d bits, salt %d taken for one less: %v", bits, saltLen, err)
			}
			if err := key.Verify(s, digest[1:], sig); !errors.Is(err, ck.CKR_DATA_LEN_RANGE) {
				t.Errorf("a short digest: %v", err)
			}
			for _, i := range []int{0, len(sig) / 2, len(sig) - 1} {
				broken := bytes.Clone(sig)
				broken[i] ^= 1
				if err := key.Verify(s, digest, broken); !errors.Is(err, ck.CKR_SIGNATURE_INVALID) {
					t.Errorf("%d bits: byte %d broken: %v", bits, i, err)
				}
			}
		}
		params := ck.PSSParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, SaltLen: uint(longest + 1)}
		err := key.Verify(scheme(t, ck.CKM_RSA_PKCS_PSS, params, mech.OpVerify), make([]byte, 32), make([]byte, key.SignatureLen()))
		if !errors.Is(err, ck.CKR_MECHANISM_PARAM_INVALID) {
			t.Errorf("%d bits: a salt too long: %v", bits, err)
		}
	}
}

func TestECDSAForms(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		private, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key := parse(t, &private.PublicKey)
		s := scheme(t, ck.CKM_ECDSA, nil, mech.OpVerify)
		size := (curve.Params().BitSize + 7) / 8
		if key.Bits() != curve.Params().BitSize || key.SignatureLen() != 2*size {
			t.Errorf("%s: Bits %d, SignatureLen %d", curve.Params().Name, key.Bits(), key.SignatureLen())
		}
		for _, n := range []int{1, 20, 32, 64, 100} { // longer than the order: the left bits count
			digest := bytes.Repeat([]byte{0x5a}, n)
			r, v, err := ecdsa.Sign(rand.Reader, private, digest)
			if err != nil {
				t.Fatal(err)
			}
			sig := append(r.FillBytes(make([]byte, size)), v.FillBytes(make([]byte, size))...)
			if err := key.Verify(s, digest, sig); err != nil {
				t.Errorf("%s, %d bytes: %v", curve.Params().Name, n, err)
			}
			sig[2] ^= 1
			if err := key.Verify(s, digest, sig); !errors.Is(err, ck.CKR_SIGNATURE_INVALID) {
				t.Errorf("%s: a broken signature: %v", curve.Params().Name, err)
			}
		}
		for _, n := range []int{0, 1, 2*size - 1, 2*size + 2} {
			if err := key.Verify(s, make([]byte, 32), make([]byte, n)); !errors.Is(err, ck.CKR_SIGNATURE_LEN_RANGE) {
				t.Errorf("%s: %d bytes: %v", curve.Params().Name, n, err)
			}
		}
		if err := key.Verify(s, make([]byte, 32), make([]byte, 2)); !errors.Is(err, ck.CKR_SIGNATURE_INVALID) {
			t.Errorf("%s: zeros: %v", curve.Params().Name, err)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The vectors of RFC 8032, sections 7.2 and 7.3.
func TestEd25519ContextAndPrehash(t *testing.T) {
	for _, test := range []struct {
		what, public, message, signature string
		params                           ck.EdDSAParams
	}{
		{
			"Ed25519ctx, foo", "dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292", "f726936d19c800494e3fdaff20b276a8",
			"55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d",
			ck.EdDSAParams{Context: []byte("foo")},
		},
		{
			"Ed25519ph", "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf", "616263",
			"98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
			ck.EdDSAParams{Prehash: true},
		},
	} {
		public, message, signature := unhex(t, test.public), unhex(t, test.message), unhex(t, test.signature)
		key := parse(t, ed25519.PublicKey(public))
		if err := key.Verify(scheme(t, ck.CKM_EDDSA, test.params, mech.OpVerify), message, signature); err != nil {
			t.Errorf("%s: %v", test.what, err)
		}
		if err := key.Verify(scheme(t, ck.CKM_EDDSA, nil, mech.OpVerify), message, signature); !errors.Is(err, ck.CKR_SIGNATURE_INVALID) {
			t.Errorf("%s verifies as plain Ed25519: %v", test.what, err)
		}
		if err := key.Verify(scheme(t, ck.CKM_EDDSA, nil, mech.OpVerify), message, signature[1:]); !errors.Is(err, ck.CKR_SIGNATURE_LEN_RANGE) {
			t.Errorf("%s: a short signature: %v", test.what, err)
		}
	}
}

func TestKeysDoOnlyWhatTheyCan(t *testing.T) {
	rsaPrivate := rsaKeys()[1024]
	ecPrivate, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edPublic, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	xPrivate, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecdsaScheme, pkcs1 := scheme(t, ck.CKM_ECDSA, nil, mech.OpVerify), scheme(t, ck.CKM_SHA256_RSA_PKCS, nil, mech.OpVerify)
	wrong := map[string]struct {
		key crypto.PublicKey
		s   *mech.Scheme
	}{
		"RSA": {&rsaPrivate.PublicKey, ecdsaScheme}, "EC": {&ecPrivate.PublicKey, pkcs1}, "Edwards": {edPublic, ecdsaScheme},
		"Montgomery": {xPrivate.PublicKey(), ecdsaScheme},
	}
	for name, test := range wrong {
		key := parse(t, test.key)
		sig := make([]byte, max(key.SignatureLen(), 64))
		_, recoverErr := key.VerifyRecover(nil, test.s, sig)
		_, encryptErr := key.Encrypt(nil, test.s, nil)
		for _, err := range []error{key.Verify(test.s, make([]byte, 32), sig), recoverErr, encryptErr} {
			if !errors.Is(err, ck.CKR_KEY_TYPE_INCONSISTENT) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// A mechanism that hashes neither encrypts nor gives data back.
	key := parse(t, &rsaPrivate.PublicKey)
	if _, err := key.Encrypt(nil, pkcs1, nil); !errors.Is(err, ck.CKR_KEY_TYPE_INCONSISTENT) {
		t.Errorf("Encrypt with CKM_SHA256_RSA_PKCS: %v", err)
	}
	if _, err := key.VerifyRecover(nil, pkcs1, make([]byte, 128)); !errors.Is(err, ck.CKR_KEY_TYPE_INCONSISTENT) {
		t.Errorf("VerifyRecover with CKM_SHA256_RSA_PKCS: %v", err)
	}
	short := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1022, 1), E: 3}
	keyType, parts := attributes(short)
	if _, err := publickey.Parse(keyType, func(a ck.AttributeType) []byte { return parts[a] }); !errors.Is(err, ck.CKR_KEY_SIZE_RANGE) {
		t.Errorf("1023 bits: %v", err)
	}
	if _, err := publickey.Parse(ck.CKK_AES, func(ck.AttributeType) []byte { return nil }); !errors.Is(err, ck.CKR_KEY_TYPE_INCONSISTENT) {
		t.Errorf("AES: %v", err)
	}
}
