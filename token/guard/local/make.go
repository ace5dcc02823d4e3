package local

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// generators make fresh keys, by the primitive of the mechanism.
var generators = map[mech.Primitive]struct {
	op       mech.Op
	class    ck.ObjectClass
	generate func(*guard.KeySpec) (material, error)
}{
	mech.GenerateRSA:        {mech.OpGenerateKeyPair, ck.CKO_PRIVATE_KEY, generateRSA},
	mech.GenerateEC:         {mech.OpGenerateKeyPair, ck.CKO_PRIVATE_KEY, generateEC},
	mech.GenerateEdwards:    {mech.OpGenerateKeyPair, ck.CKO_PRIVATE_KEY, generateEdwards},
	mech.GenerateMontgomery: {mech.OpGenerateKeyPair, ck.CKO_PRIVATE_KEY, generateMontgomery},
	mech.GenerateMLKEM:      {mech.OpGenerateKeyPair, ck.CKO_PRIVATE_KEY, generateKEM},
	mech.GenerateMLDSA:      {mech.OpGenerateKeyPair, ck.CKO_PRIVATE_KEY, generateMLDSA},
	mech.GenerateAES:        {mech.OpGenerate, ck.CKO_SECRET_KEY, generateSecret},
	mech.GenerateSecret:     {mech.OpGenerate, ck.CKO_SECRET_KEY, generateSecret},
}

// Generate makes a key (pair) from the operating system's randomness.
func (g *Keys) Generate(v guard.Vault, s *mech.Scheme, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
	if err := genuine(s); err != nil {
		return nil, err
	}
	if err := complete(spec != nil, p != nil); err != nil {
		return nil, err
	}
	maker, ok := generators[s.Row.Primitive]
	if !ok || s.Row.Flags&maker.op.Flag() == 0 {
		return nil, ck.Errorf(ck.CKR_MECHANISM_INVALID, "the mechanism generates no keys")
	}
	if p.Class != maker.class || p.KeyType != spec.KeyType || !slices.Contains(s.Row.KeyTypes, spec.KeyType) {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "the mechanism makes keys of another class or type")
	}
	m, err := maker.generate(spec)
	if err != nil {
		return nil, err
	}
	k := newKey(v, m, clonePolicy(p))
	k.policy.Confined = p.Sensitive && !p.Extractable
	return g.admitKey(k)
}

// Import takes in a key that was made elsewhere.
func (g *Keys) Import(v guard.Vault, given *guard.Material, p *guard.Policy) (*guard.Key, error) {
	if err := complete(given != nil, p != nil); err != nil {
		return nil, err
	}
	if p.Class != given.Class || p.KeyType != given.KeyType {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "policy and key disagree on class or type")
	}
	m, err := importMaterial(given)
	if err != nil {
		return nil, err
	}
	return g.admit(v, m, p)
}

// Derive makes a secret key from a shared secret.
func (g *Keys) Derive(v guard.Vault, base guard.Ref, s *mech.Scheme, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
	if err := complete(spec != nil, p != nil); err != nil {
		return nil, err
	}
	k, err := g.use(base, mech.OpDerive, s)
	if err != nil {
		return nil, err
	}
	defer k.release()
	if p.Class != ck.CKO_SECRET_KEY || p.KeyType != spec.KeyType {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a derived key is a secret key of the type that the template names")
	}
	salt, saltPolicy, err := g.saltKey(s)
	if err != nil {
		return nil, err
	}
	defer salt.Close()
	value, err := derivedFrom(k.material, s, salt, spec)
	if err != nil {
		return nil, err
	}
	m, err := newSecretKey(spec.KeyType, value)
	if err != nil {
		return nil, err
	}
	return g.admitFrom(v, m, p, false, k.policy, saltPolicy)
}

