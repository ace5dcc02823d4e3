package token

import (
	"sync/atomic"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// object is an object that this process has a handle for. What identifies it never changes; the rest is guarded by the token's lock.
type object struct {
	handle  ck.ObjectHandle
	id      store.ID
	owner   *Session // the session that made a session object; nil for a token object
	private bool     // CKA_PRIVATE
	builtIn bool     // part of the module: never stored, never changed

	dead       atomic.Bool  // destroyed, or its handle died in a logout
	operations atomic.Int32 // under way with it, in all sessions

	attrs *attr.Set // nil: not read from the store yet, or dropped to save memory
	rev   int64     // of the stored row that attrs is from
	use   *keyUse   // what using the key needs of attrs; nil: not asked yet
	ref   guard.Ref // 0: not loaded into the guard, or keyless
	used  uint64    // when ref was asked for, by loadedKeys.uses

	draft   *draft   // of a key that is not final, which only its session sees; nil: it is
	half    *object  // the public half of such a key, where a pair was generated
	archive *archive // what may leave once; nil: nothing
}

// isToken says whether the object is stored (CKA_TOKEN).
func (o *object) isToken() bool { return o.owner == nil && !o.builtIn }

// classOf is the object's class.
func classOf(set *attr.Set) ck.ObjectClass {
	class, _ := set.ULong(ck.CKA_CLASS)
	return ck.ObjectClass(class)
}

// keyTypeOf is the key's type; it means nothing for other objects.
func keyTypeOf(set *attr.Set) ck.KeyType {
	keyType, _ := set.ULong(ck.CKA_KEY_TYPE)
	return ck.KeyType(keyType)
}

// valuesOf gives an object's attributes one by one, nil for those that it has not, as the parsers of public keys ask for them.
func valuesOf(set *attr.Set) func(ck.AttributeType) []byte {
	return func(typ ck.AttributeType) []byte {
		value, _ := set.Get(typ)
		return value
	}
}

// keyed says whether the object's value lives in the guard: keys that are secret, and the value of a private data object.
func keyed(set *attr.Set) bool {
	switch classOf(set) {
	case ck.CKO_PRIVATE_KEY, ck.CKO_SECRET_KEY:
		return true
	case ck.CKO_DATA:
		return set.Bool(ck.CKA_PRIVATE)
	}
	return false
}

// usageAttributes maps the attributes that permit a use to the guard's words.
var usageAttributes = []struct {
	attribute ck.AttributeType
	usage     guard.Usage
}{
	{ck.CKA_ENCRYPT, guard.UseEncrypt},
	{ck.CKA_DECRYPT, guard.UseDecrypt},
	{ck.CKA_SIGN, guard.UseSign},
	{ck.CKA_SIGN_RECOVER, guard.UseSignRecover},
	{ck.CKA_VERIFY, guard.UseVerify},
	{ck.CKA_VERIFY_RECOVER, guard.UseVerifyRecover},
	{ck.CKA_WRAP, guard.UseWrap},
	{ck.CKA_UNWRAP, guard.UseUnwrap},
	{ck.CKA_DERIVE, guard.UseDerive},
	{ck.CKA_ENCAPSULATE, guard.UseEncapsulate},
	{ck.CKA_DECAPSULATE, guard.UseDecapsulate},
}

// policyOf is what the guard shall enforce of an object with these attributes.
func policyOf(id store.ID, set *attr.Set) *guard.Policy {
	p := &guard.Policy{
		ID:                 id,
		Class:              classOf(set),
		KeyType:            keyTypeOf(set),
		Private:            set.Bool(ck.CKA_PRIVATE),
		Sensitive:          set.Bool(ck.CKA_SENSITIVE),
		Extractable:        set.Bool(ck.CKA_EXTRACTABLE),
		WrapWithTrusted:    set.Bool(ck.CKA_WRAP_WITH_TRUSTED),
		Trusted:            set.Bool(ck.CKA_TRUSTED),
		AlwaysAuthenticate: set.Bool(ck.CKA_ALWAYS_AUTHENTICATE),
		Token:              set.Bool(ck.CKA_TOKEN),
		Confining:          set.Bool(ck.CKA_NCRYPT_CONFINING),
		WrapBy:             plan.WrapBy(set),
		Allowed:            allowedMechanisms(set),
	}
	if p.Class == ck.CKO_DATA {
		p.Extractable = true // a data object's value may always be read by who sees the object
	}
	for _, u := range usageAttributes {
		if set.Bool(u.attribute) {
			p.Usage |= u.usage
		}
	}
	return p
}

func allowedMechanisms(set *attr.Set) []ck.MechanismType {
	value, _ := set.Get(ck.CKA_ALLOWED_MECHANISMS)
	var types []ck.MechanismType
	for ; len(value) >= 8; value = value[8:] {
		u, _ := attr.ParseULong(value[:8])
		types = append(types, ck.MechanismType(u))
	}
	return types
}

// mayWrite is the one rule of who may make, change or destroy an object (section 5.6, table of access): token objects need a read-write session
// and a writable token, private ones a user. The token's lock is held.
func (s *Session) mayWrite(isToken, private bool) error {
	switch {
	case isToken && s.tok.st.ReadOnly():
		return ck.CKR_TOKEN_WRITE_PROTECTED
	case isToken && !s.rw:
		return ck.CKR_SESSION_READ_ONLY
	case private && !s.tok.seesPrivate():
		return ck.CKR_USER_NOT_LOGGED_IN
	}
	return nil
}
