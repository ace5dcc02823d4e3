package ncryptmap

import (
	"math"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// ExportKey is NCryptExportKey: the key, or its public half, as a blob, which the caller closes. With exportKey the blob is under that key. Errors:
// NTE_INVALID_HANDLE; NTE_BAD_FLAGS; NTE_BAD_KEY_STATE for a key that is not final; NTE_INVALID_PARAMETER for a blob type that is not known; NTE_BAD_TYPE for
// one that the key does not fit; NTE_NOT_SUPPORTED where its policy forbids it.
func (k *KSP) ExportKey(handle, exportKey Handle, blobType string, params *Buffers, flags uint32) (*secret.Bytes, error) {
	return k.exportKey(handle, exportKey, blobType, params, flags, math.MaxInt)
}

// exportKey is ExportKey for a caller with room for so many bytes: what does not fit did not leave, and can still be archived.
func (k *KSP) exportKey(handle, exportKey Handle, blobType string, params *Buffers, flags uint32, room int) (*secret.Bytes, error) {
	var under *wrapper
	var err error
	if exportKey != 0 {
		if under, err = k.wrapper(exportKey); err != nil {
			return nil, err
		}
	}
	key, err := k.finished(handle)
	if err != nil {
		return nil, err
	}
	defer key.mu.Unlock()
	if err := checkFlags(callExport, flags); err != nil {
		return nil, err
	}
	if flags&NCRYPT_EXPORT_LEGACY_FLAG != 0 {
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "there is no legacy store")
	}
	if err := params.check(); err != nil {
		return nil, err
	}
	if under != nil {
		out, err := key.exportWrapped(under, blobType, params)
		return out, status(err)
	}
	options, err := params.options()
	if err != nil {
		return nil, err
	}
	defer options.Password.Close()
	out, err := key.write(blobType, options, room)
	return out, status(err)
}

func (k *key) write(blobType string, o *blob.Options, room int) (*secret.Bytes, error) {
	name := blob.Specific(blobType, k.algorithm.group)
	if name == genericPublic || blob.Known(name) && !blob.Private(name) {
		public, err := k.publicMaterial()
		if err != nil {
			return nil, err
		}
		return blob.Write(name, public, o)
	}
	if !blob.Known(name) {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "there is no blob type %q", blobType)
	}
	if k.class == ck.CKO_PUBLIC_KEY {
		return nil, nte.Errorf(nte.NTE_BAD_TYPE, "%s needs a private key", name)
	}
	return k.writePrivate(name, o, room)
}

// writePrivate lets the key out, if its policy does.
func (k *key) writePrivate(name string, o *blob.Options, room int) (*secret.Bytes, error) {
	encrypted := blob.Encrypts(name, o)
	switch {
	case k.export&plan.NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG != 0, encrypted && k.export&plan.NCRYPT_ALLOW_EXPORT_FLAG != 0:
		return k.writeObject(k.session, k.object, name, o)
	case k.archive.permits(encrypted):
		out, err := k.writeObject(k.archive.session, k.archive.object, name, o)
		if err == nil && len(out.Bytes()) <= room { // a blob type that the key does not fit is no archive
			k.archive.close()
			k.archive = nil
			k.export &^= archiving
		}
		return out, err
	}
	return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the key's export policy %#x does not allow it", k.export)
}

// readable says whether the engine shows the key's secret. Keys that live as long as a handle it always does, since the program could have kept what it
// imported; what may leave is for the export policy alone to say then.
func (k *key) readable() bool { return !k.persistent() && !k.isolated() && !k.confined() }

// confined says whether the blob that the key came in lets it leave in no way.
func (k *key) confined() bool { return k.most != nil && k.most.export == 0 }

// secretParts are the numbers that a private or secret key consists of, beside its public half.
var secretParts = map[ck.KeyType][]ck.AttributeType{
	ck.CKK_RSA: {
		ck.CKA_PRIVATE_EXPONENT, ck.CKA_PRIME_1, ck.CKA_PRIME_2, ck.CKA_EXPONENT_1, ck.CKA_EXPONENT_2, ck.CKA_COEFFICIENT,
	},
	ck.CKK_EC:            {ck.CKA_VALUE},
	ck.CKK_EC_MONTGOMERY: {ck.CKA_VALUE},
	ck.CKK_ML_DSA:        {ck.CKA_SEED},
	ck.CKK_ML_KEM:        {ck.CKA_SEED},
	ck.CKK_AES:           {ck.CKA_VALUE},
}

// writeObject writes an object as a blob. Some blobs the guard makes; for others the program reads the object's secret.
func (k *key) writeObject(s *token.Session, object ck.ObjectHandle, name string, o *blob.Options) (*secret.Bytes, error) {
	if write := k.sealedWriter(s, object, name, o); write != nil {
		return write(k, s, object, o)
	}
	a := k.algorithm
	material := &blob.Key{Algorithm: a.name, Class: a.class, KeyType: a.keyType, Usage: &k.usage}
	defer material.Close()
	readings := []token.Reading{}
	for _, typ := range append(append([]ck.AttributeType{}, publicParts...), secretParts[a.keyType]...) {
		readings = append(readings, token.Reading{Type: typ})
	}
	err := s.GetAttributes(object, readings, func() {
		for i, r := range readings {
			switch {
			case r.Err != nil || len(r.Value) == 0:
			case i < len(publicParts):
				material.Put(r.Type, r.Value)
			default:
				material.PutSecret(r.Type, r.Value)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return blob.Write(name, material, o)
}

// publicMaterial is the key's public half.
func (k *key) publicMaterial() (*blob.Key, error) {
	if k.class == ck.CKO_SECRET_KEY {
		return nil, nte.Errorf(nte.NTE_BAD_TYPE, "a secret key has no public half")
	}
	set, err := publicSet(k.session, k.object)
	if err != nil {
		return nil, err
	}
	material := &blob.Key{Algorithm: k.algorithm.name, Class: ck.CKO_PUBLIC_KEY, KeyType: k.algorithm.keyType}
	for typ, value := range set.All() {
		material.Put(typ, value)
	}
	return material, nil
}

// archive is a copy of a new key that may leave once, through the handle that made it.
type archive struct {
	session   *token.Session
	object    ck.ObjectHandle
	plaintext bool
}

func (a *archive) permits(encrypted bool) bool { return a != nil && (a.plaintext || encrypted) }

func (a *archive) close() {
	if a != nil {
		_ = a.session.DestroyObject(a.object) // it goes with its session at the latest
	}
}

// archiving are the policies that let a key leave once, through the handle that made it.
const archiving = plan.NCRYPT_ALLOW_ARCHIVING_FLAG | plan.NCRYPT_ALLOW_PLAINTEXT_ARCHIVING_FLAG

// archivable says whether the key may leave once, and not otherwise.
func (k *key) archivable() bool {
	return k.persistent() && k.export&archiving != 0 && !k.isolated()
}

// keepArchive makes of a key that lives with its session the one that is kept, which cannot leave, and remembers the other for one export.
func (k *key) keepArchive(s *token.Session) error {
	made := k.object
	t := append(k.naming(), plan.ExportAttributes(k.export)...)
	kept, err := s.CopyObject(made, append(t, k.claim()...))
	if err != nil {
		return destroyed(s, made, err)
	}
	k.object = kept
	k.archive = &archive{s, made, k.export&plan.NCRYPT_ALLOW_PLAINTEXT_ARCHIVING_FLAG != 0}
	return nil
}
