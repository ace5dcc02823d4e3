package target

import (
	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// opener is inject.Opener over a session. What it makes are session objects, each for the next step only; close destroys them.
type opener struct {
	s    *token.Session
	keys map[ck.MechanismType]ck.ObjectHandle // the target's, by what they are used by
	made []ck.ObjectHandle
}

func newOpener(s *token.Session, t *inject.Target, keys []ck.ObjectHandle) *opener {
	o := &opener{s: s, keys: map[ck.MechanismType]ck.ObjectHandle{}}
	for i, role := range t.Suite.Roles() {
		o.keys[role.Mechanism] = keys[i]
	}
	return o
}

func (o *opener) keep(h ck.ObjectHandle, err error) (ck.ObjectHandle, error) {
	if err == nil {
		o.made = append(o.made, h)
	}
	return h, err
}

// close ends the keys. One that cannot be destroyed now ends with the session, which is no reason to call an import a failure that was none.
func (o *opener) close() {
	for _, h := range o.made {
		_ = o.s.DestroyObject(h)
	}
	o.made = nil
}

// Decapsulate is C_DecapsulateKey.
func (o *opener) Decapsulate(ciphertext []byte) (ck.ObjectHandle, error) {
	m := ck.Mechanism{Type: ck.CKM_ML_KEM}
	return o.keep(o.s.DecapsulateKey(m, o.keys[m.Type], shared(), ciphertext))
}

// Agree is C_DeriveKey with CKM_ECDH1_DERIVE.
func (o *opener) Agree(public []byte) (ck.ObjectHandle, error) {
	m := ck.Mechanism{Type: ck.CKM_ECDH1_DERIVE, Params: ck.ECDH1Params{KDF: ck.CKD_NULL, PublicData: public}}
	return o.keep(o.s.DeriveKey(m, o.keys[m.Type], shared()))
}

// UnwrapOAEP is C_UnwrapKey with CKM_RSA_PKCS_OAEP.
func (o *opener) UnwrapOAEP(wrapped, label []byte) (ck.ObjectHandle, error) {
	m := ck.Mechanism{Type: ck.CKM_RSA_PKCS_OAEP, Params: ck.OAEPParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, Source: ck.CKZ_DATA_SPECIFIED, Label: label}}
	return o.keep(o.s.UnwrapKey(m, o.keys[m.Type], wrapped, shared()))
}

// Activate is TPM2_ActivateCredential.
func (o *opener) Activate(blob, encrypted []byte) (ck.ObjectHandle, error) {
	return o.keep(o.s.Activate(blob, encrypted, shared()))
}

// Combine is C_DeriveKey with CKM_HKDF_DERIVE.
func (o *opener) Combine(c inject.Combination) (ck.ObjectHandle, error) {
	m := ck.Mechanism{Type: ck.CKM_HKDF_DERIVE, Params: ck.HKDFParams{
		Extract: true, Expand: true, Hash: ck.CKM_SHA256, SaltType: uint(ck.CKF_HKDF_SALT_KEY), SaltKey: c.Salt, Info: c.Info,
	}}
	makes := shared
	if c.Last {
		makes = opening
	}
	return o.keep(o.s.DeriveKey(m, c.Base, makes()))
}

func gcm(sealed inject.Sealed) ck.Mechanism {
	return ck.Mechanism{Type: ck.CKM_AES_GCM, Params: ck.GCMParams{IV: sealed.Nonce, TagBits: 128}}
}

// wrapped is a key of the package for the token, under the label that it is to have.
func wrapped(sealed inject.Sealed, m *inject.Meta) token.Wrapped {
	return token.Wrapped{Mechanism: gcm(sealed), Key: sealed.Wrapped, Associated: sealed.Associated, Template: imported(m), Half: half(m)}
}
