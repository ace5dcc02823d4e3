package ncryptmap

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Blobs that are under another key are opened where that key is: in the guard. The program has what is in them only where their form leaves no other way
// (encrypted.go).

// wrappedBlob is a key under another one, which waits for its handle to become final.
type wrappedBlob struct {
	under     opener
	mechanism ck.Mechanism
	data      []byte
	class     ck.ObjectClass
	keyType   ck.KeyType
}

// limits are what a blob says of its key at most: who imports it may say less.
type limits struct{ export, usage uint32 }

func (l *limits) forbids(export, usage uint32) bool {
	return l != nil && (export&^l.export != 0 || usage&^l.usage != 0)
}

// sealedReaders read the blobs that are under another key, by their type.
var sealedReaders = map[string]func(k *key, ksp *KSP, importKey Handle, params *Buffers, data []byte) error{
	blob.AESWrap:     (*key).readAESWrap,
	blob.RSAAESWrap:  (*key).readRSAAES,
	blob.PKCS7:       (*key).readEnvelope,
	blob.IsolatedKey: (*key).readIsolated,
	blob.Opaque:      (*key).readOpaque,
}

// readWrapped reads a blob that the guard opens; false where it is none.
func (k *key) readWrapped(ksp *KSP, importKey Handle, blobType string, params *Buffers, data []byte) (bool, error) {
	if read, ok := sealedReaders[blobType]; ok {
		return true, read(k, ksp, importKey, params, data)
	}
	if importKey != 0 {
		return true, nte.Errorf(nte.NTE_NOT_SUPPORTED, "there is no blob type %q that is under another key", blobType)
	}
	if blobType == blob.PKCS8 {
		return k.readEncrypted(params, data)
	}
	return false, nil
}

// importer is the key that a blob is under, if it may be used for that.
func (k *key) importer(ksp *KSP, importKey Handle) (opener, error) {
	if importKey == 0 {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "blobs of this type are under another key: give it as hImportKey")
	}
	wrapping, err := ksp.finished(importKey)
	if err != nil {
		return nil, err
	}
	defer wrapping.mu.Unlock()
	return byHandle{wrapping}, k.mayComeThrough(wrapping.usage)
}

// mayComeThrough says whether a key with a usage may import this one.
func (k *key) mayComeThrough(usage uint32) error {
	switch {
	case usage&imports == 0:
		return nte.Errorf(nte.NTE_PERM, "the usage %#x of the key that the blob is under does not allow imports", usage)
	case k.name != "" && usage&plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG == 0:
		return nte.Errorf(nte.NTE_PERM, "the key that the blob is under is for imports of keys without a name only")
	}
	return nil
}

// await has the key taken out of the blob when it becomes final, and takes it out for a moment to see that it can be. algorithm is CNG's name.
func (k *key) await(s *token.Session, w *wrappedBlob, algorithm string) error {
	a := algorithmOf(algorithm)
	if a == nil {
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "there is no algorithm %q", algorithm)
	}
	_, err := k.awaitAs(s, w, a)
	return err
}

// awaitAs is await for an algorithm that is known. It gives what the key may be used for at most.
func (k *key) awaitAs(s *token.Session, w *wrappedBlob, a *algorithm) (usage uint32, err error) {
	k.algorithm, k.class, k.curve = a, a.class, a.curve
	w.class, w.keyType, w.data = a.class, a.keyType, slices.Clone(w.data)
	if usage, err = k.tryUnwrap(s, w); err != nil {
		return 0, status(err)
	}
	k.wrapped = w
	return usage, nil
}

// tryUnwrap takes the key in for a moment, to learn its length and its usage, and whether it is one.
func (k *key) tryUnwrap(s *token.Session, w *wrappedBlob) (usage uint32, err error) {
	trial := max(k.isolation, plan.Prefer) // that the key must be isolated is seen to when it becomes final
	object, err := w.unwrap(s, attr.Template{boolean(ck.CKA_TOKEN, false), boolean(ck.CKA_EXTRACTABLE, false), boolean(ck.CKA_SENSITIVE, true),
		{Type: ck.CKA_NCRYPT_PROTECTION, Value: attr.ULong(uint(trial))}})
	if err != nil {
		return 0, err
	}
	defer func() { _ = s.DestroyObject(object) }() // it goes with its session at the latest
	set, err := attributes(s, object, stored...)
	if err != nil {
		return 0, err
	}
	found := &key{}
	if err := found.recognize(set); err != nil {
		return 0, err
	}
	if k.curve != nil && k.curve != found.curve {
		return 0, nte.Errorf(nte.NTE_BAD_TYPE, "the key in the blob is on another curve than %s's", k.algorithm.name)
	}
	k.length, k.curve, k.set = found.length, found.curve, found.set
	if k.algorithm.keyType == ck.CKK_EC {
		if named := algorithmOn(k.algorithm.group, found.curve); named != nil {
			k.algorithm = named
		}
	}
	return found.usage, nil
}

// unwrap makes the key's object.
func (w *wrappedBlob) unwrap(s *token.Session, t attr.Template) (ck.ObjectHandle, error) {
	object, done, err := w.under.open(s)
	if err != nil {
		return 0, err
	}
	defer done()
	return s.UnwrapKey(w.mechanism, object, w.data, append(slices.Clone(t),
		attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(w.class))}, attr.Attribute{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(w.keyType))}))
}

func (w *wrappedBlob) close() {
	if w != nil {
		w.under.close()
	}
}

// readAESWrap reads what RFC 3394 gave.
func (k *key) readAESWrap(ksp *KSP, importKey Handle, params *Buffers, data []byte) error {
	return k.readThrough(ksp, importKey, params, &wrappedBlob{mechanism: ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP}, data: data}, "AES")
}

// readThrough reads a key whose algorithm a parameter names, else that one.
func (k *key) readThrough(ksp *KSP, importKey Handle, params *Buffers, w *wrappedBlob, algorithm string) error {
	under, err := k.importer(ksp, importKey)
	if err != nil {
		return err
	}
	named, err := params.text(NCRYPTBUFFER_PKCS_ALG_ID)
	if err != nil {
		return err
	}
	if named != "" {
		algorithm = named
	}
	if algorithm == "" {
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "the blob does not say what key is in it: name its algorithm, NCRYPTBUFFER_PKCS_ALG_ID")
	}
	s, err := k.provider.session(k.machine, true)
	if err != nil {
		return status(err)
	}
	defer s.Close()
	w.under = under
	return k.await(s, w, algorithm)
}
