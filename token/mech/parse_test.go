package mech_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

var (
	iv      = bytes.Repeat([]byte{1}, 16)
	point   = []byte{4, 1, 2}
	context = bytes.Repeat([]byte{7}, 255)
)

// good are parameters that must be taken, and the scheme that they make, but for Row.
var good = []struct {
	what   string
	typ    ck.MechanismType
	params any
	op     mech.Op
	want   mech.Scheme
}{
	{"none", ck.CKM_RSA_PKCS, nil, mech.OpSign, mech.Scheme{}},
	{"no bytes for none", ck.CKM_ECDSA, ck.RawParams{}, mech.OpSign, mech.Scheme{}},
	{"none, with a hash", ck.CKM_ECDSA_SHA3_384, nil, mech.OpVerify, mech.Scheme{Hash: mech.SHA3_384}},
	{"digest", ck.CKM_SHA256, nil, mech.OpDigest, mech.Scheme{Hash: mech.SHA256}},
	{"IV", ck.CKM_AES_CBC_PAD, ck.RawParams(iv), mech.OpUnwrap, mech.Scheme{IV: iv}},
	{"no wrap IV", ck.CKM_AES_KEY_WRAP, nil, mech.OpWrap, mech.Scheme{}},
	{"wrap IV", ck.CKM_AES_KEY_WRAP, ck.RawParams(iv[:8]), mech.OpWrap, mech.Scheme{IV: iv[:8]}},
	{"KWP IV", ck.CKM_AES_KEY_WRAP_KWP, ck.RawParams(iv[:4]), mech.OpEncrypt, mech.Scheme{IV: iv[:4]}},
	{"HMAC length 1", ck.CKM_SHA_1_HMAC_GENERAL, ck.ULongParams(1), mech.OpSign, mech.Scheme{Hash: mech.SHA1, MACLen: 1}},
	{"HMAC length whole", ck.CKM_SHA_1_HMAC_GENERAL, ck.ULongParams(20), mech.OpSign, mech.Scheme{Hash: mech.SHA1, MACLen: 20}},
	{"CMAC length whole", ck.CKM_AES_CMAC_GENERAL, ck.ULongParams(16), mech.OpVerify, mech.Scheme{MACLen: 16}},
	{"OAEP", ck.CKM_RSA_PKCS_OAEP, ck.OAEPParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA1, Source: ck.CKZ_DATA_SPECIFIED, Label: point}, mech.OpDecrypt,
		mech.Scheme{Hash: mech.SHA256, MGFHash: mech.SHA1, Label: point}},
	{"OAEP, source 0, no label", ck.CKM_RSA_PKCS_OAEP, ck.OAEPParams{Hash: ck.CKM_SHA_1, MGF: ck.CKG_MGF1_SHA1}, mech.OpWrap,
		mech.Scheme{Hash: mech.SHA1, MGFHash: mech.SHA1}},
	{"OAEP, no hash and no MGF", ck.CKM_RSA_PKCS_OAEP, ck.OAEPParams{Source: ck.CKZ_DATA_SPECIFIED}, mech.OpDecrypt,
		mech.Scheme{Hash: mech.SHA1, MGFHash: mech.SHA1}},
	{"OAEP, no MGF", ck.CKM_RSA_PKCS_OAEP, ck.OAEPParams{Hash: ck.CKM_SHA256, Source: ck.CKZ_DATA_SPECIFIED}, mech.OpDecrypt,
		mech.Scheme{Hash: mech.SHA256, MGFHash: mech.SHA256}},
	{"RSA and AES", ck.CKM_RSA_AES_KEY_WRAP, ck.RSAAESParams{AESBits: 192, OAEP: ck.OAEPParams{Hash: ck.CKM_SHA256, Source: ck.CKZ_DATA_SPECIFIED, Label: point}}, mech.OpWrap,
		mech.Scheme{Hash: mech.SHA256, MGFHash: mech.SHA256, Label: point, AESLen: 24}},
	{"PSS", ck.CKM_RSA_PKCS_PSS, ck.PSSParams{Hash: ck.CKM_SHA512, MGF: ck.CKG_MGF1_SHA512, SaltLen: 64}, mech.OpSign,
		mech.Scheme{Hash: mech.SHA512, MGFHash: mech.SHA512, SaltLen: 64}},
	{"PSS with the row's hash, another mask", ck.CKM_SHA384_RSA_PKCS_PSS, ck.PSSParams{Hash: ck.CKM_SHA384, MGF: ck.CKG_MGF1_SHA256}, mech.OpVerify,
		mech.Scheme{Hash: mech.SHA384, MGFHash: mech.SHA256}},
	{"CTR", ck.CKM_AES_CTR, ck.CTRParams{CounterBits: 32, Block: [16]byte(iv)}, mech.OpEncrypt, mech.Scheme{CounterBits: 32, IV: iv}},
	{"GCM", ck.CKM_AES_GCM, ck.GCMParams{IV: iv, AAD: point, TagBits: 128}, mech.OpEncrypt, mech.Scheme{IV: iv, AAD: point, TagLen: 16}},
	{"GCM, shortest", ck.CKM_AES_GCM, ck.GCMParams{IV: iv[:1], TagBits: 32}, mech.OpDecrypt, mech.Scheme{IV: iv[:1], TagLen: 4}},
	{"ECDH", ck.CKM_ECDH1_DERIVE, ck.ECDH1Params{KDF: ck.CKD_NULL, PublicData: point}, mech.OpDerive, mech.Scheme{KDF: ck.CKD_NULL, Peer: point}},
	{"ECDH with X9.63", ck.CKM_ECDH1_COFACTOR_DERIVE, ck.ECDH1Params{KDF: ck.CKD_SHA256_KDF, SharedData: iv, PublicData: point}, mech.OpDerive,
		mech.Scheme{KDF: ck.CKD_SHA256_KDF, SharedData: iv, Peer: point}},
	{"ECDH and AES", ck.CKM_ECDH_AES_KEY_WRAP, ck.ECDHAESParams{AESBits: 256, KDF: ck.CKD_SHA256_KDF, SharedData: iv}, mech.OpUnwrap,
		mech.Scheme{KDF: ck.CKD_SHA256_KDF, SharedData: iv, AESLen: 32}},
	{"ECDH and AES without a KDF", ck.CKM_ECDH_AES_KEY_WRAP, ck.ECDHAESParams{AESBits: 128, KDF: ck.CKD_NULL}, mech.OpWrap, mech.Scheme{KDF: ck.CKD_NULL, AESLen: 16}},
	{"HKDF", ck.CKM_HKDF_DERIVE, ck.HKDFParams{Extract: true, Expand: true, Hash: ck.CKM_SHA256, SaltType: uint(ck.CKF_HKDF_SALT_DATA), Salt: iv, Info: point},
		mech.OpDerive, mech.Scheme{Hash: mech.SHA256, Extract: true, Expand: true, Salt: iv, Info: point}},
	{"HKDF, a key for a salt", ck.CKM_HKDF_DERIVE, ck.HKDFParams{Extract: true, Hash: ck.CKM_SHA256, SaltType: uint(ck.CKF_HKDF_SALT_KEY), Salt: iv, SaltKey: 9}, mech.OpDerive,
		mech.Scheme{Hash: mech.SHA256, Extract: true, SaltKey: 9}},
	{"HKDF, no salt", ck.CKM_HKDF_DERIVE, ck.HKDFParams{Extract: true, Hash: ck.CKM_SHA_1, SaltType: uint(ck.CKF_HKDF_SALT_NULL), Info: point}, mech.OpDerive,
		mech.Scheme{Hash: mech.SHA1, Extract: true}},
	{"HKDF, second step", ck.CKM_HKDF_DERIVE, ck.HKDFParams{Expand: true, Hash: ck.CKM_SHA256, Salt: iv, Info: point}, mech.OpDerive,
		mech.Scheme{Hash: mech.SHA256, Expand: true, Info: point}},
	{"session key, v1.5", ck.CKM_NCRYPT_SKI_SESSION, ck.SKISessionParams{Padding: ck.CKM_RSA_PKCS}, mech.OpUnwrap, mech.Scheme{}},
	{"session key, OAEP", ck.CKM_NCRYPT_SKI_SESSION, ck.SKISessionParams{Padding: ck.CKM_RSA_PKCS_OAEP, OAEP: ck.OAEPParams{Hash: ck.CKM_SHA256}}, mech.OpUnwrap,
		mech.Scheme{Hash: mech.SHA256, MGFHash: mech.SHA256}},
	{"key pair", ck.CKM_NCRYPT_SKI_IMPORT_KEYPAIR, ck.RawParams(iv), mech.OpUnwrap, mech.Scheme{IV: iv}},
	{"a blob", ck.CKM_NCRYPT_IMPORT_BLOB, ck.NCryptBlobParams{BlobType: "x", Buffers: []ck.NCryptBuffer{{Type: 47, Value: point}, {Type: 45, Value: context}}}, mech.OpUnwrap,
		mech.Scheme{Label: []byte("x"), Context: point, Info: context}},
	{"an isolated key", ck.CKM_NCRYPT_ISOLATED_ENVELOPE, nil, mech.OpUnwrap, mech.Scheme{}},
	{"an envelope", ck.CKM_NCRYPT_PKCS7_ENVELOPE, nil, mech.OpUnwrap, mech.Scheme{}},
	{"an envelope for whom", ck.CKM_NCRYPT_PKCS7_ENVELOPE, ck.RawParams{0x30, 0}, mech.OpUnwrap, mech.Scheme{Context: []byte{0x30, 0}}},
	{"EdDSA", ck.CKM_EDDSA, nil, mech.OpSign, mech.Scheme{}},
	{"EdDSA, zeroed", ck.CKM_EDDSA, ck.EdDSAParams{}, mech.OpSign, mech.Scheme{}},
	{"EdDSA ctx", ck.CKM_EDDSA, ck.EdDSAParams{Context: context}, mech.OpSign, mech.Scheme{Context: context}},
	{"ML-DSA", ck.CKM_ML_DSA, nil, mech.OpSign, mech.Scheme{}},
	{"ML-DSA, zeroed", ck.CKM_ML_DSA, ck.ContextParams{}, mech.OpVerify, mech.Scheme{}},
	{"ML-DSA, a context", ck.CKM_ML_DSA, ck.ContextParams{Hedge: ck.CKH_HEDGE_REQUIRED, Context: context}, mech.OpSign, mech.Scheme{Context: context}},
	{"ML-DSA, deterministic", ck.CKM_ML_DSA, ck.ContextParams{Hedge: ck.CKH_DETERMINISTIC_REQUIRED}, mech.OpSign, mech.Scheme{Deterministic: true}},
	{"EdDSA ph", ck.CKM_EDDSA, ck.EdDSAParams{Prehash: true}, mech.OpVerify, mech.Scheme{Prehash: true}},
}

