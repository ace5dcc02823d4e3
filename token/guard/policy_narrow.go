package guard

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// oneWay are the rules that hold for a key for ever once they hold (PKCS #11 v3.2, footnotes 11 and 12 of the attribute tables).
var oneWay = []struct {
	name  string
	holds func(*Policy) bool
}{
	{"CKA_SENSITIVE", func(p *Policy) bool { return p.Sensitive }},
	{"not CKA_EXTRACTABLE", func(p *Policy) bool { return !p.Extractable }},
	{"CKA_WRAP_WITH_TRUSTED", func(p *Policy) bool { return p.WrapWithTrusted }},
	{"CKA_ALWAYS_AUTHENTICATE", func(p *Policy) bool { return p.AlwaysAuthenticate }},
}

// Narrower tells whether a key under policy from may be given policy to. Whatever keeps the key from being read or used without its
// owner may be added and never taken away, and the list of mechanisms only shrinks. Usage is the owner's to change, as PKCS #11 has
// it, and so are CKA_TRUSTED, which the token lets only the security officer set, CKA_PRIVATE, CKA_TOKEN and the identity.
// Error: CKR_ATTRIBUTE_READ_ONLY.
func Narrower(from, to *Policy) error {
	if from.Class != to.Class || from.KeyType != to.KeyType {
		return ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "a key keeps its class and its type")
	}
	for _, rule := range oneWay {
		if rule.holds(from) && !rule.holds(to) {
			return ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "%s cannot be taken back", rule.name)
		}
	}
	if from.Confining != to.Confining || from.Confining && to.Usage&^from.Usage != 0 {
		return ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "a key has CKA_NCRYPT_CONFINING from the first, and then gets no further use, or never")
	}
	if from.Bounded && to.Usage&^from.Most != 0 {
		return ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "the key came in an envelope for usage %#x, and gets no other", uint16(from.Most))
	}
	if from.WrapBy != 0 && from.WrapBy != to.WrapBy && to.Extractable {
		return ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "%v alone may wrap the key, and that cannot be taken back", from.WrapBy)
	}
	if len(from.Allowed) == 0 {
		return nil
	}
	if len(to.Allowed) == 0 {
		return ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "CKA_ALLOWED_MECHANISMS cannot be emptied: that would allow all")
	}
	for _, m := range to.Allowed {
		if !slices.Contains(from.Allowed, m) {
			return ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "CKA_ALLOWED_MECHANISMS cannot grow")
		}
	}
	return nil
}
