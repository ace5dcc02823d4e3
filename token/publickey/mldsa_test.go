package publickey_test

import (
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

type mldsaGroup struct {
	PublicKey, PublicKeyDer hexBytes
	Tests                   []struct {
		TcID          int
		Comment       string
		Msg, Ctx, Sig hexBytes
		Result        string
	}
}

func TestWycheproofMLDSA(t *testing.T) {
	files := map[string]*pubkey.MLDSA{
		"mldsa_44_verify_test.json": pubkey.MLDSA44, "mldsa_65_verify_test.json": pubkey.MLDSA65, "mldsa_87_verify_test.json": pubkey.MLDSA87,
	}
	for file, dsa := range files {
		data, err := fs.ReadFile(wycheproof.TestVectors, file)
		if err != nil {
			t.Fatal(err)
		}
		var content struct{ TestGroups []mldsaGroup }
		if err := json.Unmarshal(data, &content); err != nil {
			t.Fatal(err)
		}
		valid, invalid := 0, 0
		for _, g := range content.TestGroups {
			public, keyErr := dsa.PublicKey(g.PublicKey)
			for _, v := range g.Tests {
				err := keyErr
				if err == nil {
					err = verifyMLDSA(t, public, v.Msg, v.Ctx, v.Sig)
				}
				switch good := v.Result == "valid"; {
				case good != (err == nil):
					t.Errorf("%s %d %s: %v", file, v.TcID, v.Comment, err)
				case good:
					valid++
				default:
					invalid++
				}
			}
			if keyErr == nil && len(g.PublicKeyDer) > 0 {
				sameSPKI(t, public, g.PublicKeyDer)
			}
		}
		if valid < 50 || invalid < 50 {
			t.Errorf("%s: %d valid, %d invalid", file, valid, invalid)
		}
	}
}

func verifyMLDSA(t *testing.T, public *pubkey.MLDSAKey, message, context, signature []byte) error {
	t.Helper()
	s, err := mech.Parse(ck.Mechanism{Type: ck.CKM_ML_DSA, Params: ck.ContextParams{Context: context}}, mech.OpVerify)
	if err != nil {
		return err
	}
	err = parse(t, public).Verify(s, message, signature)
	if rv := ck.Code(err); err != nil && rv != ck.CKR_SIGNATURE_INVALID && rv != ck.CKR_SIGNATURE_LEN_RANGE {
		t.Errorf("%v", err)
	}
	return err
}

// sameSPKI: a key is written as others write it, and read from that.
func sameSPKI(t *testing.T, public *pubkey.MLDSAKey, der []byte) {
	t.Helper()
	ours, err := pubkey.SPKI(public)
	if err != nil || string(ours) != string(der) {
		t.Errorf("SubjectPublicKeyInfo of %s: %v", public.Name, err)
	}
	again, err := pubkey.ParseSPKI(der)
	if read, ok := again.(*pubkey.MLDSAKey); err != nil || !ok || string(read.Bytes()) != string(public.Bytes()) {
		t.Errorf("reading a SubjectPublicKeyInfo of %s: %T, %v", public.Name, again, err)
	}
}
