package ncryptmap

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// ImportKey is NCryptImportKey: takes a key in from a blob. With importKey, the blob is under that key. A private or secret key with a name
// (NCRYPTBUFFER_PKCS_KEY_NAME) is kept; a public key never is. The blob is the caller's to wipe. Errors: NTE_INVALID_HANDLE; NTE_BAD_FLAGS;
// NTE_NOT_SUPPORTED for a blob type that is not known, or a private blob that does not parse; NTE_INVALID_PARAMETER and NTE_BAD_DATA for a public one;
// NTE_EXISTS; NTE_VBS_UNAVAILABLE.
func (k *KSP) ImportKey(prov, importKey Handle, blobType string, params *Buffers, data []byte, flags uint32) (Handle, error) {
	p, err := get[*provider](&k.handles, prov)
	if err != nil {
		return 0, err
	}
	if len(data) == 0 {
		return 0, nte.Errorf(nte.NTE_INVALID_PARAMETER, "there is no blob")
	}
	public := blob.Known(blobType) && !blob.Private(blobType)
	if err := checkFlags(map[bool]call{true: callImportPublic, false: callImport}[public], flags); err != nil {
		return 0, err
	}
	if err := noLegacyStore(flags); err != nil {
		return 0, err
	}
	if err := params.check(); err != nil {
		return 0, err
	}
	key := newKey(p, "", flags)
	if !public {
		if key.name, err = params.text(NCRYPTBUFFER_PKCS_KEY_NAME); err != nil {
			return 0, err
		}
	}
	if err := key.settle(k, importKey, blobType, params, data); err != nil {
		key.close()
		return 0, err
	}
	return k.handles.add(key), nil
}

// settle takes the key out of the blob, which nobody looks into before it is known that the key could be, and makes it final unless that is put off.
func (k *key) settle(ksp *KSP, importKey Handle, blobType string, params *Buffers, data []byte) error {
	if err := k.begin(); err != nil {
		return err
	}
	named, flags := k.name, k.flags
	if err := k.read(ksp, importKey, blobType, params, data); err != nil {
		return err
	}
	if k.name != named || k.flags != flags { // the blob has a name of its own, or is for a key that is isolated
		if err := k.begin(); err != nil {
			return err
		}
	}
	if k.flags&NCRYPT_DO_NOT_FINALIZE_FLAG != 0 {
		return nil
	}
	return k.finalize(k.flags)
}

// The generic names of blobs whose magic number says what they are.
const (
	genericPublic  = "PUBLICBLOB"
	genericPrivate = "PRIVATEBLOB"
)

// read takes the blob apart, and says of the key what the blob does.
func (k *key) read(ksp *KSP, importKey Handle, blobType string, params *Buffers, data []byte) error {
	if done, err := k.readWrapped(ksp, importKey, blobType, params, data); done || err != nil {
		return err
	}
	options, err := params.options()
	if err != nil {
		return err
	}
	defer options.Password.Close()
	material, err := blob.Read(blobType, data, options)
	if err != nil {
		return err
	}
	if err := k.describe(material); err != nil {
		material.Close()
		return err
	}
	k.material = material
	return nil
}

// describe says of the key what its material does.
func (k *key) describe(m *blob.Key) error {
	k.algorithm, k.class = algorithmOf(m.Algorithm), m.Class
	if k.algorithm == nil {
		return unsupported(m.Algorithm)
	}
	if m.Usage != nil {
		k.usage = *m.Usage
	}
	if m.Name != "" && k.name == "" {
		k.name = m.Name
	}
	return k.measure(m)
}

// measure says how long the key is, and on which curve.
func (k *key) measure(m *blob.Key) error {
	switch k.algorithm.keyType {
	case ck.CKK_RSA:
		k.length = uint32(bitLen(m.Get(ck.CKA_MODULUS)))
	case ck.CKK_EC, ck.CKK_EC_MONTGOMERY:
		curve, err := curveOf(m.Get(ck.CKA_EC_PARAMS))
		if err != nil {
			return err
		}
		return k.moveTo(curve)
	case ck.CKK_ML_DSA, ck.CKK_ML_KEM:
		return k.measureSet(m)
	default:
		k.length = uint32(8 * len(m.Get(ck.CKA_VALUE)))
	}
	return nil
}

// moveTo says on which curve the key is, and which algorithm that makes of the one that was named.
func (k *key) moveTo(curve *pubkey.Curve) error {
	named := algorithmOn(k.algorithm.group, curve)
	if named == nil {
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "there are no keys for %s on %s", k.algorithm.group, curve.Name)
	}
	k.algorithm, k.curve, k.length = named, curve, uint32(curve.Bits)
	return nil
}

// take makes the objects of a key whose material is at hand.
func (k *key) take(s *token.Session, private attr.Template) (ck.ObjectHandle, error) {
	if k.class == ck.CKO_PUBLIC_KEY {
		return s.CreateObject(append(k.described(k.publicTemplate(), ck.CKO_PUBLIC_KEY), k.material.Parts()...))
	}
	return s.CreateObject(append(k.described(private, k.class), k.material.Parts()...))
}

func (k *key) described(t attr.Template, class ck.ObjectClass) attr.Template {
	return append(t, attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(class))}, attr.Attribute{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(k.algorithm.keyType))})
}

// destroyed undoes what was made before something failed.
func destroyed(s *token.Session, object ck.ObjectHandle, because error) error {
	_ = s.DestroyObject(object) // the first error is the one to tell
	return because
}
