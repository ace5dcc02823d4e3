package local_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

func TestRSALimits(t *testing.T) {
	f := setup(t)
	k := f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	modulus := get(k.Public)(ck.CKA_MODULUS)
	below := new(big.Int).Sub(new(big.Int).SetBytes(modulus), big.NewInt(1)).Bytes()
	pss := func(salt uint) ck.PSSParams {
		return ck.PSSParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, SaltLen: salt}
	}
	for _, test := range []struct {
		name   string
		m      ck.MechanismType
		params any
		op     mech.Op
		data   []byte
		want   ck.RV
	}{
		{"PKCS1 sign, nothing", ck.CKM_RSA_PKCS, nil, mech.OpSign, nil, ck.CKR_OK},
		{"PKCS1 sign, longest", ck.CKM_RSA_PKCS, nil, mech.OpSign, make([]byte, 117), ck.CKR_OK},
		{"PKCS1 sign, too long", ck.CKM_RSA_PKCS, nil, mech.OpSign, make([]byte, 118), ck.CKR_DATA_LEN_RANGE},
		{"PKCS1 sign, digest", ck.CKM_SHA256_RSA_PKCS, nil, mech.OpSign, make([]byte, 32), ck.CKR_OK},
		{"PKCS1 sign, no digest", ck.CKM_SHA256_RSA_PKCS, nil, mech.OpSign, make([]byte, 31), ck.CKR_DATA_LEN_RANGE},
		{"raw sign, zero", ck.CKM_RSA_X_509, nil, mech.OpSign, []byte{0}, ck.CKR_OK},
		{"raw sign, largest", ck.CKM_RSA_X_509, nil, mech.OpSign, below, ck.CKR_OK},
		{"raw sign, modulus", ck.CKM_RSA_X_509, nil, mech.OpSign, modulus, ck.CKR_DATA_INVALID},
		{"raw sign, too long", ck.CKM_RSA_X_509, nil, mech.OpSign, make([]byte, 129), ck.CKR_DATA_LEN_RANGE},
		{"raw decrypt, modulus", ck.CKM_RSA_X_509, nil, mech.OpDecrypt, modulus, ck.CKR_ENCRYPTED_DATA_INVALID},
		{"raw decrypt, too long", ck.CKM_RSA_X_509, nil, mech.OpDecrypt, make([]byte, 129), ck.CKR_ENCRYPTED_DATA_LEN_RANGE},
		{"raw decrypt, prime", ck.CKM_RSA_X_509, nil, mech.OpDecrypt, f.partOf(k.Ref, ck.CKA_PRIME_1), ck.CKR_OK},
		{"raw decrypt, other prime", ck.CKM_RSA_X_509, nil, mech.OpDecrypt, f.partOf(k.Ref, ck.CKA_PRIME_2), ck.CKR_OK},
		{"PKCS1 decrypt, short", ck.CKM_RSA_PKCS, nil, mech.OpDecrypt, make([]byte, 127), ck.CKR_ENCRYPTED_DATA_LEN_RANGE},
		{"PKCS1 decrypt, modulus", ck.CKM_RSA_PKCS, nil, mech.OpDecrypt, modulus, ck.CKR_ENCRYPTED_DATA_INVALID},
		{"OAEP decrypt, short", ck.CKM_RSA_PKCS_OAEP, oaep, mech.OpDecrypt, make([]byte, 127), ck.CKR_ENCRYPTED_DATA_LEN_RANGE},
		{"OAEP decrypt, noise", ck.CKM_RSA_PKCS_OAEP, oaep, mech.OpDecrypt, make([]byte, 128), ck.CKR_ENCRYPTED_DATA_INVALID},
		{"PSS, no salt", ck.CKM_RSA_PKCS_PSS, pss(0), mech.OpSign, make([]byte, 32), ck.CKR_OK},
		{"PSS, longest salt", ck.CKM_RSA_PKCS_PSS, pss(128 - 2 - 32), mech.OpSign, make([]byte, 32), ck.CKR_OK},
		{"PSS, too much salt", ck.CKM_RSA_PKCS_PSS, pss(128 - 2 - 31), mech.OpSign, make([]byte, 32), ck.CKR_MECHANISM_PARAM_INVALID},
		{"PSS, no digest", ck.CKM_RSA_PKCS_PSS, pss(32), mech.OpSign, make([]byte, 20), ck.CKR_DATA_LEN_RANGE},
	} {
		s := f.scheme(test.m, test.params, test.op)
		var out []byte
		var err error
		if test.op == mech.OpSign {
			out, err = f.Sign(nil, k.Ref, s, test.data)
		} else {
			out, err = f.Decrypt(nil, k.Ref, s, test.data)
		}
		want(t, test.name, err, test.want)
		if err == nil && len(out) != 128 {
			t.Errorf("%s: %d bytes", test.name, len(out))
		}
	}
}

