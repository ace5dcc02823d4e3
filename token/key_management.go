package token

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// GenerateKey is C_GenerateKey.
func (s *Session) GenerateKey(m ck.Mechanism, t attr.Template) (ck.ObjectHandle, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	scheme, err := mech.Parse(m, mech.OpGenerate)
	if err != nil {
		return 0, err
	}
	built, err := s.generated(t, ck.CKO_SECRET_KEY, scheme.Row)
	if err != nil {
		return 0, err
	}
	d := draftOf(built)
	return s.makeKey(d, func(keys guard.Keys, vault guard.Vault) (*guard.Key, error) {
		return keys.Generate(vault, scheme, specOf(d.set), d.policy())
	})
}

// makeKey has the guard make one key, and keeps it.
func (s *Session) makeKey(d *draft, by func(guard.Keys, guard.Vault) (*guard.Key, error)) (ck.ObjectHandle, error) {
	keys, vault, err := s.admit(d)
	if err != nil {
		return 0, err
	}
	if err := d.make(keys, vault, func(v guard.Vault) (*guard.Key, error) { return by(keys, v) }); err != nil {
		discard(keys, d)
		return 0, s.tok.noteLost(err)
	}
	return s.keepOne(keys, d)
}

// generated applies the rules to a template for a key that the mechanism of row makes, which implies its class and type.
func (s *Session) generated(t attr.Template, class ck.ObjectClass, row *mech.Row) (*attr.New, error) {
	f, err := s.facts()
	if err != nil {
		return nil, err
	}
	f.Class, f.Mechanism = class, row.Type
	var keyType ck.KeyType
	if len(row.KeyTypes) > 0 {
		f.KeyType = &row.KeyTypes[0]
		keyType = row.KeyTypes[0]
	}
	if t, err = plan.Expand(t, class, keyType); err != nil {
		return nil, err
	}
	return attr.Build(attr.Generate, t, f)
}

// specOf reads what to generate from attributes that the template gave.
func specOf(set *attr.Set) *guard.KeySpec {
	bits, _ := set.ULong(ck.CKA_MODULUS_BITS)
	valueLen, _ := set.ULong(ck.CKA_VALUE_LEN)
	exponent, _ := set.Get(ck.CKA_PUBLIC_EXPONENT)
	params, _ := set.Get(ck.CKA_EC_PARAMS)
	parameterSet, _ := set.ULong(ck.CKA_PARAMETER_SET)
	return &guard.KeySpec{
		KeyType: keyTypeOf(set), Bits: clampInt(bits), PublicExponent: exponent, ECParams: params, ValueLen: clampInt(valueLen), ParameterSet: parameterSet,
	}
}

// clampInt keeps an absurd CK_ULONG absurd: as the largest int32, which no key has.
func clampInt(u uint) int { return int(min(u, 1<<31-1)) }

// GenerateKeyPair is C_GenerateKeyPair: both objects or none.
func (s *Session) GenerateKeyPair(m ck.Mechanism, pub, priv attr.Template) (public, private ck.ObjectHandle, err error) {
	if err := s.lock(); err != nil {
		return 0, 0, err
	}
	defer s.mu.Unlock()
	scheme, err := mech.Parse(m, mech.OpGenerateKeyPair)
	if err != nil {
		return 0, 0, err
	}
	builtPublic, err := s.generated(pub, ck.CKO_PUBLIC_KEY, scheme.Row)
	if err != nil {
		return 0, 0, err
	}
	builtPrivate, err := s.generated(priv, ck.CKO_PRIVATE_KEY, scheme.Row)
	if err != nil {
		return 0, 0, err
	}
	return s.makePair(scheme, draftOf(builtPublic), draftOf(builtPrivate))
}

func (s *Session) makePair(scheme *mech.Scheme, public, private *draft) (ck.ObjectHandle, ck.ObjectHandle, error) {
	public.unfinished = private.unfinished
	if _, _, err := s.admit(public); err != nil {
		return 0, 0, err
	}
	keys, vault, err := s.admit(private)
	if err != nil {
		return 0, 0, err
	}
	err = private.make(keys, vault, func(v guard.Vault) (*guard.Key, error) {
		return keys.Generate(v, scheme, specOf(public.set), private.policy())
	})
	if err == nil {
		err = public.agree(private.key.Public)
	}
	if err == nil {
		err = completePublic(public.set)
	}
	var handles []ck.ObjectHandle
	if err == nil {
		handles, err = s.keep(public, private)
	}
	if err != nil {
		discard(keys, private)
		return 0, 0, err
	}
	s.pair(handles[0], handles[1])
	return handles[0], handles[1], nil
}

// useFor finds a key for one use outside an operation (wrapping, deriving). invalid is the CK_RV for a bad handle.
func (s *Session) useFor(h ck.ObjectHandle, scheme *mech.Scheme, op mech.Op, invalid ck.RV) (guard.Ref, *attr.Set, error) {
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	o, err := s.object(h)
	if err != nil {
		return 0, nil, handleError(err, invalid)
	}
	key, err := t.usable(o)
	if err != nil {
		return 0, nil, handleError(err, invalid)
	}
	if err := key.policy.Permits(op, scheme.Row); err != nil {
		return 0, nil, err
	}
	if key.public != nil {
		return 0, key.of, nil
	}
	ref, err := t.load(o)
	return ref, key.of, err
}

// handleError gives a bad object handle the code of the argument that it was passed as.
func handleError(err error, invalid ck.RV) error {
	if ck.Code(err) == ck.CKR_OBJECT_HANDLE_INVALID {
		return invalid
	}
	return err
}

// DeriveKey is C_DeriveKey.
func (s *Session) DeriveKey(m ck.Mechanism, base ck.ObjectHandle, t attr.Template) (ck.ObjectHandle, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	scheme, err := mech.Parse(m, mech.OpDerive)
	if err != nil {
		return 0, err
	}
	ref, baseSet, err := s.useFor(base, scheme, mech.OpDerive, ck.CKR_KEY_HANDLE_INVALID)
	if err != nil {
		return 0, err
	}
	if scheme.SaltKey != 0 {
		salt, _, err := s.useFor(ck.ObjectHandle(scheme.SaltKey), scheme, mech.OpDerive, ck.CKR_KEY_HANDLE_INVALID)
		if err != nil {
			return 0, err
		}
		scheme.SaltKey = uint64(salt)
	}
	f, err := s.facts()
	if err != nil {
		return 0, err
	}
	f.Class = ck.CKO_SECRET_KEY
	f.BaseAlwaysSensitive = baseSet.Bool(ck.CKA_ALWAYS_SENSITIVE)
	f.BaseNeverExtractable = baseSet.Bool(ck.CKA_NEVER_EXTRACTABLE)
	demands := demandOf(baseSet, ck.CKA_DERIVE_TEMPLATE)
	if t, err = demands.on(t); err != nil {
		return 0, err
	}
	if t, err = plan.Expand(t, f.Class, ck.CKK_GENERIC_SECRET); err != nil {
		return 0, err
	}
	built, err := attr.Build(attr.Derive, t, f)
	if err != nil {
		return 0, err
	}
	d := draftOf(built)
	d.demand = demands
	return s.makeKey(d, func(keys guard.Keys, vault guard.Vault) (*guard.Key, error) {
		return keys.Derive(vault, ref, scheme, specOf(d.set), d.policy())
	})
}
