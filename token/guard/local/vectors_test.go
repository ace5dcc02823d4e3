package local_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"slices"
	"testing"

	"github.com/c2sp/wycheproof"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// hexBytes are bytes that JSON writes in hexadecimal.
type hexBytes []byte

func (h *hexBytes) UnmarshalJSON(b []byte) (err error) {
	var s string
	if err = json.Unmarshal(b, &s); err == nil {
		*h, err = hex.DecodeString(s)
	}
	return err
}

// vectorGroup has the fields of all Wycheproof files that are read here.
type vectorGroup struct {
	KeySize, IVSize, TagSize int
	SHA, MGFSHA              string
	PrivateKeyPKCS8          hexBytes `json:"privateKeyPkcs8"`
	Tests                    []vector
}

type vector struct {
	ID      int `json:"tcId"`
	Comment string
	Flags   []string
	Result  string

	Key, IV, AAD, Msg, CT, Tag, Label, Public, Private, Shared, Sig hexBytes
}

func (v *vector) has(flag string) bool { return slices.Contains(v.Flags, flag) }

// wycheproofGroups reads a file of Wycheproof.
func wycheproofGroups(t *testing.T, name string) []vectorGroup {
	t.Helper()
	text, err := fs.ReadFile(wycheproof.TestVectors, name+"_test.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ TestGroups []vectorGroup }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.TestGroups) == 0 {
		t.Fatalf("%s has no vectors", name)
	}
	return file.TestGroups
}

// eachVector runs test on each vector of a file.
func eachVector(t *testing.T, name string, test func(t *testing.T, g *vectorGroup, v *vector)) {
	t.Helper()
	for _, g := range wycheproofGroups(t, name) {
		for _, v := range g.Tests {
			test(t, &g, &v)
			if t.Failed() {
				t.Fatalf("%s %d: %s %v", name, v.ID, v.Comment, v.Flags)
			}
		}
	}
}

// roundTrip checks an authenticated or padded encryption: valid vectors encrypt and decrypt, in one part and in several, and invalid ones do not decrypt.
func (f *fixture) roundTrip(v *vector, m ck.MechanismType, params any, plain, ciphertext []byte, streams bool) {
	f.Helper()
	key := f.secretKey(ck.CKK_AES, v.Key)
	defer f.Forget(key)
	enc, dec := f.scheme(m, params, mech.OpEncrypt), f.scheme(m, params, mech.OpDecrypt)
	got, err := f.Decrypt(nil, key, dec, ciphertext)
	if v.Result != "valid" {
		if err == nil {
			f.Errorf("an invalid ciphertext was decrypted")
		}
		return
	}
	if err != nil || !bytes.Equal(got, plain) {
		f.Errorf("decrypted to %x (%v)", got, err)
	}
	got, err = f.Encrypt([]byte("before"), key, enc, plain)
	if err != nil || string(got) != "before"+string(ciphertext) {
		f.Errorf("encrypted to %x (%v)", got, err)
	}
	if !streams {
		return
	}
	if got := f.inParts(key, enc, mech.OpEncrypt, plain); !bytes.Equal(got, ciphertext) {
		f.Errorf("encrypted in parts to %x", got)
	}
	if got := f.inParts(key, dec, mech.OpDecrypt, ciphertext); !bytes.Equal(got, plain) {
		f.Errorf("decrypted in parts to %x", got)
	}
}

// inParts runs data through a stream in parts of growing length, and holds the stream to the lengths that it announces.
func (f *fixture) inParts(key guard.Ref, s *mech.Scheme, op mech.Op, data []byte) (out []byte) {
	f.Helper()
	st, err := f.Stream(key, s, op)
	if err != nil {
		f.Fatal(err)
	}
	defer st.Close()
	for n := 0; len(data) > 0; n++ {
		part := data[:min(n, len(data))]
		data = data[len(part):]
		announced, before := st.Shape().UpdateLen(len(part)), len(out)
		if out, err = st.Update(out, part); err != nil || len(out)-before != announced {
			f.Fatalf("Update gave %d bytes and announced %d (%v)", len(out)-before, announced, err)
		}
	}
	announced, before := st.FinalLen(), len(out)
	out, err = st.Final(out)
	loose := s.Row.Primitive == mech.AESCBCPad && op == mech.OpDecrypt
	if grown := len(out) - before; err != nil || grown > announced || !loose && grown != announced {
		f.Fatalf("Final gave %d bytes and announced %d (%v)", grown, announced, err)
	}
	return out
}

