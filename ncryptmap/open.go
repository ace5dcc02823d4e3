package ncryptmap

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// OpenKey is NCryptOpenKey: a handle for a key that is kept. A key whose boot is over, or whose TPM is another, opens too: what is not secret of it can be
// read. Errors: NTE_INVALID_HANDLE; NTE_BAD_FLAGS; NTE_BAD_KEYSET where there is no key of that name in the scope.
func (k *KSP) OpenKey(prov Handle, name string, legacyKeySpec, flags uint32) (Handle, error) {
	p, err := get[*provider](&k.handles, prov)
	if err != nil {
		return 0, err
	}
	if err := checkFlags(callOpenKey, flags); err != nil {
		return 0, err
	}
	if err := plan.CheckName(name); err != nil {
		return 0, nte.Errorf(nte.NTE_INVALID_PARAMETER, "%w", err)
	}
	key := newKey(p, name, flags&NCRYPT_MACHINE_KEY_FLAG)
	if err := key.open(legacyKeySpec); err != nil {
		key.close()
		return 0, p.status(err)
	}
	return k.handles.add(key), nil
}

// open finds the key where its name says that it is kept.
func (k *key) open(legacyKeySpec uint32) error {
	k.final = true
	if k.provider.card {
		if err := k.place(); err != nil {
			return err
		}
		return k.openOnCard(legacyKeySpec)
	}
	s, err := k.provider.session(k.machine, false)
	if err != nil {
		return err
	}
	if s == nil {
		return noKeyset(k.name)
	}
	k.session = s
	return k.load()
}

func noKeyset(name string) error {
	return nte.Errorf(nte.NTE_BAD_KEYSET, "there is no key %q in this scope", name)
}

// stored are the attributes that tell of a key that is kept.
var stored = []ck.AttributeType{
	ck.CKA_CLASS, ck.CKA_KEY_TYPE, ck.CKA_MODULUS, ck.CKA_EC_PARAMS, ck.CKA_PARAMETER_SET, ck.CKA_VALUE_LEN, ck.CKA_NCRYPT_KEY_NAME, ck.CKA_NCRYPT_EXPORT_POLICY,
	ck.CKA_NCRYPT_KEY_USAGE, ck.CKA_EXTRACTABLE, ck.CKA_SENSITIVE, ck.CKA_DERIVE,
	ck.CKA_SIGN, ck.CKA_SIGN_RECOVER, ck.CKA_DECAPSULATE, ck.CKA_DECRYPT, ck.CKA_UNWRAP, ck.CKA_UNWRAP_TEMPLATE,
}

// load finds the key of the name, and reads what it is.
func (k *key) load() error {
	found, err := bearers(k.session, k.name)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return noKeyset(k.name)
	}
	k.object = found[0]
	set, err := attributes(k.session, k.object, stored...)
	if err != nil {
		return err
	}
	return k.recognize(set)
}

// recognize reads from attributes what NCrypt says of a key.
func (k *key) recognize(set *attr.Set) error {
	class, _ := set.ULong(ck.CKA_CLASS)
	keyType, _ := set.ULong(ck.CKA_KEY_TYPE)
	name, _ := set.Get(ck.CKA_NCRYPT_KEY_NAME)
	k.class, k.name = ck.ObjectClass(class), string(name)
	k.legacyKeySpec = legacyKeySpecOf(set)
	switch ck.KeyType(keyType) {
	case ck.CKK_RSA:
		modulus, _ := set.Get(ck.CKA_MODULUS)
		k.algorithm, k.length = algorithmOf("RSA"), uint32(bitLen(modulus))
	case ck.CKK_EC:
		params, _ := set.Get(ck.CKA_EC_PARAMS)
		curve, err := curveOf(params)
		if err != nil {
			return err
		}
		group := "ECDSA"
		if set.Bool(ck.CKA_DERIVE) {
			group = "ECDH"
		}
		k.algorithm, k.curve, k.length = algorithmOn(group, curve), curve, uint32(curve.Bits)
	case ck.CKK_EC_MONTGOMERY:
		k.algorithm, k.curve, k.length = algorithmOn("ECDH", pubkey.X25519), pubkey.X25519, uint32(pubkey.X25519.Bits)
	case ck.CKK_ML_DSA, ck.CKK_ML_KEM:
		number, _ := set.Get(ck.CKA_PARAMETER_SET)
		k.algorithm = algorithmOf(map[ck.KeyType]string{ck.CKK_ML_DSA: "ML-DSA", ck.CKK_ML_KEM: "ML-KEM"}[ck.KeyType(keyType)])
		if err := k.adoptNumber(number); err != nil {
			return err
		}
	case ck.CKK_AES:
		length, _ := set.ULong(ck.CKA_VALUE_LEN)
		k.algorithm, k.length = algorithmOf("AES"), uint32(8*length)
	}
	if k.algorithm == nil {
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "keys of this type (%v) are not NCrypt's", ck.KeyType(keyType))
	}
	k.export, k.usage = plan.ExportPolicy(set), plan.KeyUsage(set)
	return nil
}

