package tpmseal

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/google/go-tpm/tpm2"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

var _ seal.Attester = (*Sealer)(nil)

// Attest signs a statement with a key of the TPM, and has the TPM's attestation key certify that key. Before it gives that away it checks it all, as strangers will.
func (s *Sealer) Attest(statement []byte) (*seal.Attestation, error) {
	digest := sha256.Sum256(statement)
	var a *seal.Attestation
	err := s.tpm.operate(func(o *operation) (err error) {
		a, err = o.attest(digest)
		return err
	})
	if err != nil {
		return nil, err
	}
	var unknown *attest.UntrustedError // which is said of an attestation that is sound; who believes this TPM is not for it to say
	if _, err := attest.Verify(statement, a, attest.Trust{}); !errors.As(err, &unknown) {
		return nil, unsound(err.Error())
	}
	return a, nil
}

func (o *operation) attest(digest [sha256.Size]byte) (*seal.Attestation, error) {
	ek, certificates, err := o.endorsement()
	if err != nil {
		return nil, err
	}
	ek.done() // its public area is all that is needed, and there is room for two more keys
	ak, err := o.endorsed(&attest.AttestationKey)
	if err != nil {
		return nil, err
	}
	defer ak.done()
	key, err := o.endorsed(&attest.StatementKey)
	if err != nil {
		return nil, err
	}
	defer key.done()
	certified, err := execute(o, tpm2.Certify{
		ObjectHandle:   key.auth(tpm2.PasswordAuth(nil)),
		SignHandle:     ak.auth(tpm2.PasswordAuth(nil)),
		QualifyingData: tpm2.TPM2BData{Buffer: digest[:]},
		InScheme:       tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgNull}, // the key's own
	})
	if err != nil {
		return nil, err
	}
	signed, err := execute(o, tpm2.Sign{
		KeyHandle:  key.auth(tpm2.PasswordAuth(nil)),
		Digest:     tpm2.TPM2BDigest{Buffer: digest[:]},
		InScheme:   tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgNull},
		Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck, Hierarchy: tpm2.TPMRHNull}, // a key that is not restricted needs no proof of where a digest is from
	})
	if err != nil {
		return nil, err
	}
	return &seal.Attestation{
		EKCertificates: certificates,
		EKPublic:       tpm2.Marshal(ek.Area),
		AKPublic:       tpm2.Marshal(ak.Area),
		KeyPublic:      tpm2.Marshal(key.Area),
		Certified:      certified.CertifyInfo.Bytes(),
		Certificate:    tpm2.Marshal(certified.Signature),
		Signature:      tpm2.Marshal(signed.Signature),
	}, nil
}

// endorsed is a primary key of the endorsement hierarchy that is loaded.
type endorsed struct {
	*attest.Key
	handle tpm2.TPMHandle
	done   func()
}

// auth is the key's handle in a command that session authorizes.
func (k *endorsed) auth(session tpm2.Session) tpm2.AuthHandle {
	return tpm2.AuthHandle{Handle: k.handle, Name: tpm2.TPM2BName{Buffer: k.Name}, Auth: session}
}

// searching is how much longer than everything else the search for RSA primes may take in a chip. It is over when it is over: the primes of a seed are always as far away.
const searching = 2 * time.Minute

// endorsed makes the key that comes of a template.
func (o *operation) endorsed(template *attest.Template) (*endorsed, error) {
	if template == &attest.RSAEndorsementKey {
		o.longer = searching
		defer func() { o.longer = 0 }()
	}
	made, err := execute(o, tpm2.CreatePrimary{
		PrimaryHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHEndorsement, Auth: tpm2.PasswordAuth(nil)},
		InPublic:      tpm2.New2B(template.Area()),
	})
	if errors.Is(err, tpm2.TPMRCBadAuth) {
		return nil, ck.Errorf(ck.CKR_FUNCTION_REJECTED, "%s", textEndorsement)
	}
	if err != nil {
		return nil, err
	}
	key, err := template.Read(made.OutPublic.Bytes())
	if err != nil || !bytes.Equal(key.Name, made.Name.Buffer) {
		o.flush(made.ObjectHandle)
		return nil, unsound("TPM2_CreatePrimary made another key than it was asked for")
	}
	return &endorsed{key, made.ObjectHandle, func() { o.flush(made.ObjectHandle) }}, nil
}