func TestParse(t *testing.T) {
	kinds := map[mech.ParamKind]bool{}
	for _, test := range good {
		got, err := mech.Parse(ck.Mechanism{Type: test.typ, Params: test.params}, test.op)
		if err != nil {
			t.Errorf("%s: %v", test.what, err)
			continue
		}
		want := test.want
		want.Row = mech.Lookup(test.typ)
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: %+v, want %+v", test.what, *got, want)
		}
		kinds[want.Row.Params] = true
	}
	for _, row := range mech.All() {
		if !kinds[row.Params] {
			t.Errorf("no test for the parameter of %v", row.Type)
		}
	}
}

func TestParseRefusesMechanisms(t *testing.T) {
	for _, row := range mech.All() {
		for op := mech.Op(0); op <= mech.OpDerive+1; op++ {
			_, err := mech.Parse(ck.Mechanism{Type: row.Type}, op)
			asGnuTLS := row.Type == ck.CKM_EDDSA && op == mech.OpGenerateKeyPair
			if refused := errors.Is(err, ck.CKR_MECHANISM_INVALID); refused == (row.Serves(op) || asGnuTLS) {
				t.Errorf("%v for op %d: %v", row.Type, op, err)
			}
		}
	}
	if s, err := mech.Parse(ck.Mechanism{Type: ck.CKM_EDDSA}, mech.OpGenerateKeyPair); err != nil || s.Row.Type != ck.CKM_EC_EDWARDS_KEY_PAIR_GEN {
		t.Errorf("an Ed25519 key asked for as GnuTLS does: %+v, %v", s, err)
	}
	if _, err := mech.Parse(ck.Mechanism{Type: ck.CKM_DES3_CBC}, mech.OpEncrypt); !errors.Is(err, ck.CKR_MECHANISM_INVALID) {
		t.Errorf("CKM_DES3_CBC: %v", err)
	}
}

