package keyfile

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"math/big"

	"filippo.io/mldsa"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// acceptPrivate checks a private key of whatever format and returns it in the type that Key promises. On error it returns the
// key it was given, to be wiped.
func acceptPrivate(private crypto.PrivateKey) (crypto.PrivateKey, error) {
	switch key := private.(type) {
	case *rsa.PrivateKey:
		return key, acceptRSA(key)
	case *ecdsa.PrivateKey:
		return key, acceptCurve(key.Curve)
	case ed25519.PrivateKey:
		return key, acceptEd25519(key)
	case *ed25519.PrivateKey: // of OpenSSH files
		return *key, acceptEd25519(*key)
	case *ecdh.PrivateKey:
		if key.Curve() != ecdh.X25519() {
			return key, &Error{Err: fmt.Errorf("the ECDH curve %v is not supported", key.Curve()), Advice: adviceNewKey}
		}
		return key, nil
	case *mldsa.PrivateKey:
		return key, nil
	default:
		return nil, &Error{Err: fmt.Errorf("keys of this type (%T) are not supported", private), Advice: adviceNewKey}
	}
}

func acceptRSA(key *rsa.PrivateKey) error {
	const two = 2 // PKCS #11 v3.2 has CKA_PRIME_1 and CKA_PRIME_2, and no further one
	if len(key.Primes) != two {
		return &Error{Err: fmt.Errorf("RSA keys of %d primes are not supported", len(key.Primes)), Advice: "generate a new key of two primes"}
	}
	if err := key.Validate(); err != nil {
		return fmt.Errorf("the RSA key is not valid: %w", err)
	}
	return nil
}

func acceptCurve(curve elliptic.Curve) error {
	switch curve {
	case elliptic.P256(), elliptic.P384(), elliptic.P521():
		return nil
	}
	return &Error{Err: fmt.Errorf("the curve %s is not supported", curve.Params().Name), Advice: adviceCurve}
}

// acceptEd25519 checks the public half that a 64-byte private key carries: signing with a foreign one gives the private key away.
func acceptEd25519(key ed25519.PrivateKey) error {
	if len(key) != ed25519.PrivateKeySize {
		return errDamaged
	}
	again := ed25519.NewKeyFromSeed(key.Seed())
	defer secret.Wipe(again)
	if !bytes.Equal(again[ed25519.SeedSize:], key[ed25519.SeedSize:]) {
		return errMismatch
	}
	return nil
}

// Wipe zeroes the private keys as far as Go lets it: the integers of RSA and EC keys, the octets of Ed25519 keys, ML-DSA keys whole. What the
// standard library keeps out of reach, X25519 scalars and precomputed RSA values, is left to the garbage collector, as are the
// copies that its parsers made. The keys must not be used afterwards.
func (f *File) Wipe() {
	if f == nil {
		return
	}
	for i := range f.Keys {
		wipeKey(f.Keys[i].Private)
	}
	f.Keys = nil
}

func wipeKey(private crypto.PrivateKey) {
	switch key := private.(type) {
	case *rsa.PrivateKey:
		wipeInts(key.D, key.Precomputed.Dp, key.Precomputed.Dq, key.Precomputed.Qinv)
		wipeInts(key.Primes...)
	case *ecdsa.PrivateKey:
		//lint:ignore SA1019 there is no other way to the scalar's own memory
		wipeInts(key.D)
	case ed25519.PrivateKey:
		secret.Wipe(key)
	case *ed25519.PrivateKey:
		secret.Wipe(*key)
	case *mldsa.PrivateKey:
		*key = mldsa.PrivateKey{}
	}
}

func wipeInts(ints ...*big.Int) {
	for _, n := range ints {
		if n != nil {
			clear(n.Bits()[:cap(n.Bits())])
			n.SetInt64(0)
		}
	}
}
