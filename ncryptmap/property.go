package ncryptmap

import (
	"slices"
	"unicode/utf16"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// property is one that keys have of themselves. Others are the caller's own.
type property struct {
	name string
	// get gives the value; nil: it cannot be read. Errors: NTE_NOT_FOUND where it is not set, NTE_NOT_SUPPORTED where keys of this kind have it not.
	get func(k *key, flags uint32) ([]byte, error)
	// set changes it; nil: nobody can (NTE_NOT_SUPPORTED).
	set func(k *key, value []byte, flags uint32) error
}

var properties = slices.Concat(identityProperties, setProperties, lengthProperties, policyProperties, handleProperties)

func propertyOf(name string) *property {
	i := slices.IndexFunc(properties, func(p property) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return &properties[i]
}

// checkProperty refuses names that are none.
func checkProperty(name string) error {
	if n := len(utf16.Encode([]rune(name))); n == 0 || n > NCRYPT_MAX_PROPERTY_NAME {
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "a property's name has 1 to %d characters", NCRYPT_MAX_PROPERTY_NAME)
	}
	return nil
}

// checkValue refuses names that are none, and values that are none or too long.
func checkValue(name string, value []byte) error {
	switch {
	case value == nil:
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "there is no value")
	case len(value) > NCRYPT_MAX_PROPERTY_DATA:
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "a property's value has at most %d bytes", NCRYPT_MAX_PROPERTY_DATA)
	}
	return checkProperty(name)
}

// GetProperty is NCryptGetProperty, of a provider or a key. Errors: NTE_INVALID_HANDLE; NTE_BAD_FLAGS; NTE_NOT_SUPPORTED for a property that such an object
// has not; NTE_NOT_FOUND for one that is not set.
func (k *KSP) GetProperty(object Handle, name string, flags uint32) ([]byte, error) {
	if p, err := get[*provider](&k.handles, object); err == nil {
		return p.property(name, flags)
	}
	key, err := k.held(object)
	if err != nil {
		return nil, err
	}
	defer key.mu.Unlock()
	if err := checkProperty(name); err != nil {
		return nil, err
	}
	value, err := key.property(name, flags)
	return value, status(err)
}

func (k *key) property(name string, flags uint32) ([]byte, error) {
	known := propertyOf(name)
	own := flags
	if known != nil && known.name == NCRYPT_SECURITY_DESCR_PROPERTY {
		own &^= securityInformation
	}
	if err := checkFlags(callGetProperty, own); err != nil {
		return nil, err
	}
	switch {
	case flags&NCRYPT_PERSIST_ONLY_FLAG != 0 && name == NCRYPT_SECURITY_DESCR_PROPERTY:
		return nil, nte.Errorf(nte.NTE_BAD_FLAGS, "the security descriptor is no property of the caller's")
	case flags&NCRYPT_PERSIST_ONLY_FLAG != 0:
		return k.customValue(name)
	case known != nil && known.get != nil:
		return known.get(k, flags)
	case known != nil || blob.Known(name):
		return nil, notSupported(name)
	}
	value, err := k.customValue(name)
	if nte.Code(err) == nte.NTE_NOT_FOUND {
		return nil, notSupported(name)
	}
	return value, err
}

func notSupported(name string) error {
	return nte.Errorf(nte.NTE_NOT_SUPPORTED, "this object has no property %q, or it cannot be set", name)
}

func notFound(name string) error {
	return nte.Errorf(nte.NTE_NOT_FOUND, "property %q is not set", name)
}

// SetProperty is NCryptSetProperty, of a provider or a key. A nil value is no value (NTE_INVALID_PARAMETER); an empty one is. Errors: NTE_INVALID_HANDLE;
// NTE_BAD_FLAGS; NTE_NOT_SUPPORTED for a property that cannot be set; NTE_BAD_KEY_STATE for one that cannot be set any more; NTE_BAD_DATA for a value of
// another length.
func (k *KSP) SetProperty(object Handle, name string, value []byte, flags uint32) error {
	if p, err := get[*provider](&k.handles, object); err == nil {
		return p.setProperty(name, value, flags)
	}
	key, err := k.held(object)
	if err != nil {
		return err
	}
	defer key.mu.Unlock()
	if err := checkValue(name, value); err != nil {
		return err
	}
	return key.provider.status(key.setProperty(name, value, flags))
}

func (k *key) setProperty(name string, value []byte, flags uint32) error {
	known := propertyOf(name)
	own := flags
	if name == NCRYPT_SECURITY_DESCR_PROPERTY {
		own &^= securityInformation
	}
	if err := checkFlags(callSetProperty, own); err != nil {
		return err
	}
	switch {
	case flags&NCRYPT_PERSIST_ONLY_FLAG != 0 && name == NCRYPT_SECURITY_DESCR_PROPERTY:
		return nte.Errorf(nte.NTE_BAD_FLAGS, "the security descriptor is no property of the caller's")
	case flags&NCRYPT_PERSIST_ONLY_FLAG != 0:
		return k.setCustom(name, value)
	case blob.Private(name) || name == genericPrivate:
		return k.importByProperty(name, value)
	case known == nil || known.set == nil:
		return notSupported(name)
	}
	return known.set(k, value, flags)
}

// importByProperty has FinalizeKey take a key in instead of making one: the property's name is the blob's type.
func (k *key) importByProperty(blobType string, value []byte) error {
	if k.final {
		return nte.Errorf(nte.NTE_BAD_KEY_STATE, "the key is final")
	}
	was := *k.algorithm
	material, err := blob.Read(blobType, value, &blob.Options{Algorithm: was.name})
	if err != nil {
		return err
	}
	if algorithm := algorithmOf(material.Algorithm); algorithm == nil || algorithm.group != was.group {
		material.Close()
		return nte.Errorf(nte.NTE_BAD_TYPE, "the key was created as %s, and the blob has %s", was.name, material.Algorithm)
	}
	if err := k.describe(material); err != nil {
		material.Close()
		return err
	}
	k.material.Close()
	k.wrapped.close()
	k.material, k.wrapped = material, nil
	return nil
}
