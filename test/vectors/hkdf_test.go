package vectors_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"runtime"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// hkdfVectors derives keys with both steps of HKDF.
func hkdfVectors(t *testing.T, tok *token) {
	for name, hash := range map[string]ck.MechanismType{"sha1": ck.CKM_SHA_1, "sha256": ck.CKM_SHA256, "sha384": ck.CKM_SHA384, "sha512": ck.CKM_SHA512} {
		text, err := fs.ReadFile(wycheproof.TestVectors, "hkdf_"+name+"_test.json")
		must(t, err)
		var file struct {
			TestGroups []struct {
				Tests []struct {
					ID                   int `json:"tcId"`
					IKM, Salt, Info, OKM hexBytes
					Size                 int
					Result               string
				}
			}
		}
		must(t, json.Unmarshal(text, &file))
		for _, g := range file.TestGroups {
			for _, v := range g.Tests {
				okm, err := tok.hkdf(t, hash, v.IKM, v.Salt, v.Info, v.Size)
				if valid := v.Result != "invalid"; valid != (err == nil) || valid && !bytes.Equal(okm, v.OKM) {
					t.Errorf("%s %d: %x, %v", name, v.ID, okm, err)
				}
			}
		}
	}
}

func (tok *token) hkdf(t *testing.T, hash ck.MechanismType, ikm, salt, info []byte, size int) ([]byte, error) {
	t.Helper()
	var pinner runtime.Pinner
	defer pinner.Unpin()
	at := func(b []byte) uint {
		if len(b) == 0 {
			return 0
		}
		return address(&pinner, b)
	}
	base, err := tok.object(pkcs11.CKO_SECRET_KEY, pkcs11.CKK_GENERIC_SECRET, append(uses(pkcs11.CKA_DERIVE), pkcs11.NewAttribute(pkcs11.CKA_VALUE, ikm))...)
	must(t, err)
	defer tok.destroy(t, base)
	const both = 0x0101 // bExtract, bExpand
	params := longs(both, uint(hash), uint(ck.CKF_HKDF_SALT_DATA), at(salt), uint(len(salt)), 0, at(info), uint(len(info)))
	key, err := tok.DeriveKey(tok.h, tok.with(ck.CKM_HKDF_DERIVE, params), base, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, size), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true),
	})
	if err != nil {
		return nil, err
	}
	defer tok.destroy(t, key)
	return tok.value(t, key, pkcs11.CKA_VALUE), nil
}