func TestParseRefusesParameters(t *testing.T) {
	oaep := ck.OAEPParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, Source: ck.CKZ_DATA_SPECIFIED}
	oaepWith := func(change func(*ck.OAEPParams)) ck.OAEPParams { p := oaep; change(&p); return p }
	for _, test := range []struct {
		what   string
		typ    ck.MechanismType
		params any
		op     mech.Op
	}{
		{"a parameter where there is none", ck.CKM_RSA_PKCS, ck.RawParams{1}, mech.OpSign},
		{"a short IV", ck.CKM_AES_CBC, ck.RawParams(iv[:15]), mech.OpEncrypt},
		{"KW with the IV of KWP", ck.CKM_AES_KEY_WRAP, ck.RawParams(iv[:4]), mech.OpWrap},
		{"KWP with the IV of KW", ck.CKM_AES_KEY_WRAP_KWP, ck.RawParams(iv[:8]), mech.OpWrap},
		{"PAD with the IV of KW", ck.CKM_AES_KEY_WRAP_PAD, ck.RawParams(iv[:8]), mech.OpWrap},
		{"HMAC of no bytes", ck.CKM_SHA256_HMAC_GENERAL, ck.ULongParams(0), mech.OpSign},
		{"HMAC of too many bytes", ck.CKM_SHA256_HMAC_GENERAL, ck.ULongParams(33), mech.OpSign},
		{"CMAC of too many bytes", ck.CKM_AES_CMAC_GENERAL, ck.ULongParams(17), mech.OpSign},
		{"a CMAC length beyond int", ck.CKM_AES_CMAC_GENERAL, ck.ULongParams(^uint(0)), mech.OpSign},
		{"OAEP of no hash", ck.CKM_RSA_PKCS_OAEP, oaepWith(func(p *ck.OAEPParams) { p.Hash = ck.CKM_AES_CBC }), mech.OpEncrypt},
		{"OAEP of MD5", ck.CKM_RSA_PKCS_OAEP, oaepWith(func(p *ck.OAEPParams) { p.Hash = ck.CKM_MD5 }), mech.OpEncrypt},
		{"OAEP of an MGF and no hash", ck.CKM_RSA_PKCS_OAEP, oaepWith(func(p *ck.OAEPParams) { p.Hash = 0 }), mech.OpEncrypt},
		{"OAEP of a hash that has no MGF", ck.CKM_RSA_PKCS_OAEP, oaepWith(func(p *ck.OAEPParams) { p.Hash, p.MGF = ck.CKM_MD5, 0 }), mech.OpEncrypt},
		{"OAEP of an unknown MGF", ck.CKM_RSA_PKCS_OAEP, oaepWith(func(p *ck.OAEPParams) { p.MGF = 999 }), mech.OpEncrypt},
		{"RSA and AES of 100 bits", ck.CKM_RSA_AES_KEY_WRAP, ck.RSAAESParams{AESBits: 100, OAEP: oaep}, mech.OpWrap},
		{"RSA and AES, unknown source", ck.CKM_RSA_AES_KEY_WRAP, ck.RSAAESParams{AESBits: 128, OAEP: oaepWith(func(p *ck.OAEPParams) { p.Source = 2 })}, mech.OpWrap},
		{"ECDH and AES of 512 bits", ck.CKM_ECDH_AES_KEY_WRAP, ck.ECDHAESParams{AESBits: 512, KDF: ck.CKD_SHA256_KDF}, mech.OpWrap},
		{"ECDH and AES, unknown KDF", ck.CKM_ECDH_AES_KEY_WRAP, ck.ECDHAESParams{AESBits: 256, KDF: 0x777}, mech.OpWrap},
		{"ECDH and AES, shared data without a KDF", ck.CKM_ECDH_AES_KEY_WRAP, ck.ECDHAESParams{AESBits: 256, KDF: ck.CKD_NULL, SharedData: iv}, mech.OpWrap},
		{"HKDF without a step", ck.CKM_HKDF_DERIVE, ck.HKDFParams{Hash: ck.CKM_SHA256}, mech.OpDerive},
		{"HKDF of no hash", ck.CKM_HKDF_DERIVE, ck.HKDFParams{Expand: true, Hash: ck.CKM_SHA256_HMAC}, mech.OpDerive},
		{"HKDF, the salt a key, and none given", ck.CKM_HKDF_DERIVE, ck.HKDFParams{Extract: true, Hash: ck.CKM_SHA256, SaltType: uint(ck.CKF_HKDF_SALT_KEY)}, mech.OpDerive},
		{"HKDF, no type of salt", ck.CKM_HKDF_DERIVE, ck.HKDFParams{Extract: true, Hash: ck.CKM_SHA256}, mech.OpDerive},
		{"a blob of no type", ck.CKM_NCRYPT_IMPORT_BLOB, ck.NCryptBlobParams{}, mech.OpUnwrap},
		{"a blob with a password", ck.CKM_NCRYPT_IMPORT_BLOB, ck.NCryptBlobParams{BlobType: "x", Buffers: []ck.NCryptBuffer{{Type: 46, Value: point}}}, mech.OpUnwrap},
		{"a blob with an empty buffer", ck.CKM_NCRYPT_IMPORT_BLOB, ck.NCryptBlobParams{BlobType: "x", Buffers: []ck.NCryptBuffer{{Type: 45}}}, mech.OpUnwrap},
		{"a blob with a buffer twice", ck.CKM_NCRYPT_IMPORT_BLOB,
			ck.NCryptBlobParams{BlobType: "x", Buffers: []ck.NCryptBuffer{{Type: 45, Value: iv}, {Type: 45, Value: iv}}}, mech.OpUnwrap},
		{"an envelope for no certificate", ck.CKM_NCRYPT_PKCS7_ENVELOPE, ck.RawParams(iv), mech.OpUnwrap},
		{"OAEP without AES", ck.CKM_RSA_AES_KEY_WRAP, oaep, mech.OpWrap},
		{"OAEP, unknown source", ck.CKM_RSA_PKCS_OAEP, oaepWith(func(p *ck.OAEPParams) { p.Source = 2 }), mech.OpEncrypt},
		{"OAEP, source 0, label", ck.CKM_RSA_PKCS_OAEP, oaepWith(func(p *ck.OAEPParams) { p.Source, p.Label = 0, point }), mech.OpEncrypt},
		{"PSS of another hash", ck.CKM_SHA256_RSA_PKCS_PSS, ck.PSSParams{Hash: ck.CKM_SHA384, MGF: ck.CKG_MGF1_SHA384, SaltLen: 48}, mech.OpSign},
		{"PSS of no hash", ck.CKM_RSA_PKCS_PSS, ck.PSSParams{MGF: ck.CKG_MGF1_SHA256}, mech.OpSign},
		{"PSS of a huge salt", ck.CKM_RSA_PKCS_PSS, ck.PSSParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, SaltLen: ^uint(0)}, mech.OpSign},
		{"CTR of no bits", ck.CKM_AES_CTR, ck.CTRParams{}, mech.OpEncrypt},
		{"CTR of too many bits", ck.CKM_AES_CTR, ck.CTRParams{CounterBits: 129}, mech.OpEncrypt},
		{"GCM, no IV", ck.CKM_AES_GCM, ck.GCMParams{TagBits: 128}, mech.OpEncrypt},
		{"GCM, no tag", ck.CKM_AES_GCM, ck.GCMParams{IV: iv}, mech.OpEncrypt},
		{"GCM, tag of 24 bits", ck.CKM_AES_GCM, ck.GCMParams{IV: iv, TagBits: 24}, mech.OpEncrypt},
		{"GCM, tag of 100 bits", ck.CKM_AES_GCM, ck.GCMParams{IV: iv, TagBits: 100}, mech.OpEncrypt},
		{"GCM, tag of 136 bits", ck.CKM_AES_GCM, ck.GCMParams{IV: iv, TagBits: 136}, mech.OpEncrypt},
		{"ECDH with nobody", ck.CKM_ECDH1_DERIVE, ck.ECDH1Params{KDF: ck.CKD_NULL}, mech.OpDerive},
		{"ECDH, unknown KDF", ck.CKM_ECDH1_DERIVE, ck.ECDH1Params{KDF: 999, PublicData: point}, mech.OpDerive},
		{"ECDH, no KDF", ck.CKM_ECDH1_DERIVE, ck.ECDH1Params{PublicData: point}, mech.OpDerive},
		{"ECDH, shared data for nothing", ck.CKM_ECDH1_DERIVE, ck.ECDH1Params{KDF: ck.CKD_NULL, SharedData: iv, PublicData: point}, mech.OpDerive},
		{"ML-DSA, a context too long", ck.CKM_ML_DSA, ck.ContextParams{Context: append(context, 1)}, mech.OpSign},
		{"ML-DSA, an unknown hedge", ck.CKM_ML_DSA, ck.ContextParams{Hedge: 3}, mech.OpSign},
		{"EdDSA, a context too long", ck.CKM_EDDSA, ck.EdDSAParams{Context: append(context, 1)}, mech.OpSign},
	} {
		if _, err := mech.Parse(ck.Mechanism{Type: test.typ, Params: test.params}, test.op); !errors.Is(err, ck.CKR_MECHANISM_PARAM_INVALID) {
			t.Errorf("%s: %v", test.what, err)
		}
	}
}

