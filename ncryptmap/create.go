package ncryptmap

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// CreatePersistedKey is NCryptCreatePersistedKey: a key that is yet to be finalized. Without a name it is never kept. Errors: NTE_INVALID_HANDLE;
// NTE_BAD_FLAGS; NTE_NOT_SUPPORTED for an unknown algorithm; NTE_EXISTS; NTE_INVALID_PARAMETER for a name that is none.
func (k *KSP) CreatePersistedKey(prov Handle, algorithmName, name string, legacyKeySpec, flags uint32) (Handle, error) {
	p, err := get[*provider](&k.handles, prov)
	if err != nil {
		return 0, err
	}
	if err := checkFlags(callCreate, flags); err != nil {
		return 0, err
	}
	a := algorithmOf(algorithmName)
	if a == nil {
		return 0, unsupported(algorithmName)
	}
	key := newKey(p, name, flags)
	key.algorithm, key.curve, key.length, key.class = a, a.curve, a.lengths.standard, a.class
	if err := key.begin(); err != nil {
		return 0, err
	}
	if err := key.specify(legacyKeySpec); err != nil {
		return 0, err
	}
	return k.handles.add(key), nil
}

// begin checks what can be known of a key before there is one: where it goes, that its name is free, and that it can be isolated.
func (k *key) begin() error {
	if err := k.place(); err != nil {
		return err
	}
	if err := k.free(); err != nil {
		return err
	}
	return k.isolate()
}

// free fails where the name is taken and may not be taken over. Whether it still is free is looked at again when the key becomes final.
func (k *key) free() error {
	if k.name == "" {
		return nil
	}
	if err := plan.CheckName(k.name); err != nil {
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "%w", err)
	}
	if k.flags&NCRYPT_OVERWRITE_KEY_FLAG != 0 {
		return nil
	}
	s, err := k.provider.session(k.machine, false)
	if err != nil || s == nil {
		return status(err)
	}
	defer s.Close()
	found, err := bearers(s, k.name)
	if err == nil && len(found) > 0 {
		return exists(k.name)
	}
	return status(err)
}

func exists(name string) error { return nte.Errorf(nte.NTE_EXISTS, "there is a key %q", name) }

// bearers are the private and secret keys of a name.
func bearers(s *token.Session, name string) ([]ck.ObjectHandle, error) {
	return find(s, attr.Attribute{Type: ck.CKA_NCRYPT_UNIQUE_NAME, Value: []byte(plan.UniqueName(name))})
}

func find(s *token.Session, t ...attr.Attribute) ([]ck.ObjectHandle, error) {
	if err := s.FindObjectsInit(t); err != nil {
		return nil, err
	}
	const all = 1<<31 - 1
	found, err := s.FindObjects(all)
	if err != nil {
		return nil, err
	}
	return found, s.FindObjectsFinal()
}

// FinalizeKey is NCryptFinalizeKey: makes the key, or takes in what was imported, and keeps it where it has a name. Where it fails, nothing is changed, and
// the key can be finalized later. Errors: NTE_INVALID_HANDLE, also for a key that is final; NTE_BAD_FLAGS; NTE_EXISTS; NTE_VBS_UNAVAILABLE.
func (k *KSP) FinalizeKey(handle Handle, flags uint32) error {
	key, err := k.begun(handle)
	if err != nil {
		return err
	}
	defer key.mu.Unlock()
	if err := checkFlags(callFinalize, flags); err != nil {
		return err
	}
	if err := noLegacyStore(flags); err != nil {
		return err
	}
	return key.finalize(flags)
}

// finalize makes the key what its properties say. The key's lock is held.
func (k *key) finalize(flags uint32) error {
	if k.material != nil && (flags|k.flags)&NCRYPT_NO_KEY_VALIDATION != 0 {
		k.material.Recompute()
		if err := k.measure(k.material); err != nil {
			return err
		}
	}
	if err := k.fits(); err != nil {
		return err
	}
	s, err := k.provider.session(k.machine, true)
	if err != nil {
		return status(err)
	}
	if err := k.become(s); err != nil {
		_ = s.Close()
		return k.provider.status(err)
	}
	k.session, k.final = s, true
	if k.persistent() {
		clear(k.custom)
	}
	k.material.Close()
	k.wrapped.close()
	k.material, k.wrapped = nil, nil
	return nil
}

// become makes the objects of the key. What is kept, is kept in one step.
func (k *key) become(s *token.Session) (err error) {
	if k.persistent() {
		if err := s.KeepHalves(k.publicTemplate()); err != nil {
			return err
		}
		if err := s.KeepProperties(k.customs()); err != nil {
			return err
		}
	}
	private := k.template()
	if k.archivable() {
		private = k.passingTemplate()
		defer func() {
			if err == nil {
				err = k.keepArchive(s)
			}
		}()
	}
	switch {
	case k.wrapped != nil:
		k.object, err = k.wrapped.unwrap(s, private)
	case k.material != nil:
		k.object, err = k.take(s, private)
	case k.class == ck.CKO_SECRET_KEY:
		k.object, err = s.GenerateKey(ck.Mechanism{Type: k.algorithm.generate}, append(private, attr.Attribute{Type: ck.CKA_VALUE_LEN, Value: attr.ULong(uint(k.length / 8))}))
	default:
		err = k.generatePair(s, private)
	}
	return err
}

func (k *key) generatePair(s *token.Session, private attr.Template) error {
	public := k.publicTemplate()
	if k.archivable() {
		public = k.passingPublicTemplate()
	}
	switch k.algorithm.keyType {
	case ck.CKK_RSA:
		public = append(public, attr.Attribute{Type: ck.CKA_MODULUS_BITS, Value: attr.ULong(uint(k.length))})
	case ck.CKK_EC, ck.CKK_EC_MONTGOMERY:
		if k.curve == nil {
			return nte.Errorf(nte.NTE_INVALID_PARAMETER, "the property ECCCurveName must be set first")
		}
		public = append(public, attr.Attribute{Type: ck.CKA_EC_PARAMS, Value: k.curve.Params})
	case ck.CKK_ML_DSA, ck.CKK_ML_KEM:
		if k.set == nil {
			return nte.Errorf(nte.NTE_INVALID_PARAMETER, "the property ParameterSetName must be set first")
		}
		public = append(public, attr.Attribute{Type: ck.CKA_PARAMETER_SET, Value: attr.ULong(k.set.number)})
	}
	var err error
	k.public, k.object, err = s.GenerateKeyPair(ck.Mechanism{Type: k.algorithm.generate}, public, private)
	return err
}
