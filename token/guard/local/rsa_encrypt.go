package local

import (
	"crypto/rand"
	"crypto/rsa"

	"filippo.io/bigmod"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// encryptRSA encrypts a secret key under a public key. Error: CKR_KEY_SIZE_RANGE where it does not fit.
func encryptRSA(dst []byte, public *rsa.PublicKey, s *mech.Scheme, plain []byte) ([]byte, error) {
	if public.N.BitLen() < minRSABits {
		return nil, ck.Errorf(ck.CKR_KEY_TYPE_INCONSISTENT, "RSA keys below %d bits do not wrap", minRSABits)
	}
	if s.Row.Primitive == mech.RSAOAEP {
		if err := knownHashes(s); err != nil {
			return nil, err
		}
	}
	size := public.Size()
	limit := map[mech.Primitive]int{
		mech.RSAPKCS1: size - pkcs1Overhead,
		mech.RSAOAEP:  size - 2 - 2*s.Hash.Size(),
		mech.RSARaw:   size - 1, // one byte less is always below the modulus
	}
	if n, ok := limit[s.Row.Primitive]; !ok {
		return nil, ck.CKR_MECHANISM_INVALID
	} else if len(plain) > n {
		return nil, ck.Errorf(ck.CKR_KEY_SIZE_RANGE, "RSA of %d bytes cannot wrap a key of %d bytes so", size, len(plain))
	}
	var out []byte
	var err error
	switch s.Row.Primitive {
	case mech.RSAPKCS1:
		//lint:ignore SA1019 a mechanism of PKCS #11 that clients ask for
		out, err = rsa.EncryptPKCS1v15(rand.Reader, public, plain)
	case mech.RSAOAEP:
		options := &rsa.OAEPOptions{Hash: s.Hash.Crypto(), MGFHash: s.MGFHash.Crypto(), Label: s.Label}
		out, err = rsa.EncryptOAEPWithOptions(rand.Reader, public, plain, options)
	case mech.RSARaw:
		out, err = rawPublic(public, plain)
	}
	if err != nil {
		return nil, ck.Errorf(ck.CKR_FUNCTION_FAILED, "RSA: %w", err)
	}
	return append(dst, out...), nil
}

// rawPublic is RSAEP of RFC 8017.
func rawPublic(public *rsa.PublicKey, plain []byte) ([]byte, error) {
	n, err := bigmod.NewModulus(public.N.Bytes())
	if err != nil {
		return nil, err
	}
	m, err := bigmod.NewNat().SetBytes(plain, n)
	if err != nil {
		return nil, err
	}
	defer func() { clear(m.Bits()) }()
	return bigmod.NewNat().ExpShortVarTime(m, uint(public.E), n).Bytes(n), nil
}