// Every mechanism refuses the parameter of every other kind, and none where it needs one.
func TestParseRefusesOtherKinds(t *testing.T) {
	samples := []any{
		ck.RawParams(iv[:3]), ck.ULongParams(4), ck.OAEPParams{}, ck.PSSParams{}, ck.CTRParams{}, ck.GCMParams{}, ck.ECDH1Params{}, ck.EdDSAParams{}, ck.ContextParams{}, "text",
	}
	own := map[mech.ParamKind]any{mech.ULongParams: samples[1], mech.OAEPParams: samples[2], mech.EdDSAParams: samples[7], mech.ContextParams: samples[8]}
	optional := map[mech.ParamKind]bool{mech.NoParams: true, mech.WrapIVParams: true, mech.EdDSAParams: true, mech.ContextParams: true, mech.CertificateParams: true}
	for _, row := range mech.All() {
		op := mech.OpEncrypt
		for !row.Serves(op) {
			op++
		}
		for _, params := range samples {
			_, err := mech.Parse(ck.Mechanism{Type: row.Type, Params: params}, op)
			if mine, ok := own[row.Params]; ok && reflect.TypeOf(mine) == reflect.TypeOf(params) {
				continue
			}
			if !errors.Is(err, ck.CKR_MECHANISM_PARAM_INVALID) {
				t.Errorf("%v with %T: %v", row.Type, params, err)
			}
		}
		for _, absent := range []any{nil, ck.RawParams(nil)} {
			_, err := mech.Parse(ck.Mechanism{Type: row.Type, Params: absent}, op)
			if refused := errors.Is(err, ck.CKR_MECHANISM_PARAM_INVALID); refused == optional[row.Params] {
				t.Errorf("%v without a parameter: %v", row.Type, err)
			}
		}
	}
}