// DeleteKey is NCryptDeleteKey: the key is gone for good, and the handle with it. Where it fails, the handle stays. Errors: NTE_INVALID_HANDLE, also for a
// key that is not kept; NTE_BAD_KEYSET for one that is not final, or was deleted by another.
func (k *KSP) DeleteKey(handle Handle, flags uint32) error {
	key, err := k.held(handle)
	if err != nil {
		return err
	}
	defer key.mu.Unlock()
	if err := checkFlags(callDelete, flags); err != nil {
		return err
	}
	switch {
	case !key.persistent():
		return nte.Errorf(nte.NTE_INVALID_HANDLE, "the key is not kept: NCryptFreeObject ends it")
	case !key.final:
		return noKeyset(key.name)
	}
	if err := key.destroy(); err != nil {
		return key.provider.status(err)
	}
	k.handles.remove(handle)
	key.drop()
	return nil
}

// destroy deletes the key's objects. Another program that is quicker leaves nothing to delete: NTE_BAD_KEYSET.
func (k *key) destroy() error {
	const attempts = 3 // a property may be set or deleted meanwhile
	var err error
	for range attempts {
		var beside []ck.ObjectHandle
		if beside, err = k.beside(); err != nil {
			return err
		}
		if err = k.session.DestroyTogether(append(beside, k.object)...); ck.Code(err) != ck.CKR_OBJECT_HANDLE_INVALID {
			return err
		}
	}
	return err
}

// beside are the stored objects that belong to the key and are of no use without it: its public half, and its custom properties.
func (k *key) beside() ([]ck.ObjectHandle, error) {
	set, err := attributes(k.session, k.object, ck.CKA_UNIQUE_ID, ck.CKA_ID, ck.CKA_PUBLIC_KEY_INFO)
	if err != nil {
		return nil, err
	}
	instance, _ := set.Get(ck.CKA_UNIQUE_ID)
	all, err := find(k.session, token.PropertiesOf(instance)...)
	info, _ := set.Get(ck.CKA_PUBLIC_KEY_INFO)
	if err != nil || len(info) == 0 {
		return all, err
	}
	id, _ := set.Get(ck.CKA_ID)
	halves, err := find(k.session, attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PUBLIC_KEY))}, attr.Attribute{Type: ck.CKA_ID, Value: id},
		attr.Attribute{Type: ck.CKA_PUBLIC_KEY_INFO, Value: info}, boolean(ck.CKA_TOKEN, true))
	return append(all, halves...), err
}

// KeyName is NCryptKeyName: what an enumeration tells of a key.
type KeyName struct {
	Name, Algorithm string
	LegacyKeySpec   uint32
	Flags           uint32 // NCRYPT_MACHINE_KEY_FLAG, or 0
}

// EnumKeys is NCryptEnumKeys, all at once: the keys of a scope that are final and kept, those that cannot be used any more among them. Errors:
// NTE_INVALID_HANDLE; NTE_BAD_FLAGS; NTE_INVALID_PARAMETER for a scope that is given by a string.
func (k *KSP) EnumKeys(prov Handle, scope string, flags uint32) ([]KeyName, error) {
	p, err := get[*provider](&k.handles, prov)
	if err != nil {
		return nil, err
	}
	if err := checkFlags(callEnumKeys, flags); err != nil {
		return nil, err
	}
	if p.card {
		return p.listCards(scope, flags&NCRYPT_MACHINE_KEY_FLAG)
	}
	if scope != "" {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "the software provider has no scope %q", scope)
	}
	s, err := p.session(flags&NCRYPT_MACHINE_KEY_FLAG != 0, false)
	if err != nil || s == nil {
		return nil, status(err)
	}
	defer s.Close()
	names, err := list(s, flags&NCRYPT_MACHINE_KEY_FLAG)
	for i := range names {
		names[i].LegacyKeySpec = 0 // that is for cards
	}
	return names, err
}

func list(s *token.Session, flags uint32) ([]KeyName, error) {
	var names []KeyName
	for _, class := range []ck.ObjectClass{ck.CKO_PRIVATE_KEY, ck.CKO_SECRET_KEY} {
		found, err := find(s, attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(class))}, boolean(ck.CKA_TOKEN, true))
		if err != nil {
			return nil, status(err)
		}
		for _, object := range found {
			set, err := attributes(s, object, stored...)
			k := &key{}
			if err != nil || k.recognize(set) != nil || k.name == "" {
				continue // deleted meanwhile, or not one of NCrypt's
			}
			names = append(names, KeyName{k.name, k.algorithm.name, k.legacyKeySpec, flags})
		}
	}
	return names, nil
}
