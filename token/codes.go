package token

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// Programs take a CK_RV that they do not know for the worst, so that a token answers with the standard's. One that was made with `--ncrypt-codes` answers with those
// of ncrypt11 where the standard has none that says the same: for programs that were written for it.

// NCryptCodes says whether the token's programs know ncrypt11's own return values.
func NCryptCodes(h *store.Header) bool { return h.Options[optionCodes] == "ncrypt" }

// ownCodes are these, by what they are about. The first that fits counts.
var ownCodes = []struct {
	is   func(error) bool
	code ck.RV
}{
	{about(ErrNameTaken), ck.CKR_NCRYPT_EXISTS},
	{about(ErrNotFinal), ck.CKR_NCRYPT_BAD_KEY_STATE},
	{about(seal.ErrDead), ck.CKR_NCRYPT_CANNOT_DECRYPT_KEY},
	{about(seal.ErrForeign), ck.CKR_NCRYPT_CANNOT_DECRYPT_KEY},
	{func(err error) bool { return ck.Code(err) == ck.CKR_FUNCTION_REJECTED }, ck.CKR_NCRYPT_VBS_UNAVAILABLE},
}

func about(cause error) func(error) bool {
	return func(err error) bool { return errors.Is(err, cause) }
}

// Told gives a call's error the return value that the token's programs are to get.
func (s *Session) Told(err error) error {
	if err == nil {
		return nil
	}
	for _, row := range ownCodes {
		if row.is(err) && s.tok.ownCodes() {
			return ck.Errorf(row.code, "%w", err)
		}
	}
	return err
}

func (t *Token) ownCodes() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	h, err := t.header()
	return err == nil && NCryptCodes(h)
}