func TestWycheproofCBC(t *testing.T) {
	eachVector(t, "aes_cbc_pkcs5", func(t *testing.T, _ *vectorGroup, v *vector) {
		f := setup(t)
		f.roundTrip(v, ck.CKM_AES_CBC_PAD, ck.RawParams(v.IV), v.Msg, v.CT, true)
		if v.Result == "valid" && len(v.Msg)%16 == 0 { // without its padding block it is CBC as such
			n := len(v.Msg)
			f.roundTrip(v, ck.CKM_AES_CBC, ck.RawParams(v.IV), v.Msg, v.CT[:n], true)
		}
	})
}

func TestWycheproofGCM(t *testing.T) {
	eachVector(t, "aes_gcm", func(t *testing.T, g *vectorGroup, v *vector) {
		if len(v.IV) == 0 { // refused by Parse
			return
		}
		f := setup(t)
		for tagLen := 4; tagLen <= 16; tagLen++ { // shorter tags are beginnings of the whole one
			if tagLen < 16 && v.Result != "valid" {
				continue
			}
			params := ck.GCMParams{IV: v.IV, AAD: v.AAD, TagBits: uint(tagLen * 8)}
			f.roundTrip(v, ck.CKM_AES_GCM, params, v.Msg, slices.Concat(v.CT, v.Tag[:tagLen]), tagLen%4 == 0)
		}
	})
}

func TestWycheproofKeyWrap(t *testing.T) {
	eachVector(t, "aes_wrap", func(t *testing.T, _ *vectorGroup, v *vector) {
		if v.Result == "acceptable" { // one semiblock, which RFC 3394 does not define
			v.Result = "invalid"
		}
		setup(t).roundTrip(v, ck.CKM_AES_KEY_WRAP, nil, v.Msg, v.CT, false)
	})
	eachVector(t, "aes_kwp", func(t *testing.T, _ *vectorGroup, v *vector) {
		setup(t).roundTrip(v, ck.CKM_AES_KEY_WRAP_KWP, nil, v.Msg, v.CT, false)
	})
}

func TestWycheproofMAC(t *testing.T) {
	for _, test := range []struct {
		file    string
		keyType ck.KeyType
		whole   ck.MechanismType
		general ck.MechanismType
		size    int
	}{
		{"aes_cmac", ck.CKK_AES, ck.CKM_AES_CMAC, ck.CKM_AES_CMAC_GENERAL, 16},
		{"hmac_sha1", ck.CKK_GENERIC_SECRET, ck.CKM_SHA_1_HMAC, ck.CKM_SHA_1_HMAC_GENERAL, 20},
		{"hmac_sha224", ck.CKK_GENERIC_SECRET, ck.CKM_SHA224_HMAC, ck.CKM_SHA224_HMAC_GENERAL, 28},
		{"hmac_sha256", ck.CKK_GENERIC_SECRET, ck.CKM_SHA256_HMAC, ck.CKM_SHA256_HMAC_GENERAL, 32},
		{"hmac_sha384", ck.CKK_GENERIC_SECRET, ck.CKM_SHA384_HMAC, ck.CKM_SHA384_HMAC_GENERAL, 48},
		{"hmac_sha512", ck.CKK_GENERIC_SECRET, ck.CKM_SHA512_HMAC, ck.CKM_SHA512_HMAC_GENERAL, 64},
		{"hmac_sha3_256", ck.CKK_GENERIC_SECRET, ck.CKM_SHA3_256_HMAC, ck.CKM_SHA3_256_HMAC_GENERAL, 32},
	} {
		f := setup(t)
		eachVector(t, test.file, func(t *testing.T, g *vectorGroup, v *vector) {
			m, params := test.whole, any(nil)
			if g.TagSize/8 != test.size {
				m, params = test.general, ck.ULongParams(g.TagSize/8)
			}
			p := all(ck.CKO_SECRET_KEY, test.keyType)
			k, err := f.Import(0, &guard.Material{Class: p.Class, KeyType: p.KeyType, Parts: []guard.Part{part(ck.CKA_VALUE, v.Key)}}, p)
			if err != nil {
				if v.Result == "valid" {
					t.Errorf("a key of %d bytes: %v", len(v.Key), err)
				}
				return
			}
			defer f.Forget(k.Ref)
			err = f.Verify(k.Ref, f.scheme(m, params, mech.OpVerify), v.Msg, v.Tag)
			if (err == nil) != (v.Result == "valid") {
				t.Errorf("verified: %v", err)
			}
			if v.Result != "valid" {
				return
			}
			sign := f.scheme(m, params, mech.OpSign)
			if tag, err := f.Sign(nil, k.Ref, sign, v.Msg); err != nil || !bytes.Equal(tag, v.Tag) {
				t.Errorf("MAC %x (%v)", tag, err)
			}
			if tag := f.inParts(k.Ref, sign, mech.OpSign, v.Msg); !bytes.Equal(tag, v.Tag) {
				t.Errorf("MAC in parts %x", tag)
			}
		})
	}
}
