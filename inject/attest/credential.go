package attest

import (
	"crypto/rand"
	"fmt"

	"github.com/google/go-tpm/tpm2"

	"github.com/ncrypt11/ncrypt11/token/seal"
)

// MaxSecret is how long the secret in a credential may be: as a digest by the endorsement key's hash algorithm (Part 1, 24).
const MaxSecret = 32

// MakeCredential encrypts a secret to the endorsement key, for the attestation key: TPM2_MakeCredential, without a TPM. A TPM opens it (seal.Attester's Activate) only if both
// keys are its own. Which TPM's they are, Verify says.
func MakeCredential(a *seal.Attestation, secret []byte) (blob, encrypted []byte, err error) {
	if len(secret) == 0 || len(secret) > MaxSecret {
		return nil, nil, fmt.Errorf("a credential has a secret of 1 to %d bytes, not of %d", MaxSecret, len(secret))
	}
	if err := Check(a); err != nil {
		return nil, nil, err
	}
	keys, err := readKeys(a)
	if err != nil {
		return nil, nil, err
	}
	to, err := tpm2.ImportEncapsulationKey(&keys.ek.Area)
	if err != nil {
		return nil, nil, failed(LinkEK, err)
	}
	object, seed, err := tpm2.CreateCredential(rand.Reader, to, keys.ak.Name, secret)
	if err != nil {
		return nil, nil, failed(LinkEK, err)
	}
	return tpm2.Marshal(tpm2.TPM2BIDObject{Buffer: object}), tpm2.Marshal(tpm2.TPM2BEncryptedSecret{Buffer: seed}), nil
}
