package ncryptmap

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// An OpaqueTransport blob is under an AES key that its token has for such blobs alone. That key is made with the first blob; it does not leave the guard, and
// is used by AES-GCM only.

// transportID is the CKA_ID of transport keys. They have no label, so that they are no keys with names. Two programs may make one each at the same time.
var transportID = []byte("ncrypt11 transport")

// transportMechanisms is CKA_ALLOWED_MECHANISMS.
var transportMechanisms = attr.Attribute{Type: ck.CKA_ALLOWED_MECHANISMS, Value: attr.ULong(uint(ck.CKM_AES_GCM))}

// transportKeys finds the transport keys of a token.
func transportKeys(s *token.Session) ([]ck.ObjectHandle, error) {
	return find(s,
		attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))}, attr.Attribute{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_AES))},
		boolean(ck.CKA_TOKEN, true), attr.Attribute{Type: ck.CKA_ID, Value: transportID})
}

// transportKey gives the token's transport key, which it makes where there is none.
func transportKey(s *token.Session) (ck.ObjectHandle, error) {
	found, err := transportKeys(s)
	switch {
	case err != nil:
		return 0, err
	case len(found) > 0:
		return found[0], nil
	}
	const length = 32
	passes := func(a attr.Attribute) bool { return a.Type == ck.CKA_TOKEN || a.Type == ck.CKA_PRIVATE }
	t := confined(slices.DeleteFunc(passing(ck.CKA_WRAP, ck.CKA_UNWRAP), passes))
	return s.GenerateKey(ck.Mechanism{Type: ck.CKM_AES_KEY_GEN}, append(t,
		boolean(ck.CKA_TOKEN, true), attr.Attribute{Type: ck.CKA_ID, Value: transportID}, transportMechanisms,
		attr.Attribute{Type: ck.CKA_VALUE_LEN, Value: attr.ULong(length)}))
}

// writeOpaque writes a blob that goes back into this token, with all that the key was told.
func (k *key) writeOpaque(s *token.Session, object ck.ObjectHandle, _ *blob.Options) (*secret.Bytes, error) {
	wrapping, err := transportKey(s)
	if err != nil {
		return nil, err
	}
	t := &blob.Transport{Algorithm: k.algorithm.name, Name: k.name, Export: k.export, Usage: k.usage, Nonce: fresh(blob.TransportNonce)}
	header := t.Header()
	wrapped, err := wrapWith(s, gcm(t.Nonce, header), wrapping, object)
	if err != nil {
		return nil, err
	}
	return secret.From(slices.Concat(header, wrapped)), nil
}

// readOpaque reads a blob that this token made. The key is called what it was called: a name that is taken is NTE_EXISTS, unless the caller may overwrite.
func (k *key) readOpaque(_ *KSP, importKey Handle, _ *Buffers, data []byte) error {
	if importKey != 0 || k.name != "" {
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "%s has its key's name and its own protection: it comes with neither", blob.Opaque)
	}
	t, err := blob.ParseTransport(data)
	if err != nil {
		return err
	}
	s, err := k.provider.session(k.machine, true)
	if err != nil {
		return status(err)
	}
	defer s.Close()
	wrapping, err := transportKeys(s)
	if err != nil {
		return status(err)
	}
	err = nte.Errorf(nte.NTE_BAD_DATA, "the blob is another token's: it goes back into the one that made it")
	for _, object := range wrapping {
		w := &wrappedBlob{under: byObject{object}, mechanism: gcm(t.Nonce, t.Header()), data: t.Key}
		if err = k.await(s, w, t.Algorithm); nte.Code(err) != nte.NTE_BAD_DATA {
			break
		}
	}
	if err != nil {
		return err
	}
	k.name, k.export, k.usage = t.Name, t.Export, t.Usage
	k.most = &limits{export: t.Export, usage: t.Usage}
	return nil
}