func TestParseAllocates(t *testing.T) {
	for _, test := range []struct {
		m    ck.Mechanism
		op   mech.Op
		most float64
	}{
		{ck.Mechanism{Type: ck.CKM_RSA_PKCS}, mech.OpSign, 0},
		{ck.Mechanism{Type: ck.CKM_ECDSA}, mech.OpSign, 0},
		{ck.Mechanism{Type: ck.CKM_SHA256}, mech.OpDigest, 0},
		{ck.Mechanism{Type: ck.CKM_AES_CBC, Params: ck.RawParams(iv)}, mech.OpEncrypt, 1},
		{ck.Mechanism{Type: ck.CKM_RSA_PKCS_PSS, Params: ck.PSSParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256}}, mech.OpSign, 1},
	} {
		got := testing.AllocsPerRun(100, func() {
			if _, err := mech.Parse(test.m, test.op); err != nil {
				t.Error(err)
			}
		})
		if got > test.most {
			t.Errorf("%v: %v allocations, want %v", test.m.Type, got, test.most)
		}
	}
}

// FuzzParse builds a parameter of any kind from any bytes: whatever Parse takes must be within what the guard relies on.
func FuzzParse(f *testing.F) {
	for _, test := range good {
		f.Add(uint(test.typ), byte(test.op), byte(1), uint(32), uint(ck.CKM_SHA256), uint(1), iv, point)
	}
	f.Fuzz(func(t *testing.T, typ uint, op, kind byte, n, hash, number uint, a, b []byte) {
		params := []any{
			nil, ck.RawParams(a), ck.ULongParams(n), ck.OAEPParams{Hash: ck.MechanismType(hash), MGF: number, Source: n, Label: a},
			ck.PSSParams{Hash: ck.MechanismType(hash), MGF: number, SaltLen: n}, ck.CTRParams{CounterBits: n},
			ck.GCMParams{IV: a, AAD: b, TagBits: n}, ck.ECDH1Params{KDF: number, SharedData: a, PublicData: b},
			ck.EdDSAParams{Prehash: n&1 == 1, Context: a}, ck.ContextParams{Hedge: n, Context: a},
		}
		m := ck.Mechanism{Type: ck.MechanismType(typ), Params: params[int(kind)%len(params)]}
		s, err := mech.Parse(m, mech.Op(op))
		if err != nil {
			if rv := ck.Code(err); rv != ck.CKR_MECHANISM_INVALID && rv != ck.CKR_MECHANISM_PARAM_INVALID {
				t.Fatalf("%v", err)
			}
			return
		}
		checkScheme(t, s, mech.Op(op))
	})
}

