package tpmseal

import (
	"encoding/hex"
	"errors"
	"os"
	"strings"

	"github.com/google/go-tpm/tpm2"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// bootID is random, and another after each start of the kernel.
func bootID() (id [bootLen]byte, err error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return id, err
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(string(text)), "-", ""))
	if err != nil || len(raw) != bootLen {
		return id, errors.New("the kernel's boot_id is no UUID")
	}
	return [bootLen]byte(raw), nil
}

// hierarchy is where the parent comes from: the null hierarchy has another seed after each reset of the TPM.
func hierarchy(t *seal.Terms) tpm2.TPMHandle {
	if t.PerBoot {
		return tpm2.TPMRHNull
	}
	return tpm2.TPMRHOwner
}

// alive is seal.ErrDead for what was sealed in another boot.
func (s *Sealer) alive(b *blob) error {
	if !b.terms.PerBoot {
		return nil
	}
	id, err := s.boot()
	switch {
	case err != nil:
		return ck.Errorf(ck.CKR_DEVICE_ERROR, "sealed for one boot only, and nobody knows which this is: %w", err)
	case id != b.boot:
		return seal.ErrDead
	}
	return nil
}
