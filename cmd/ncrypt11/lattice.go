package main

import (
	"crypto"

	"filippo.io/mldsa"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// latticeKey is a public key of ML-DSA or ML-KEM.
type latticeKey struct {
	keyType ck.KeyType
	set     uint   // CKA_PARAMETER_SET
	name    string // of the parameter set
	value   []byte // CKA_VALUE of the public key
	public  crypto.PublicKey
}

// latticeOf is nil for other keys.
func latticeOf(public crypto.PublicKey) *latticeKey {
	switch key := public.(type) {
	case *pubkey.KEMKey:
		return &latticeKey{ck.CKK_ML_KEM, key.Set, key.Name, key.Bytes(), key}
	case *pubkey.MLDSAKey:
		return &latticeKey{ck.CKK_ML_DSA, key.Set, key.Name, key.Bytes(), key}
	case *mldsa.PublicKey: // of files
		for _, dsa := range pubkey.MLDSAs() {
			if dsa.Parameters != key.Parameters() {
				continue
			}
			if ours, err := dsa.PublicKey(key.Bytes()); err == nil {
				return latticeOf(ours)
			}
		}
	}
	return nil
}

// setName is what FIPS 203 and FIPS 204 call a parameter set; otherwise where it is none that tokens have.
func setName(keyType ck.KeyType, set uint, otherwise string) string {
	if kem, err := pubkey.KEMOf(set); err == nil && keyType == ck.CKK_ML_KEM {
		return kem.Name
	}
	if dsa, err := pubkey.MLDSAOf(set); err == nil && keyType == ck.CKK_ML_DSA {
		return dsa.Name
	}
	return otherwise
}