func checkScheme(t *testing.T, s *mech.Scheme, op mech.Op) {
	if !s.Row.Serves(op) || s.Ticket != 0 {
		t.Fatalf("%v for op %d", s.Row.Type, op)
	}
	sound := true
	switch s.Row.Params {
	case mech.IVParams:
		sound = len(s.IV) == 16
	case mech.ULongParams:
		sound = s.MACLen > 0 && s.MACLen <= mech.MaxDigest
	case mech.OAEPParams:
		sound = s.Hash.MGF() != 0 && s.MGFHash.MGF() != 0
	case mech.PSSParams:
		sound = s.Hash.MGF() != 0 && s.MGFHash.MGF() != 0 && s.SaltLen >= 0 && s.SaltLen <= mech.MaxRSABits/8
	case mech.CTRParams:
		sound = len(s.IV) == 16 && s.CounterBits > 0 && s.CounterBits <= 128
	case mech.GCMParams:
		sound = len(s.IV) > 0 && s.TagLen >= 4 && s.TagLen <= 16
	case mech.ECDH1Params:
		sound = len(s.Peer) > 0 && (s.KDF == ck.CKD_NULL || mech.KDFHash(s.KDF).Known())
	case mech.EdDSAParams, mech.ContextParams:
		sound = len(s.Context) <= 255
	}
	if !sound {
		t.Fatalf("%v: %+v", s.Row.Type, s)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, m := range []ck.Mechanism{
		{Type: ck.CKM_ECDSA},
		{Type: ck.CKM_RSA_PKCS_PSS, Params: ck.PSSParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, SaltLen: 32}},
	} {
		b.Run(m.Type.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := mech.Parse(m, mech.OpSign); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
