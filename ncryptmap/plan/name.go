package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// MaxName is NCRYPT_MAX_KEY_NAME_LENGTH: how many UTF-16 units a key's name may have.
const MaxName = 512

// CheckName refuses what cannot be a key's name: CKR_ATTRIBUTE_VALUE_INVALID.
func CheckName(name string) error {
	switch {
	case name == "":
		return ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "a key's name cannot be empty")
	case !utf8.ValidString(name):
		return ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "a key's name must be UTF-8")
	}
	units := 0
	for _, r := range name {
		if r == 0 {
			return ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "a key's name ends where a NUL is")
		}
		units += utf16.RuneLen(r)
	}
	if units > MaxName {
		return ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "a key's name of %d UTF-16 units, more than %d", units, MaxName)
	}
	return nil
}

// UniqueName is NCRYPT_UNIQUE_NAME_PROPERTY: the same for names that differ in nothing but case, and fit to be a file's name. As with the names of
// files on Windows, letters are compared one by one, without regard to language, and accents are not taken apart.
func UniqueName(name string) string {
	folded := make([]byte, 0, len(name))
	for _, r := range name {
		folded = utf8.AppendRune(folded, fold(r))
	}
	sum := sha256.Sum256(folded)
	return hex.EncodeToString(sum[:])
}

// fold gives the smallest of the characters that differ from r in nothing but case.
func fold(r rune) rune {
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
}
