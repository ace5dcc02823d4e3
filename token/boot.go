package token

import (
	"errors"
	"os"
	"strings"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// bootID is what the kernel made up when it started.
const bootID = "/proc/sys/kernel/random/boot_id"

// currentBoot names this boot; "unknown" where there is no /proc, which no other boot is.
func currentBoot() string {
	id, err := os.ReadFile(bootID)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(id))
}

// errBootOver is for the keys of a per-boot token when its boot is over.
var errBootOver = ck.Errorf(ck.CKR_DEVICE_ERROR,
	"%w: the token's keys were for that boot only; initialize the token again to make new ones", seal.ErrDead)

// bootOver says whether the token's master keys died with their boot. The kernel's name for the boot tells; so does the TPM, once one of them was
// tried (see noteDeath). The token's lock is held.
func (t *Token) bootOver(h *store.Header) bool {
	return t.dead || PerBoot(h) && Boot(h) != currentBoot()
}

// noteDeath remembers that the TPM was reset: the null hierarchy has another seed, whatever the kernel says of the boot. The token's lock is held.
func (t *Token) noteDeath(err error) error {
	if errors.Is(err, seal.ErrDead) {
		t.dead = true
		return errBootOver
	}
	return err
}

// keysUsable says whether the token's keys can still be used: it is CKA_NCRYPT_USABLE of each. Master keys that are dead, or of another TPM, stay so;
// a guard that cannot be asked now says nothing. The token's lock is held.
func (t *Token) keysUsable() bool {
	h, err := t.header()
	if err != nil || !Isolation(h).Isolated() {
		return true
	}
	_, err = t.vault(false) // the master key without a PIN fares as the others do
	return !errors.Is(err, seal.ErrDead) && !errors.Is(err, seal.ErrForeign)
}
