package guard

import "github.com/ncrypt11/ncrypt11/token/ck"

// A confining key is one that other keys come out of, by deriving, decapsulating or unwrapping, and that nobody sees any of them through, the program that uses
// it included. PKCS #11 leaves it to that program what the keys may do that it makes (CKA_DERIVE_TEMPLATE and its like bind programs that go through
// the module only), and a secret that comes out extractable, fit for decrypting, or a byte long gives the key that it came out of away, or what was
// sealed under it. So a guard sees to it, from the key that is there at first to all that come of it.

// confiningUsage is all that a confining key may be used for: to make keys. Whatever takes in data or gives it out would tell of the key's value.
const confiningUsage = UseUnwrap | UseDerive | UseDecapsulate

// confiningLen is the least that a secret key has, in bytes, which comes out of a confining key. A shorter one could be guessed, and would tell the first
// bytes of a longer one.
const confiningLen = 32

// validConfining refuses policies of confining keys that say otherwise. Error: CKR_TEMPLATE_INCONSISTENT.
func (p *Policy) validConfining() error {
	switch {
	case !p.Confining:
		return nil
	case !p.Sensitive || p.Extractable:
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a key with CKA_NCRYPT_CONFINING is CKA_SENSITIVE and not CKA_EXTRACTABLE")
	case p.Usage&^confiningUsage != 0:
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a key with CKA_NCRYPT_CONFINING has no use but CKA_UNWRAP, CKA_DERIVE and CKA_DECAPSULATE")
	}
	return nil
}

// Begets decides whether a key with the policy made may come out of one with policy p: derived, decapsulated, or unwrapped. length is that of a secret key
// in bytes. Error: CKR_TEMPLATE_INCONSISTENT.
func (p *Policy) Begets(made *Policy, length int, unwrapped bool) error {
	switch {
	case !p.Confining:
		return nil
	case !made.Sensitive || made.Extractable:
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "what comes out of a key with CKA_NCRYPT_CONFINING is CKA_SENSITIVE and not CKA_EXTRACTABLE")
	case unwrapped && (made.Class == ck.CKO_PRIVATE_KEY || p.Class == ck.CKO_SECRET_KEY):
		return nil // the end of the line: what a secret key carries, its sender has made for some use. What a key pair carries may be one more such secret key
	case !made.Confining:
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a secret key that comes out of one with CKA_NCRYPT_CONFINING has it too")
	case length < confiningLen:
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a secret key of %d bytes comes out of one with CKA_NCRYPT_CONFINING: it takes %d", length, confiningLen)
	}
	return nil
}
