package inject

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// Describe says of a private key, by its public half, what a package has to say: what it is, and the uses that keys of its type are for.
func Describe(public crypto.PublicKey) (Meta, error) {
	m := Meta{Class: ck.CKO_PRIVATE_KEY}
	switch key := public.(type) {
	case *rsa.PublicKey:
		sizes := mech.Lookup(ck.CKM_RSA_PKCS_KEY_PAIR_GEN)
		if bits := uint(key.N.BitLen()); bits < sizes.Min || bits > sizes.Max {
			return Meta{}, fmt.Errorf("%w key: RSA of %d bits: tokens take %d to %d", ErrMalformed, bits, sizes.Min, sizes.Max)
		}
		m.KeyType, m.Usage = ck.CKK_RSA, guard.UseSign|guard.UseDecrypt
	case *ecdsa.PublicKey:
		m.KeyType, m.Usage = ck.CKK_EC, guard.UseSign|guard.UseDerive
	case ed25519.PublicKey:
		m.KeyType, m.Usage = ck.CKK_EC_EDWARDS, guard.UseSign
	case *pubkey.MLDSAKey:
		m.KeyType, m.Usage = ck.CKK_ML_DSA, guard.UseSign
	case *ecdh.PublicKey:
		m.KeyType, m.Usage = ck.CKK_EC_MONTGOMERY, guard.UseDerive
	case *pubkey.KEMKey:
		m.KeyType, m.Usage = ck.CKK_ML_KEM, guard.UseDecapsulate
	default:
		return Meta{}, fmt.Errorf("%w key: packages do not carry keys whose public half is a %T", ErrMalformed, public)
	}
	var err error
	if m.Public, err = pubkey.SPKI(public); err != nil {
		return Meta{}, fmt.Errorf("%w key: %w", ErrMalformed, err)
	}
	return m, nil
}

// DescribeAES says what a package has to say of an AES key.
func DescribeAES() Meta {
	return Meta{Class: ck.CKO_SECRET_KEY, KeyType: ck.CKK_AES, Usage: guard.UseEncrypt | guard.UseDecrypt}
}
