package vectors_test

import (
	"bytes"
	"crypto/mlkem"
	"encoding/binary"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// generatesKEM makes a pair, whose seed makes the same public key by crypto/mlkem.
func (tok *token) generatesKEM(t *testing.T) {
	t.Helper()
	set := binary.NativeEndian.AppendUint64(nil, ck.CKP_ML_KEM_768)
	public, private, err := tok.GenerateKeyPair(tok.h, tok.with(ck.CKM_ML_KEM_KEY_PAIR_GEN, nil),
		[]*pkcs11.Attribute{pkcs11.NewAttribute(uint(ck.CKA_PARAMETER_SET), set)},
		[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true)})
	must(t, err)
	key, err := mlkem.NewDecapsulationKey768(tok.value(t, private, uint(ck.CKA_SEED)))
	must(t, err)
	if !bytes.Equal(key.EncapsulationKey().Bytes(), tok.value(t, public, pkcs11.CKA_VALUE)) {
		t.Error("the public key is not the seed's")
	}
	tok.destroy(t, public)
	tok.destroy(t, private)
}
