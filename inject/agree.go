package inject

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// agree makes the secrets that only the target will find, and what it finds them by: one for each of its keys, and one that its TPM alone gives to it. The
// last keeps the package closed to who has the other keys without the TPM that vouched for them.
func (t *Target) agree() (one *stanza, secrets []*secret.Bytes, err error) {
	defer func() {
		if err != nil {
			closeAll(secrets)
			secrets = nil
		}
	}()
	one = &stanza{suite: t.Suite, target: t.ID, statement: t.Digest()}
	for i, role := range t.Suite.Roles() {
		public, err := role.public(t.Stated.Keys[i].Public)
		if err != nil {
			return nil, secrets, err
		}
		shared, share, err := encapsulate(public)
		if err != nil {
			return nil, secrets, fmt.Errorf("nothing could be agreed on with the target's %s key: %w", role.Name, err)
		}
		secrets = append(secrets, shared)
		one.shares = append(one.shares, share)
	}
	bound := secret.New(attest.MaxSecret)
	secrets = append(secrets, bound)
	rand.Read(bound.Bytes())
	one.credential, one.encrypted, err = attest.MakeCredential(t.Attestation, bound.Bytes())
	if err != nil {
		return nil, secrets, fmt.Errorf("no credential could be made for the target's TPM: %w", err)
	}
	return one, secrets, nil
}

// encapsulate makes a secret for the owner of a public key, and what he finds it by.
func encapsulate(public any) (*secret.Bytes, []byte, error) {
	switch key := public.(type) {
	case *pubkey.KEMKey: // FIPS 203, section 7.2
		shared, ciphertext := key.Encapsulate()
		return secret.From(shared), ciphertext, nil
	case *ecdh.PublicKey: // RFC 7748, section 6.1; ECDH refuses a secret that is all zeros
		own, err := key.Curve().GenerateKey(rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		shared, err := own.ECDH(key)
		if err != nil {
			return nil, nil, err
		}
		return secret.From(shared), own.PublicKey().Bytes(), nil
	case *rsa.PublicKey: // RFC 8017, section 7.1.1
		shared := secret.New(keyLen)
		rand.Read(shared.Bytes())
		ciphertext, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, key, shared.Bytes(), []byte(OAEPLabel))
		if err != nil {
			shared.Close()
			return nil, nil, err
		}
		return shared, ciphertext, nil
	}
	return nil, nil, fmt.Errorf("a public key of type %T", public)
}
