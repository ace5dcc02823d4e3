package attr

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// defaultValue gives an attribute's value where the template has none; nil leaves the object without it. Defaults are filled in
// ascending order of type, so that one may depend on those before it. DEFAULTS.md says why each is what it is.
type defaultValue func(m *making, typ ck.AttributeType) []byte

func fixed(value []byte) defaultValue {
	return func(*making, ck.AttributeType) []byte { return value }
}

var (
	empty = fixed([]byte{})
	yes   = fixed(Bool(true))
	no    = fixed(Bool(false))
	zero  = fixed(ULong(0))
)

// ableTo allows what the key type is capable of.
func ableTo(m *making, typ ck.AttributeType) []byte {
	return Bool(slices.Contains(m.schema.able, typ))
}

// privateKeyIsPrivate hides keys behind the login. Only a session key that is made without one is public: nothing of it is kept.
func privateKeyIsPrivate(m *making, _ ck.AttributeType) []byte {
	return Bool(m.facts.LoggedIn || m.set.Bool(ck.CKA_TOKEN))
}

// secretIsSensitive keeps to the specification's default, CK_FALSE, unless the token's is NCrypt's.
func secretIsSensitive(m *making, _ ck.AttributeType) []byte {
	return Bool(m.facts.NCryptDefaults && !m.agreed())
}

// agreed knows what a program agreed on with another one, for the session only. It is to be read: NCrypt gives it out as bytes (NCryptDeriveKey).
func (m *making) agreed() bool { return m.origin == Derive && !m.set.Bool(ck.CKA_TOKEN) }

// privateIsExtractable: an unwrapped key was outside before, and the specification says TRUE. Others stay where they are.
func privateIsExtractable(m *making, _ ck.AttributeType) []byte {
	return Bool(m.origin == Unwrap && !m.facts.NCryptDefaults)
}

// secretIsExtractable: as above, and what is created or derived without being sensitive may be read by whoever made it.
func secretIsExtractable(m *making, _ ck.AttributeType) []byte {
	switch {
	case m.facts.NCryptDefaults && !m.agreed(), m.origin == Generate:
		return Bool(false)
	case m.origin == Unwrap:
		return Bool(true)
	}
	return Bool(!m.set.Bool(ck.CKA_SENSITIVE))
}

// f4 is the public exponent where C_GenerateKeyPair is given none.
func f4(m *making, _ ck.AttributeType) []byte {
	if m.origin != Generate {
		return nil
	}
	return []byte{1, 0, 1}
}

// sha1Mechanism is what the hashes of a certificate's keys are made with unless said otherwise.
var sha1Mechanism = fixed(ULong(uint(ck.CKM_SHA_1)))

// The life-cycle attributes, which no template may name (PKCS #11 v3.2, sections 4.7, 4.9 and 4.10).

func isLocal(m *making, _ ck.AttributeType) []byte { return Bool(m.origin == Generate) }

func keyGenMechanism(m *making, _ ck.AttributeType) []byte {
	if m.origin == Generate {
		return ULong(uint(m.facts.Mechanism))
	}
	return ULong(unavailable)
}

func alwaysSensitive(m *making, _ ck.AttributeType) []byte {
	return Bool(m.wasAlways(m.facts.BaseAlwaysSensitive) && m.set.Bool(ck.CKA_SENSITIVE))
}

func neverExtractable(m *making, _ ck.AttributeType) []byte {
	return Bool(m.wasAlways(m.facts.BaseNeverExtractable) && !m.set.Bool(ck.CKA_EXTRACTABLE))
}

// wasAlways says whether the key material has been inside from its beginning: a generated key has, a derived one if its base had.
func (m *making) wasAlways(base bool) bool {
	return m.origin == Generate || m.origin == Derive && base
}

// unavailable is CK_UNAVAILABLE_INFORMATION.
const unavailable = ^uint(0)