// One wrong signature under the right key would give away its primes, so a result that the public exponent does not undo is never given out.
func TestRSAFault(t *testing.T) {
	f := setup(t)
	k := f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	local.Spoil(f.Keys, k.Ref)
	pss := ck.PSSParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, SaltLen: 32}
	for _, s := range []*mech.Scheme{f.scheme(ck.CKM_RSA_X_509, nil, mech.OpSign), f.scheme(ck.CKM_RSA_PKCS_PSS, pss, mech.OpSign)} {
		out, err := f.Sign(nil, k.Ref, s, digest[:])
		want(t, s.Row.Type.String(), err, ck.CKR_DEVICE_ERROR)
		if out != nil {
			t.Error("a wrong signature was given out")
		}
	}
	_, err := f.Decrypt(nil, k.Ref, f.scheme(ck.CKM_RSA_PKCS, nil, mech.OpDecrypt), append(make([]byte, 127), 2))
	want(t, "decrypting", err, ck.CKR_DEVICE_ERROR)
}

// A kernel that errs costs time, and nothing else.
func TestRSAKernelFault(t *testing.T) {
	f := setup(t)
	spec := &guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 2048}
	k := f.generate(0, ck.CKM_RSA_PKCS_KEY_PAIR_GEN, spec, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	s := f.scheme(ck.CKM_SHA256_RSA_PKCS, nil, mech.OpSign)
	sign := func(when string) {
		t.Helper()
		out, err := f.Sign(nil, k.Ref, s, digest[:])
		want(t, when, err, ck.CKR_OK)
		if err := rsa.VerifyPKCS1v15(f.public(k, ck.CKK_RSA).(*rsa.PublicKey), crypto.SHA256, digest[:], out); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	sign("before")
	if !local.SpoilKernel(f.Keys, k.Ref) {
		t.Skip("there is no kernel for this processor or in this build")
	}
	sign("with a spoiled kernel")
	local.Spoil(f.Keys, k.Ref)
	out, err := f.Sign(nil, k.Ref, s, digest[:])
	want(t, "all spoiled", err, ck.CKR_DEVICE_ERROR)
	if out != nil {
		t.Error("a wrong signature was given out")
	}
}

func (f *fixture) partOf(ref guard.Ref, t ck.AttributeType) []byte {
	f.Helper()
	r, err := f.Reveal(ref)
	if err != nil {
		f.Fatal(err)
	}
	defer r.Close()
	return bytes.Clone(get(r.Parts)(t))
}

// crypto/rsa verifies PSS signatures of all salt lengths, on moduli whose length is no multiple of 8 too.
func TestPSSVerifies(t *testing.T) {
	f := setup(t)
	for _, bits := range []int{1024, 1025, 1026, 1031} {
		spec := &guard.KeySpec{KeyType: ck.CKK_RSA, Bits: bits}
		k := f.generate(0, ck.CKM_RSA_PKCS_KEY_PAIR_GEN, spec, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
		for _, salt := range []int{0, 1, 20, 32, 94} {
			params := ck.PSSParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, SaltLen: uint(salt)}
			signature, err := f.Sign(nil, k.Ref, f.scheme(ck.CKM_RSA_PKCS_PSS, params, mech.OpSign), digest[:])
			want(t, "PSS", err, ck.CKR_OK)
			options := &rsa.PSSOptions{SaltLength: salt} // 0 finds out
			if err := rsa.VerifyPSS(f.public(k, ck.CKK_RSA).(*rsa.PublicKey), crypto.SHA256, digest[:], signature, options); err != nil {
				t.Errorf("%d bits, salt %d: %v", bits, salt, err)
			}
		}
	}
}

// A signature with recovery gives the data back under the public exponent.
func TestSignRecover(t *testing.T) {
	f := setup(t)
	k := f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	signature, err := f.SignRecover(nil, k.Ref, f.scheme(ck.CKM_RSA_PKCS, nil, mech.OpSignRecover), []byte("data"))
	want(t, "SignRecover", err, ck.CKR_OK)
	pub := f.public(k, ck.CKK_RSA).(*rsa.PublicKey)
	m := new(big.Int).Exp(new(big.Int).SetBytes(signature), big.NewInt(int64(pub.E)), pub.N).Bytes()
	if !bytes.HasPrefix(m, []byte("\x01\xff\xff")) || !bytes.HasSuffix(m, []byte("\xff\x00data")) {
		t.Errorf("recovered %q", m)
	}
}

func TestECDSALimits(t *testing.T) {
	f := setup(t)
	k := f.generateEC(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
	s := f.scheme(ck.CKM_ECDSA, nil, mech.OpSign)
	for range 300 { // r or s begin with a zero byte now and then
		signature, err := f.Sign(nil, k.Ref, s, digest[:])
		if err != nil || !verify(f.public(k, ck.CKK_EC), signature) {
			t.Fatalf("%x (%v)", signature, err)
		}
	}
	long, err := f.Sign(nil, k.Ref, s, append(digest[:], 1, 2, 3)) // only the order's length of it counts
	want(t, "a long digest", err, ck.CKR_OK)
	if !verify(f.public(k, ck.CKK_EC), long) {
		t.Error("a long digest was not cut")
	}
	_, err = f.Sign(nil, k.Ref, s, nil)
	want(t, "no digest", err, ck.CKR_DATA_LEN_RANGE)
	_, err = f.Sign(nil, k.Ref, f.scheme(ck.CKM_ECDSA_SHA256, nil, mech.OpSign), digest[:31])
	want(t, "no SHA-256", err, ck.CKR_DATA_LEN_RANGE)
}

func TestDerive(t *testing.T) {
	f := setup(t)
	k := f.generateEC(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
	derive := func(kdf uint, shared string, keyType ck.KeyType, n int, peer []byte) ([]byte, error) {
		s := f.scheme(ck.CKM_ECDH1_DERIVE, ck.ECDH1Params{KDF: kdf, SharedData: []byte(shared), PublicData: peer}, mech.OpDerive)
		made, err := f.Derive(f.vault, k.Ref, s, &guard.KeySpec{KeyType: keyType, ValueLen: n}, all(ck.CKO_SECRET_KEY, keyType))
		if err != nil {
			return nil, err
		}
		return f.value(made.Ref), nil
	}
	z, err := derive(ck.CKD_NULL, "", ck.CKK_GENERIC_SECRET, 0, base256)
	if err != nil || len(z) != 32 {
		t.Fatalf("%x (%v)", z, err)
	}
	block := func(counter byte, info string) []byte {
		sum := sha256.Sum256(append(append(bytes.Clone(z), 0, 0, 0, counter), info...))
		return sum[:]
	}
	for _, test := range []struct {
		name string
		kdf  uint
		info string
		kt   ck.KeyType
		n    int
		peer []byte
		want []byte
		rv   ck.RV
	}{
		{"last bytes", ck.CKD_NULL, "", ck.CKK_AES, 16, base256, z[16:], ck.CKR_OK},
		{"AES of all", ck.CKD_NULL, "", ck.CKK_AES, 0, base256, z, ck.CKR_OK},
		{"point in an OCTET STRING", ck.CKD_NULL, "", ck.CKK_AES, 0, pubkey.EncodePoint(pubkey.P256, base256), z, ck.CKR_OK},
		{"more than there is", ck.CKD_NULL, "", ck.CKK_GENERIC_SECRET, 33, base256, nil, ck.CKR_KEY_SIZE_RANGE},
		{"no AES key", ck.CKD_NULL, "", ck.CKK_AES, 20, base256, nil, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"KDF", ck.CKD_SHA256_KDF, "info", ck.CKK_AES, 24, base256, block(1, "info")[:24], ck.CKR_OK},
		{"KDF of two blocks", ck.CKD_SHA256_KDF, "", ck.CKK_GENERIC_SECRET, 40, base256, append(block(1, ""), block(2, "")[:8]...), ck.CKR_OK},
		{"KDF without length", ck.CKD_SHA256_KDF, "", ck.CKK_AES, 0, base256, nil, ck.CKR_TEMPLATE_INCOMPLETE},
		{"KDF of too much", ck.CKD_SHA256_KDF, "", ck.CKK_GENERIC_SECRET, 1 << 30, base256, nil, ck.CKR_KEY_SIZE_RANGE},
		{"off the curve", ck.CKD_NULL, "", ck.CKK_AES, 0, append([]byte{4}, make([]byte, 64)...), nil, ck.CKR_PUBLIC_KEY_INVALID},
		{"infinity", ck.CKD_NULL, "", ck.CKK_AES, 0, []byte{0}, nil, ck.CKR_PUBLIC_KEY_INVALID},
	} {
		got, err := derive(test.kdf, test.info, test.kt, test.n, test.peer)
		want(t, test.name, err, test.rv)
		if !bytes.Equal(got, test.want) {
			t.Errorf("%s: %x, want %x", test.name, got, test.want)
		}
	}
}
