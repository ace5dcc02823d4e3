package publickey_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"testing"

	"filippo.io/mldsa"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/publickey"
)

// signer makes signatures with Go's own packages, and with the one that will be.
type signer struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	ed  ed25519.PrivateKey
	dsa *mldsa.PrivateKey
}

func newSigner(t testing.TB) *signer {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	dsa, err := mldsa.GenerateKey(mldsa.MLDSA65())
	if err != nil {
		t.Fatal(err)
	}
	return &signer{rsaKeys()[2048], ec, ed, dsa}
}

// sign signs digest under a row, and gives the parameter that it chose.
func (s *signer) sign(row *mech.Row, digest []byte) (public crypto.PublicKey, params any, sig []byte, err error) {
	switch row.Primitive {
	case mech.RSAPKCS1:
		sig, err = rsa.SignPKCS1v15(nil, s.rsa, row.Hash.Crypto(), digest)
		return &s.rsa.PublicKey, nil, sig, err
	case mech.RSARaw:
		sig = new(big.Int).Exp(new(big.Int).SetBytes(digest), s.rsa.D, s.rsa.N).FillBytes(make([]byte, s.rsa.Size()))
		return &s.rsa.PublicKey, nil, sig, nil
	case mech.RSAPSS:
		hash := row.Hash
		if hash == 0 {
			hash = mech.SHA256
		}
		sig, err = rsa.SignPSS(rand.Reader, s.rsa, hash.Crypto(), digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		return &s.rsa.PublicKey, ck.PSSParams{Hash: hash.Mechanism(), MGF: hash.MGF(), SaltLen: uint(hash.Size())}, sig, err
	case mech.ECDSA:
		r, v, err := ecdsa.Sign(rand.Reader, s.ec, digest)
		if err != nil {
			return nil, nil, nil, err
		}
		return &s.ec.PublicKey, nil, append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...), nil
	case mech.EdDSA:
		return s.ed.Public(), nil, ed25519.Sign(s.ed, digest), nil
	case mech.MLDSA:
		public, err := pubkey.MLDSA65.PublicKey(s.dsa.PublicKey().Bytes())
		if err != nil {
			return nil, nil, nil, err
		}
		sig, err = s.dsa.Sign(nil, digest, &mldsa.Options{Context: "context"})
		return public, ck.ContextParams{Context: []byte("context")}, sig, err
	}
	return nil, nil, nil, errors.New("no signer")
}

// TestEveryRowVerifies: what Go signs under each mechanism of public keys verifies, and nothing else does.
func TestEveryRowVerifies(t *testing.T) {
	signer := newSigner(t)
	for _, row := range mech.All() {
		if !row.Serves(mech.OpVerify) || row.Takes(ck.CKK_AES) || row.Takes(ck.CKK_GENERIC_SECRET) {
			continue
		}
		data := make([]byte, 32)
		if row.Hash != 0 {
			data = row.Hash.Sum(nil, []byte("message"))
		}
		data[0] |= 1
		public, params, sig, err := signer.sign(row, data)
		if err != nil {
			t.Errorf("%v: %v", row.Type, err)
			continue
		}
		key, s := parse(t, public), scheme(t, row.Type, params, mech.OpVerify)
		if err := key.Verify(s, data, sig); err != nil {
			t.Errorf("%v: %v", row.Type, err)
		}
		data[0] ^= 2 // the first byte: ECDSA drops bits beyond the order from the end
		if err := key.Verify(s, data, sig); !errors.Is(err, ck.CKR_SIGNATURE_INVALID) {
			t.Errorf("%v, other data: %v", row.Type, err)
		}
		if err := key.Verify(s, data, sig[:len(sig)-1]); !errors.Is(err, ck.CKR_SIGNATURE_LEN_RANGE) {
			t.Errorf("%v, a byte less: %v", row.Type, err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	signer := newSigner(b)
	for _, typ := range []ck.MechanismType{ck.CKM_SHA256_RSA_PKCS, ck.CKM_SHA256_RSA_PKCS_PSS, ck.CKM_ECDSA_SHA256, ck.CKM_EDDSA, ck.CKM_ML_DSA} {
		digest := mech.SHA256.Sum(nil, []byte("message"))
		public, params, sig, err := signer.sign(mech.Lookup(typ), digest)
		if err != nil {
			b.Fatal(err)
		}
		key, s := parse(b, public), scheme(b, typ, params, mech.OpVerify)
		b.Run(typ.String(), func(b *testing.B) {
			for b.Loop() {
				if err := key.Verify(s, digest, sig); err != nil {
					b.Fatal(err)
				}
			}
		})
		keyType, parts := attributes(public)
		b.Run("Parse/"+keyType.String(), func(b *testing.B) {
			for b.Loop() {
				if _, err := publickey.Parse(keyType, func(a ck.AttributeType) []byte { return parts[a] }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
