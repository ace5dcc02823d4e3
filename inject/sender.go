package inject

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// Fingerprint is the SHA-256 of a SubjectPublicKeyInfo, by which a target names its sender (About.Sender).
func Fingerprint(spki []byte) []byte {
	sum := sha256.Sum256(spki)
	return sum[:]
}

// pss is how RSA signs: RSASSA-PSS as most have it (RFC 8017, section 8.1; the salt is as long as the hash).
var pss = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}

// senderKind refuses keys of kinds that do not sign packages. The key says the algorithm; nothing else does.
func senderKind(public crypto.PublicKey) error {
	switch key := public.(type) {
	case ed25519.PublicKey:
		return nil
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return nil
		}
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits >= 2048 && bits <= 4096 {
			return nil
		}
	}
	return fmt.Errorf("%w sender: packages are signed by Ed25519, ECDSA on P-256, or RSA of 2048 to 4096 bits", ErrMalformed)
}

// senderOf is the SubjectPublicKeyInfo of who signs.
func senderOf(signer crypto.Signer) ([]byte, error) {
	if err := senderKind(signer.Public()); err != nil {
		return nil, err
	}
	spki, err := pubkey.SPKI(signer.Public())
	if err != nil {
		return nil, fmt.Errorf("%w sender: %w", ErrMalformed, err)
	}
	return spki, nil
}

// signed is what the sender signs: the header's hash, and that of all keys.
func signed(header, digest []byte) []byte {
	return slices.Concat([]byte(domainSender), header, digest)
}

func sign(signer crypto.Signer, message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	var signature []byte
	var err error
	switch signer.Public().(type) {
	case ed25519.PublicKey:
		signature, err = signer.Sign(rand.Reader, message, crypto.Hash(0))
	case *rsa.PublicKey:
		signature, err = signer.Sign(rand.Reader, digest[:], pss)
	default:
		signature, err = signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	}
	if err != nil {
		return nil, fmt.Errorf("the sender could not sign: %w", err)
	}
	return signature, nil
}

// verifySender checks a signature of the key of spki.
func verifySender(spki, message, signature []byte) error {
	public, err := pubkey.ParseSPKI(spki)
	if err != nil {
		return fmt.Errorf("%w package: its sender: %w", ErrMalformed, err)
	}
	if err := senderKind(public); err != nil {
		return err
	}
	digest := sha256.Sum256(message)
	var ok bool
	switch key := public.(type) {
	case ed25519.PublicKey:
		ok = ed25519.Verify(key, message, signature)
	case *rsa.PublicKey:
		ok = rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, pss) == nil
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(key, digest[:], signature)
	}
	if !ok {
		return fmt.Errorf("the package was %w: its sender's signature does not fit", ErrTampered)
	}
	return nil
}
