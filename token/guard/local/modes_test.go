package local_test

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// NIST SP 800-38A, appendix F: the plaintext of all examples, and the AES-256 key.
const (
	nistKey   = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
	nistPlain = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
	nistECB   = "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7"
	nistCTR   = "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"
	nistZeros = "55b12a8f4734a72ee8cc23f460280810eb6e1865b2e6a46fc613cf05131b0b6dc73ea90f0a416e212b60b8194f9eb0f2a7a4470137b94a31e14954fb4c0c957b" // the same key's stream from f0f1...fef0
)

func counter(bits uint, block string, t *testing.T) ck.CTRParams {
	p := ck.CTRParams{CounterBits: bits}
	copy(p.Block[:], unhex(t, block))
	return p
}

func TestNISTModes(t *testing.T) {
	f := setup(t)
	v := &vector{Result: "valid", Key: unhex(t, nistKey)}
	f.roundTrip(v, ck.CKM_AES_ECB, nil, unhex(t, nistPlain), unhex(t, nistECB), true)
	for _, bits := range []uint{4, 32, 128} {
		params := counter(bits, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfef0", t) // before the example's, whose carry goes beyond 4 bits
		f.roundTrip(v, ck.CKM_AES_CTR, params, make([]byte, 64), unhex(t, nistZeros), true)
	}
	f.roundTrip(v, ck.CKM_AES_CTR, counter(128, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", t), unhex(t, nistPlain), unhex(t, nistCTR), true)
}

// The counter may reach its end and not go round.
func TestCTRWrap(t *testing.T) {
	f := setup(t)
	key := f.secretKey(ck.CKK_AES, someKey)
	for _, test := range []struct {
		bits  uint
		block string
		room  int
	}{
		{2, "00000000000000000000000000000001", 3 * 16}, // the specification's example
		{1, "ffffffffffffffffffffffffffffffff", 16},
		{8, "000000000000000000000000000000fe", 2 * 16},
		{128, "fffffffffffffffffffffffffffffffd", 3 * 16},
		{64, "0000000000000000ffffffffffffffff", 16},
		{65, "0000000000000001ffffffffffffffff", 16},
	} {
		s := f.scheme(ck.CKM_AES_CTR, counter(test.bits, test.block, t), mech.OpEncrypt)
		_, err := f.Encrypt(nil, key, s, make([]byte, test.room))
		want(t, "to the end", err, ck.CKR_OK)
		_, err = f.Encrypt(nil, key, s, make([]byte, test.room+1))
		want(t, "round", err, ck.CKR_DATA_LEN_RANGE)
		st, err := f.Stream(key, s, mech.OpEncrypt)
		want(t, "stream", err, ck.CKR_OK)
		_, err = st.Update(nil, make([]byte, test.room-1))
		want(t, "nearly to the end", err, ck.CKR_OK)
		_, err = st.Update(nil, make([]byte, 2))
		want(t, "round, in parts", err, ck.CKR_DATA_LEN_RANGE)
		st.Close()
	}
}

// Where the bits do not suffice to say that the counter is at its end, it is not.
func TestCTRDoesNotWrap(t *testing.T) {
	f := setup(t)
	key := f.secretKey(ck.CKK_AES, someKey)
	for _, start := range []ck.CTRParams{
		counter(65, "0000000000000000ffffffffffffffff", t), counter(128, "fffffffffffffffeffffffffffffffff", t),
		counter(64, "ffffffffffffffff0000000000000000", t), counter(128, "ffffffffffffffff0000000000000000", t), counter(63, "ffffffffffffffff8000000000000000", t),
	} {
		_, err := f.Encrypt(nil, key, f.scheme(ck.CKM_AES_CTR, start, mech.OpEncrypt), make([]byte, 100))
		want(t, "counting on", err, ck.CKR_OK)
	}
}

func TestModeErrors(t *testing.T) {
	f := setup(t)
	key := f.secretKey(ck.CKK_AES, someKey)
	for _, test := range []struct {
		name             string
		m                ck.MechanismType
		params           any
		n                int
		encrypt, decrypt ck.RV
	}{
		{"ECB", ck.CKM_AES_ECB, nil, 17, ck.CKR_DATA_LEN_RANGE, ck.CKR_ENCRYPTED_DATA_LEN_RANGE},
		{"CBC", ck.CKM_AES_CBC, iv, 15, ck.CKR_DATA_LEN_RANGE, ck.CKR_ENCRYPTED_DATA_LEN_RANGE},
		{"CBC, nothing", ck.CKM_AES_CBC, iv, 0, ck.CKR_OK, ck.CKR_OK},
		{"CBC_PAD", ck.CKM_AES_CBC_PAD, iv, 17, ck.CKR_OK, ck.CKR_ENCRYPTED_DATA_LEN_RANGE},
		{"CBC_PAD, nothing", ck.CKM_AES_CBC_PAD, iv, 0, ck.CKR_OK, ck.CKR_ENCRYPTED_DATA_LEN_RANGE},
		{"CBC_PAD, noise", ck.CKM_AES_CBC_PAD, iv, 32, ck.CKR_OK, ck.CKR_ENCRYPTED_DATA_INVALID},
		{"GCM, short", ck.CKM_AES_GCM, gcmParams, 15, ck.CKR_OK, ck.CKR_ENCRYPTED_DATA_LEN_RANGE},
		{"GCM, noise", ck.CKM_AES_GCM, gcmParams, 40, ck.CKR_OK, ck.CKR_ENCRYPTED_DATA_INVALID},
		{"GCM, short tag, noise", ck.CKM_AES_GCM, ck.GCMParams{IV: []byte{1}, TagBits: 32}, 40, ck.CKR_OK, ck.CKR_ENCRYPTED_DATA_INVALID},
	} {
		enc, dec := f.scheme(test.m, test.params, mech.OpEncrypt), f.scheme(test.m, test.params, mech.OpDecrypt)
		data := make([]byte, test.n)
		_, err := f.Encrypt(nil, key, enc, data)
		want(t, test.name+" encrypt", err, test.encrypt)
		_, err = f.Decrypt(nil, key, dec, data)
		want(t, test.name+" decrypt", err, test.decrypt)
		for op, rv := range map[mech.Op]ck.RV{mech.OpEncrypt: test.encrypt, mech.OpDecrypt: test.decrypt} {
			st, err := f.Stream(key, f.scheme(test.m, test.params, op), op)
			want(t, test.name+" stream", err, ck.CKR_OK)
			_, err = st.Update(nil, data)
			want(t, test.name+" Update", err, ck.CKR_OK)
			_, err = st.Final(nil)
			want(t, test.name+" Final", err, rv)
		}
	}
}

// GCM gives no plaintext out before the tag is checked, so it buffers, and that has a bound.
func TestGCMStreamBound(t *testing.T) {
	f := setup(t)
	key := f.secretKey(ck.CKK_AES, someKey)
	st, err := f.Stream(key, f.scheme(ck.CKM_AES_GCM, gcmParams, mech.OpDecrypt), mech.OpDecrypt)
	want(t, "Stream", err, ck.CKR_OK)
	defer st.Close()
	for range 4 {
		out, err := st.Update(nil, make([]byte, 16<<20))
		want(t, "within", err, ck.CKR_OK)
		if len(out) != 0 {
			t.Fatal("unchecked plaintext was given out")
		}
	}
	_, err = st.Update(nil, []byte{1})
	want(t, "beyond", err, ck.CKR_DATA_LEN_RANGE)
}

func TestMACErrors(t *testing.T) {
	f := setup(t)
	key := f.secretKey(ck.CKK_GENERIC_SECRET, someKey)
	s := f.scheme(ck.CKM_SHA256_HMAC, nil, mech.OpVerify)
	mac, err := f.Sign(nil, key, s, []byte("data"))
	want(t, "Sign", err, ck.CKR_OK)
	want(t, "right", f.Verify(key, s, []byte("data"), mac), ck.CKR_OK)
	want(t, "other data", f.Verify(key, s, []byte("Data"), mac), ck.CKR_SIGNATURE_INVALID)
	want(t, "short", f.Verify(key, s, []byte("data"), mac[:31]), ck.CKR_SIGNATURE_LEN_RANGE)
	want(t, "empty", f.Verify(key, s, []byte("data"), nil), ck.CKR_SIGNATURE_LEN_RANGE)
	general := f.scheme(ck.CKM_SHA256_HMAC_GENERAL, ck.ULongParams(4), mech.OpVerify)
	want(t, "general", f.Verify(key, general, []byte("data"), mac[:4]), ck.CKR_OK)
	want(t, "general, whole", f.Verify(key, general, []byte("data"), mac), ck.CKR_SIGNATURE_LEN_RANGE)
}

// Output is appended: what stands in dst stays.
func TestEncryptAppends(t *testing.T) {
	f := setup(t)
	key := f.secretKey(ck.CKK_AES, someKey)
	for _, m := range []ck.MechanismType{ck.CKM_AES_CBC, ck.CKM_AES_CBC_PAD} {
		enc := f.scheme(m, iv, mech.OpEncrypt)
		plain := bytes.Repeat([]byte{9}, 32)
		alone, err := f.Encrypt(nil, key, enc, plain)
		want(t, "alone", err, ck.CKR_OK)
		room := make([]byte, 3, 100)
		after, err := f.Encrypt(room, key, enc, plain)
		want(t, "after", err, ck.CKR_OK)
		if &after[0] != &room[0] || !bytes.Equal(after[3:], alone) || !bytes.Equal(plain, bytes.Repeat([]byte{9}, 32)) {
			t.Error("not appended in place, or the input changed")
		}
	}
}
