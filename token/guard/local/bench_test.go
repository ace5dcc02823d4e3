package local_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// BenchmarkUse is what a use costs through the seam; crypto/ecdsa alone stands beside, to be subtracted.
func BenchmarkUse(b *testing.B) {
	g := local.New(nil)
	scheme := func(m ck.MechanismType, params any, op mech.Op) *mech.Scheme {
		s, err := mech.Parse(ck.Mechanism{Type: m, Params: params}, op)
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	pair := func(m ck.MechanismType, spec *guard.KeySpec) guard.Ref {
		k, err := g.Generate(0, scheme(m, nil, mech.OpGenerateKeyPair), spec, all(ck.CKO_PRIVATE_KEY, spec.KeyType))
		if err != nil {
			b.Fatal(err)
		}
		return k.Ref
	}
	secretKey := func(keyType ck.KeyType) guard.Ref {
		p := all(ck.CKO_SECRET_KEY, keyType)
		k, err := g.Import(0, &guard.Material{Class: p.Class, KeyType: keyType, Parts: []guard.Part{part(ck.CKA_VALUE, someKey)}}, p)
		if err != nil {
			b.Fatal(err)
		}
		return k.Ref
	}
	p256 := pair(ck.CKM_EC_KEY_PAIR_GEN, &guard.KeySpec{KeyType: ck.CKK_EC, ECParams: pubkey.P256.Params})
	rsa2048 := pair(ck.CKM_RSA_PKCS_KEY_PAIR_GEN, &guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 2048})
	mldsa65 := pair(ck.CKM_ML_DSA_KEY_PAIR_GEN, &guard.KeySpec{KeyType: ck.CKK_ML_DSA, ParameterSet: pubkey.MLDSA65.Set})
	aes, generic := secretKey(ck.CKK_AES), secretKey(ck.CKK_GENERIC_SECRET)
	pss := ck.PSSParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, SaltLen: 32}
	data := make([]byte, 64)
	for _, c := range []struct {
		name string
		m    ck.MechanismType
		p    any
		op   mech.Op
		ref  guard.Ref
		data []byte
	}{
		{"AES-CBC 64 B", ck.CKM_AES_CBC, iv, mech.OpEncrypt, aes, data},
		{"AES-CTR 64 B", ck.CKM_AES_CTR, ck.CTRParams{CounterBits: 128}, mech.OpEncrypt, aes, data},
		{"AES-GCM 64 B", ck.CKM_AES_GCM, gcmParams, mech.OpEncrypt, aes, data},
		{"HMAC-SHA256 64 B", ck.CKM_SHA256_HMAC, nil, mech.OpSign, generic, data},
		{"ECDSA P-256", ck.CKM_ECDSA, nil, mech.OpSign, p256, digest[:]},
		{"ML-DSA-65", ck.CKM_ML_DSA, nil, mech.OpSign, mldsa65, digest[:]},
		{"RSA-2048 PKCS1", ck.CKM_SHA256_RSA_PKCS, nil, mech.OpSign, rsa2048, digest[:]},
		{"RSA-2048 PSS", ck.CKM_RSA_PKCS_PSS, pss, mech.OpSign, rsa2048, digest[:]},
	} {
		s := scheme(c.m, c.p, c.op)
		use := g.Sign
		if c.op == mech.OpEncrypt {
			use = g.Encrypt
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			out := make([]byte, 0, 512)
			for b.Loop() {
				if _, err := use(out, c.ref, s, c.data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("a use that is refused", func(b *testing.B) {
		s := scheme(ck.CKM_SHA256_HMAC, nil, mech.OpSign)
		for b.Loop() {
			_, _ = g.Sign(nil, aes, s, data)
		}
	})
	b.Run("crypto/ecdsa alone", func(b *testing.B) {
		key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		for b.Loop() {
			_, _ = ecdsa.SignASN1(rand.Reader, key, digest[:])
		}
	})
}

// BenchmarkLoad is what the first use of a key after login costs.
func BenchmarkLoad(b *testing.B) {
	master := secret.New(32)
	g := local.New(nil)
	vault := local.AddMaster(g, master)
	for _, c := range []struct {
		name string
		m    ck.MechanismType
		spec guard.KeySpec
	}{
		{"P-256", ck.CKM_EC_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_EC, ECParams: pubkey.P256.Params}},
		{"RSA-2048", ck.CKM_RSA_PKCS_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 2048}},
		{"RSA-4096", ck.CKM_RSA_PKCS_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 4096}},
	} {
		s, err := mech.Parse(ck.Mechanism{Type: c.m}, mech.OpGenerateKeyPair)
		if err != nil {
			b.Fatal(err)
		}
		k, err := g.Generate(vault, s, &c.spec, all(ck.CKO_PRIVATE_KEY, c.spec.KeyType))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				ref, err := g.Load(vault, k.Record)
				if err != nil {
					b.Fatal(err)
				}
				g.Forget(ref)
			}
		})
	}
}
