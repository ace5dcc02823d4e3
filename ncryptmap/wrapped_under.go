package ncryptmap

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// opener is a key that blobs are under.
type opener interface {
	// open gives the key's object, in the token that s is with. done lets go of it.
	open(s *token.Session) (object ck.ObjectHandle, done func(), err error)
	close()
}

func nothing() {}

// byHandle is a key that a program has a handle for. It is not locked while it is in use: two keys that are under each other would wait for ever. An object
// that was destroyed meanwhile is an error of the engine's.
type byHandle struct{ key *key }

func (b byHandle) open(s *token.Session) (ck.ObjectHandle, func(), error) {
	b.key.mu.Lock()
	defer b.key.mu.Unlock()
	switch {
	case b.key.session == nil:
		return 0, nil, nte.Errorf(nte.NTE_INVALID_HANDLE, "the key that the blob is under was freed")
	case s.Info().SlotID != b.key.session.Info().SlotID:
		return 0, nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the key and the one that it is under must be in the same token")
	}
	return b.key.object, nothing, nil
}

func (byHandle) close() {}

// byObject is a key of the token.
type byObject struct{ object ck.ObjectHandle }

func (b byObject) open(*token.Session) (ck.ObjectHandle, func(), error) {
	return b.object, nothing, nil
}

func (byObject) close() {}

// passing is the template of an AES key that is there for one use. Whether it can leave the guard is for the caller to add.
func passing(uses ...ck.AttributeType) attr.Template {
	t := attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_AES))},
		boolean(ck.CKA_TOKEN, false), boolean(ck.CKA_PRIVATE, false),
	}
	for _, use := range []ck.AttributeType{ck.CKA_ENCRYPT, ck.CKA_DECRYPT, ck.CKA_WRAP, ck.CKA_UNWRAP, ck.CKA_SIGN, ck.CKA_VERIFY} {
		t = append(t, boolean(use, slices.Contains(uses, use)))
	}
	return t
}

// confined adds that a key does not leave the guard.
func confined(t attr.Template) attr.Template {
	return append(t, boolean(ck.CKA_SENSITIVE, true), boolean(ck.CKA_EXTRACTABLE, false))
}

// byValue is an AES key that was derived from a password.
type byValue struct{ value *secret.Bytes }

func (b byValue) open(s *token.Session) (ck.ObjectHandle, func(), error) {
	t := confined(passing(ck.CKA_DECRYPT, ck.CKA_UNWRAP, ck.CKA_WRAP))
	object, err := s.CreateObject(append(t, attr.Attribute{Type: ck.CKA_VALUE, Value: b.value.Bytes()}))
	return object, func() { _ = s.DestroyObject(object) }, err // it goes with its session at the latest
}

func (b byValue) close() { b.value.Close() }
