package main

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha1" // names keys; nothing is trusted because of it
	"fmt"
	"math/big"

	"filippo.io/mldsa"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// publicParts is the public key as attributes, CKA_KEY_TYPE first. They are enough to find the key by.
func publicParts(public crypto.PublicKey) (attr.Template, error) {
	if key, ok := public.(*rsa.PublicKey); ok {
		return attr.Template{
			{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_RSA))},
			{Type: ck.CKA_MODULUS, Value: key.N.Bytes()},
			{Type: ck.CKA_PUBLIC_EXPONENT, Value: big.NewInt(int64(key.E)).Bytes()},
		}, nil
	}
	if key := latticeOf(public); key != nil {
		info, err := pubkey.SPKI(key.public)
		return attr.Template{
			{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(key.keyType))},
			{Type: ck.CKA_PARAMETER_SET, Value: attr.ULong(key.set)},
			{Type: ck.CKA_PUBLIC_KEY_INFO, Value: info}, // CKA_VALUE of the private key is something else
		}, err
	}
	curve, point := pubkey.Point(public)
	if curve == nil {
		return nil, fmt.Errorf("public keys of this kind (%T) are not supported", public)
	}
	return attr.Template{
		{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(curve.KeyType))},
		{Type: ck.CKA_EC_PARAMS, Value: append([]byte{}, curve.Params...)},
		{Type: ck.CKA_EC_POINT, Value: pubkey.EncodePoint(curve, point)},
	}, nil
}

// secretParts is what a private key has beyond its public half. The caller wipes it.
func secretParts(private crypto.PrivateKey) (attr.Template, error) {
	switch key := private.(type) {
	case *rsa.PrivateKey:
		return rsaParts(key), nil
	case *ecdsa.PrivateKey:
		scalar, err := key.Bytes()
		return attr.Template{{Type: ck.CKA_VALUE, Value: scalar}}, err
	case ed25519.PrivateKey:
		return attr.Template{{Type: ck.CKA_VALUE, Value: key.Seed()}}, nil
	case *ecdh.PrivateKey:
		return attr.Template{{Type: ck.CKA_VALUE, Value: key.Bytes()}}, nil
	case *mldsa.PrivateKey:
		return attr.Template{{Type: ck.CKA_SEED, Value: key.Bytes()}}, nil
	}
	return nil, fmt.Errorf("private keys of this kind (%T) are not supported", private)
}

// rsaParts gives the values for the Chinese remainder theorem where the file had them. The token checks them, and computes what is missing.
func rsaParts(key *rsa.PrivateKey) attr.Template {
	t := attr.Template{{Type: ck.CKA_PRIVATE_EXPONENT, Value: key.D.Bytes()}}
	for _, part := range []struct {
		typ ck.AttributeType
		n   *big.Int
	}{
		{ck.CKA_PRIME_1, key.Primes[0]},
		{ck.CKA_PRIME_2, key.Primes[1]},
		{ck.CKA_EXPONENT_1, key.Precomputed.Dp},
		{ck.CKA_EXPONENT_2, key.Precomputed.Dq},
		{ck.CKA_COEFFICIENT, key.Precomputed.Qinv},
	} {
		if part.n != nil {
			t = append(t, attr.Attribute{Type: part.typ, Value: part.n.Bytes()})
		}
	}
	return t
}

// keyID is the CKA_ID of a key that was not given one: the SHA-1 hash of the modulus, the point or the key, as NSS has it, so that a certificate that comes
// later finds its key.
func keyID(public crypto.PublicKey) ([]byte, bool) {
	var value []byte
	if key, ok := public.(*rsa.PublicKey); ok {
		value = key.N.Bytes()
	} else if key := latticeOf(public); key != nil {
		value = key.value
	} else if _, value = pubkey.Point(public); value == nil {
		return nil, false
	}
	id := sha1.Sum(value)
	return id[:], true
}
