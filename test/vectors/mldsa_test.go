package vectors_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"filippo.io/mldsa"
	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// mldsaSets are the parameter sets by the names of Wycheproof's files.
var mldsaSets = map[string]uint64{"44": ck.CKP_ML_DSA_44, "65": ck.CKP_ML_DSA_65, "87": ck.CKP_ML_DSA_87}

func parameterSet(set uint64) *pkcs11.Attribute {
	return pkcs11.NewAttribute(uint(ck.CKA_PARAMETER_SET), binary.NativeEndian.AppendUint64(nil, set))
}

// mldsaVectors are those without a context, whose parameter this client cannot write.
func mldsaVectors(t *testing.T, tok *token) {
	for name, set := range mldsaSets {
		var key once
		each(t, "mldsa_"+name+"_verify", func(t *testing.T, g *group, v *vector) {
			if len(v.Ctx) > 0 || len(g.PublicKey) != map[string]int{"44": 1312, "65": 1952, "87": 2592}[name] {
				return
			}
			key.use(g, func() (public, private pkcs11.ObjectHandle) {
				public, err := tok.object(pkcs11.CKO_PUBLIC_KEY, uint(ck.CKK_ML_DSA), append(uses(pkcs11.CKA_VERIFY), parameterSet(set),
					pkcs11.NewAttribute(pkcs11.CKA_VALUE, []byte(g.PublicKey)))...)
				must(t, err)
				return public, 0
			})
			judge(t, v, tok.verify(tok.with(ck.CKM_ML_DSA, nil), key.public, v.Msg, v.Sig))
		})
	}
}

// generatesMLDSA makes a pair, whose seed makes the same public key by the library, which takes its signatures.
func (tok *token) generatesMLDSA(t *testing.T) {
	t.Helper()
	public, private, err := tok.GenerateKeyPair(tok.h, tok.with(ck.CKM_ML_DSA_KEY_PAIR_GEN, nil), []*pkcs11.Attribute{parameterSet(ck.CKP_ML_DSA_65)},
		[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true)})
	must(t, err)
	key, err := mldsa.NewPrivateKey(mldsa.MLDSA65(), tok.value(t, private, uint(ck.CKA_SEED)))
	must(t, err)
	if !bytes.Equal(key.PublicKey().Bytes(), tok.value(t, public, pkcs11.CKA_VALUE)) {
		t.Error("the public key is not the seed's")
	}
	message := []byte("message")
	signature, err := tok.sign(tok.with(ck.CKM_ML_DSA, nil), private, message)
	must(t, err)
	if err := mldsa.Verify(key.PublicKey(), message, signature, nil); err != nil {
		t.Error(err)
	}
	tok.destroy(t, public)
	tok.destroy(t, private)
}
