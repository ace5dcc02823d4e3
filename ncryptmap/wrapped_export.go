package ncryptmap

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// wrapper is an object that keys are wrapped under, in its token.
type wrapper struct {
	slot   ck.SlotID
	object ck.ObjectHandle
}

// wrapper finds the object of a key that others are to be wrapped under: its public half, if it has one. The key is not locked afterwards: two keys that are
// exported under each other would wait for ever.
func (k *KSP) wrapper(exportKey Handle) (*wrapper, error) {
	wrapping, err := k.finished(exportKey)
	if err != nil {
		return nil, err
	}
	defer wrapping.mu.Unlock()
	w := &wrapper{wrapping.session.Info().SlotID, wrapping.object}
	if wrapping.class != ck.CKO_SECRET_KEY {
		if w.object, err = wrapping.publicObject(); err != nil {
			return nil, status(err)
		}
	}
	return w, nil
}

// exportWrapped is ExportKey under another key.
func (k *key) exportWrapped(under *wrapper, blobType string, params *Buffers) (*secret.Bytes, error) {
	const allowed = plan.NCRYPT_ALLOW_EXPORT_FLAG | plan.NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG
	if k.export&allowed == 0 && (blobType != blob.RSAAESWrap || k.export&plan.NCRYPT_ALLOW_PKCS11_RSA_AES_EXPORT_FLAG == 0) {
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the key's export policy %#x does not allow it", k.export)
	}
	switch blobType {
	case blob.AESWrap:
		return k.wrap(under, ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP})
	case blob.RSAAESWrap:
		return k.wrapRSAAES(under, params)
	}
	return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "there is no blob type %q that is under another key", blobType)
}

// wrap has the guard put the key under another.
func (k *key) wrap(under *wrapper, mechanism ck.Mechanism) (*secret.Bytes, error) {
	if k.session.Info().SlotID != under.slot {
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the key and the one that it is to be under must be in the same token")
	}
	out, err := wrapWith(k.session, mechanism, under.object, k.object)
	if err != nil {
		return nil, err
	}
	return secret.From(out), nil
}

// wrapWith has the guard put an object under another.
func wrapWith(s *token.Session, mechanism ck.Mechanism, wrapping, object ck.ObjectHandle) ([]byte, error) {
	return whole(func(out token.Output) (int, error) { return s.WrapKey(mechanism, wrapping, object, out) })
}
