package tpmseal

import (
	"encoding/binary"

	"github.com/google/go-tpm/tpm2"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// credential is one for TPM2_ActivateCredential, of which nothing is known but that its sizes are right.
type credential struct {
	kind   *endorsementKind // of key that it is encrypted to
	object []byte           // TPMS_ID_OBJECT
	seed   []byte           // what is in the TPM2B_ENCRYPTED_SECRET
}

// parseCredential looks at the sizes: of a TPMS_ID_OBJECT (Part 2, 12.4.2), which is a TPM2B_DIGEST for the integrity, and then a TPM2B_DIGEST that is encrypted; and of the
// secret, a point of P-256 or an RSA ciphertext.
func parseCredential(blob, encrypted []byte) (*credential, error) {
	const integrityLen, fewest = 2 + 32, 2 + 1
	object, ok := cut2B(blob)
	seed, also := cut2B(encrypted)
	c := &credential{object: object, seed: seed}
	switch len(seed) {
	case 256:
		c.kind = &onRSA
	case 2 + 32 + 2 + 32:
		c.kind = &onP256
	}
	if !ok || !also || c.kind == nil || len(object) < integrityLen+fewest || len(object) > integrityLen+2+attest.MaxSecret || binary.BigEndian.Uint16(object) != integrityLen-2 {
		return nil, ck.Errorf(ck.CKR_ENCRYPTED_DATA_INVALID, "%w: the credential is not as TPM2_MakeCredential makes one", seal.ErrDamaged)
	}
	return c, nil
}

// cut2B gives what is in a TPM2B.
func cut2B(b []byte) (content []byte, ok bool) {
	if len(b) < 2 || int(binary.BigEndian.Uint16(b)) != len(b)-2 {
		return nil, false
	}
	return b[2:], true
}

// Activate opens a credential. Whoever may use the TPM can have that, so the TPM's bus is all that the session keeps the secret from. As with Unseal, go-tpm leaves a
// copy in memory until the next garbage collection.
func (s *Sealer) Activate(blob, encrypted []byte) (*secret.Bytes, error) {
	c, err := parseCredential(blob, encrypted)
	if err != nil {
		return nil, err
	}
	var opened *secret.Bytes
	err = s.tpm.operate(func(o *operation) (err error) {
		opened, err = o.activate(c)
		return err
	})
	return opened, err
}

func (o *operation) activate(c *credential) (*secret.Bytes, error) {
	ek, err := o.endorsementOf(c.kind)
	if err != nil {
		return nil, err
	}
	defer ek.done()
	ak, err := o.endorsed(&attest.AttestationKey)
	if err != nil {
		return nil, err
	}
	defer ak.done()
	quiet, endQuiet, err := o.session(ek.handle, ek.Area, tpm2.AESEncryption(128, tpm2.EncryptOut))
	if err != nil {
		return nil, err
	}
	defer endQuiet()
	permitted, endPermitted, err := o.permitted()
	if err != nil {
		return nil, err
	}
	defer endPermitted()
	got, err := execute(o, tpm2.ActivateCredential{
		ActivateHandle: ak.auth(quiet),
		KeyHandle:      ek.auth(permitted),
		CredentialBlob: tpm2.TPM2BIDObject{Buffer: c.object},
		Secret:         tpm2.TPM2BEncryptedSecret{Buffer: c.seed},
	})
	if err != nil {
		return nil, err
	}
	if n := len(got.CertInfo.Buffer); n == 0 || n > attest.MaxSecret {
		secret.Wipe(got.CertInfo.Buffer)
		return nil, unsound("TPM2_ActivateCredential gave a secret of an impossible size")
	}
	return secret.From(got.CertInfo.Buffer), nil
}

// permitted is a session in which the endorsement hierarchy has permitted the use of its endorsement key, as the policy in the TCG's templates asks.
func (o *operation) permitted() (s tpm2.Session, done func(), err error) {
	const nonceLen = 16
	s, _, err = tpm2.PolicySession(o, tpm2.TPMAlgSHA256, nonceLen)
	if err != nil {
		return nil, nil, o.explain(tpm2.TPMCCStartAuthSession, err)
	}
	handle := s.Handle()
	_, err = execute(o, tpm2.PolicySecret{
		AuthHandle:    tpm2.AuthHandle{Handle: tpm2.TPMRHEndorsement, Auth: tpm2.PasswordAuth(nil)},
		PolicySession: handle,
		NonceTPM:      s.NonceTPM(),
	})
	if err != nil {
		o.flush(handle)
		return nil, nil, err
	}
	return s, func() { o.flush(handle) }, nil
}
