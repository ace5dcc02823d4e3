package guard

import "github.com/ncrypt11/ncrypt11/token/ck"

// Usage is the set of things that a key may do, from its CKA_SIGN, CKA_DECRYPT, ... attributes.
type Usage uint16

// The usages.
const (
	UseEncrypt Usage = 1 << iota
	UseDecrypt
	UseSign
	UseSignRecover
	UseVerify
	UseVerifyRecover
	UseWrap
	UseUnwrap
	UseDerive
	UseEncapsulate
	UseDecapsulate
)

// Policy is what a guard enforces of a key, whoever asks. It is authenticated data of the sealed record, so that neither the disk nor a
// client can change it.
type Policy struct {
	ID      [16]byte // the object's CKA_UNIQUE_ID
	Class   ck.ObjectClass
	KeyType ck.KeyType
	Usage   Usage

	Private            bool // CKA_PRIVATE
	Sensitive          bool
	Extractable        bool
	WrapWithTrusted    bool
	Trusted            bool
	AlwaysAuthenticate bool
	Token              bool // CKA_TOKEN: the key is kept
	// Confined says that the key was made in a guard and could never leave it: what CKA_LOCAL, CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE say, by the
	// guard's own word. It is the guard that sets it; what a client says here does not count.
	Confined bool
	// Confining keys make others that are as little seen as they are (confining.go).
	Confining bool
	// Bounded keys came in an envelope that says what they are for, and get no use that is not among Most, by the guard's own word as with Confined.
	Bounded bool
	Most    Usage

	WrapBy  ck.MechanismType   // the only mechanism that may wrap the key; 0: any. The key is sensitive then
	Allowed []ck.MechanismType // CKA_ALLOWED_MECHANISMS; empty: all that the key type takes
}
