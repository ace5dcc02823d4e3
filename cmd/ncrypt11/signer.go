package main

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// signer is a private key of a token as a crypto.Signer. The token signs; the key stays where it is.
type signer struct {
	session *session
	key     ck.ObjectHandle
	public  crypto.PublicKey
}

// signer finds the public half of a private key.
func (s *session) signer(private ck.ObjectHandle) (*signer, error) {
	set, err := s.attributes(private, ck.CKA_PUBLIC_KEY_INFO)
	if err != nil {
		return nil, err
	}
	spki, _ := set.Get(ck.CKA_PUBLIC_KEY_INFO)
	if public, err := pubkey.ParseSPKI(spki); err == nil && latticeOf(public) != nil {
		return nil, fmt.Errorf("%s keys sign no certificates and requests here: take openssl req, from version 3.5", latticeOf(public).name)
	}
	public, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return nil, fmt.Errorf("the key's public half cannot be read: %w", err)
	}
	return &signer{s, private, public}, nil
}

func (k *signer) Public() crypto.PublicKey { return k.public }

// Sign signs a digest, or with Ed25519 the message.
func (k *signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	switch k.public.(type) {
	case *rsa.PublicKey:
		if opts.HashFunc() != crypto.SHA256 {
			return nil, fmt.Errorf("there is no RSA signature with %v here", opts.HashFunc())
		}
		return k.sign(ck.CKM_RSA_PKCS, append(mech.SHA256.DigestInfoPrefix(nil), digest...))
	case ed25519.PublicKey:
		return k.sign(ck.CKM_EDDSA, digest)
	}
	pair, err := k.sign(ck.CKM_ECDSA, digest)
	if err != nil {
		return nil, err
	}
	half := len(pair) / 2 // PKCS #11 has r and s as they are, everybody else in DER
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(pair[:half]), new(big.Int).SetBytes(pair[half:])})
}

// maxSignature is the length of the longest signature, an RSA key's of as many bits as there may be.
const maxSignature = maxBits / 8

func (k *signer) sign(mechanism ck.MechanismType, data []byte) ([]byte, error) {
	if err := k.session.SignInit(&ck.Mechanism{Type: mechanism}, k.key); err != nil {
		return nil, err
	}
	signature := make([]byte, maxSignature)
	n, err := k.session.Session.Sign(data, token.Output{Buf: signature})
	return signature[:n], err
}