// derivedFrom is the value of a key that is derived from a secret key, or from what a private key agrees on.
func derivedFrom(base material, s *mech.Scheme, salt *secret.Bytes, spec *guard.KeySpec) (*secret.Bytes, error) {
	if own, ok := base.(*secretKey); ok && s.Row.Primitive == mech.HKDF {
		return own.hkdf(s, salt, spec)
	}
	party, ok := base.(agreer)
	if !ok {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	shared, err := party.agree(s)
	if err != nil {
		return nil, err
	}
	defer shared.Close()
	return deriveValue(shared, s, spec)
}

// Load opens a sealed record of the vault.
func (g *Keys) Load(v guard.Vault, record []byte) (guard.Ref, error) {
	var policy *guard.Policy
	var plain *secret.Bytes
	err := g.vaults.with(v, func(master *secret.Bytes) (err error) {
		policy, plain, err = openRecord(master, record)
		return err
	})
	if err != nil {
		return 0, err
	}
	defer plain.Close()
	m, err := materialOf(policy.Class, policy.KeyType, plain)
	if err != nil {
		return 0, damaged("its key is not sound: %w", err)
	}
	return g.keep(newKey(v, m, policy))
}

// Reissue gives a copy of the key under another policy. A key that must not be read stays under its master key: who may choose another may choose one
// whose PIN he knows, and open the record by himself.
func (g *Keys) Reissue(v guard.Vault, ref guard.Ref, p *guard.Policy) (*guard.Key, error) {
	if err := complete(p != nil); err != nil {
		return nil, err
	}
	k, err := g.table.hold(ref)
	if err != nil {
		return nil, err
	}
	defer k.release()
	if err := guard.Narrower(k.policy, p); err != nil {
		return nil, err
	}
	if err := g.mayMove(k, v); err != nil {
		return nil, err
	}
	plain, err := k.material.plain()
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	m, err := materialOf(p.Class, p.KeyType, plain)
	if err != nil {
		return nil, err
	}
	copied := newKey(v, m, clonePolicy(p))
	copied.policy.Confined, copied.begotten = k.policy.Confined, k.begotten
	copied.policy.Bounded, copied.policy.Most = k.policy.Bounded, k.policy.Most
	if v == 0 {
		copied.home, copied.authorities = k.home, k.authorities
	}
	return g.admitKey(copied)
}

// mayMove says whether the key may be sealed under the master key of v.
func (g *Keys) mayMove(k *key, v guard.Vault) error {
	switch {
	case v == 0:
	case k.home != 0 && !k.readable() && !g.vaults.same(v, k.home):
		return ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "a key that cannot be read cannot be sealed under another master key")
	case k.home == 0 && k.policy.AlwaysAuthenticate && !slices.ContainsFunc(k.authorities, func(id guard.Vault) bool { return g.vaults.same(v, id) }):
		return ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "a key with CKA_ALWAYS_AUTHENTICATE cannot be sealed under a PIN that came after it")
	}
	return nil
}

// Reveal gives the plaintext of a key that may be read.
func (g *Keys) Reveal(ref guard.Ref) (*guard.Revealed, error) {
	k, err := g.table.hold(ref)
	if err != nil {
		return nil, err
	}
	defer k.release()
	if !k.readable() {
		return nil, ck.CKR_ATTRIBUTE_SENSITIVE
	}
	return guard.Reveal(k.material.private()), nil
}

// admit takes over m, which was known outside, and gives it a copy of p.
func (g *Keys) admit(v guard.Vault, m material, p *guard.Policy) (*guard.Key, error) {
	return g.admitKey(newKey(v, m, clonePolicy(p)))
}

// admitFrom is admit for what came out of keys, which may have a say in what it may be; nil: there was no such key.
func (g *Keys) admitFrom(v guard.Vault, m material, p *guard.Policy, unwrapped bool, parents ...*guard.Policy) (*guard.Key, error) {
	length, begotten := 0, false
	if value, ok := m.(*secretKey); ok {
		length = value.value.Len()
	}
	for _, parent := range parents {
		if parent == nil {
			continue
		}
		if err := parent.Begets(p, length, unwrapped); err != nil {
			m.wipe()
			return nil, err
		}
		begotten = begotten || parent.Confining
	}
	k := newKey(v, m, clonePolicy(p))
	k.begotten = begotten
	return g.admitKey(k)
}

// admitKey takes over k: seals it where the vault has a master key, and loads it. It wipes k where that fails.
func (g *Keys) admitKey(k *key) (made *guard.Key, err error) {
	defer func() {
		if err != nil {
			k.release()
		}
	}()
	if err := k.policy.Valid(); err != nil {
		return nil, err
	}
	public, err := k.material.public()
	if err != nil {
		return nil, err
	}
	made = &guard.Key{Public: public}
	if k.vault != 0 {
		if made.Record, err = g.seal(k); err != nil {
			return nil, err
		}
		if k.stays() && g.reach(k.vault) < g.client.Level {
			return nil, lowerMaster(g.client.Level)
		}
	}
	if k.authorities == nil {
		k.authorities = g.authoritiesOf(k)
	}
	if made.Ref, err = g.vaults.ifOpen(k.vault, func() (guard.Ref, error) { return g.table.add(k, g.client.MaxKeys) }); err != nil {
		return nil, err
	}
	return made, nil
}

func (g *Keys) authoritiesOf(k *key) []guard.Vault {
	switch {
	case k.home != 0:
		return []guard.Vault{k.home}
	case k.policy.AlwaysAuthenticate:
		return g.vaults.ids()
	}
	return nil
}

func (g *Keys) seal(k *key) (record []byte, err error) {
	plain, err := k.material.plain()
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	err = g.vaults.with(k.vault, func(master *secret.Bytes) (err error) {
		record, err = sealRecord(master, k.policy, plain)
		return err
	})
	return record, err
}

// keep loads k, or wipes it where its vault has been locked meanwhile.
func (g *Keys) keep(k *key) (guard.Ref, error) {
	k.authorities = g.authoritiesOf(k)
	ref, err := g.vaults.ifOpen(k.vault, func() (guard.Ref, error) { return g.table.add(k, g.client.MaxKeys) })
	if err != nil {
		k.release()
	}
	return ref, err
}

// clonePolicy copies a policy that a client gave, without what only a guard says.
func clonePolicy(p *guard.Policy) *guard.Policy {
	c := *p
	c.Confined, c.Bounded, c.Most = false, false, 0
	c.Allowed = slices.Clone(p.Allowed)
	return &c
}
