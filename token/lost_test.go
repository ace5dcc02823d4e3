package token_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// ended is a guard that has ended, where gone is set: whatever wants a key in its memory is told so.
type ended struct {
	guard.Keys
	gone *bool
}

func (e ended) lost(ref guard.Ref) error {
	if *e.gone {
		return &guard.LostError{Ref: ref}
	}
	return nil
}

func (e ended) Reissue(v guard.Vault, ref guard.Ref, p *guard.Policy) (*guard.Key, error) {
	if err := e.lost(ref); err != nil {
		return nil, err
	}
	return e.Keys.Reissue(v, ref, p)
}

func (e ended) Reveal(ref guard.Ref) (*guard.Revealed, error) {
	if err := e.lost(ref); err != nil {
		return nil, err
	}
	return e.Keys.Reveal(ref)
}

func (e ended) Authorize(ref guard.Ref, sealed []byte, auth *secret.Bytes, context []byte) (uint64, error) {
	if err := e.lost(ref); err != nil {
		return 0, err
	}
	return e.Keys.Authorize(ref, sealed, auth, context)
}

func (e ended) Encrypt(dst []byte, ref guard.Ref, s *mech.Scheme, data []byte) ([]byte, error) {
	if err := e.lost(ref); err != nil {
		return nil, err
	}
	return e.Keys.Encrypt(dst, ref, s, data)
}

func (e ended) Stream(ref guard.Ref, s *mech.Scheme, op mech.Op) (guard.Stream, error) {
	if err := e.lost(ref); err != nil {
		return nil, err
	}
	return e.Keys.Stream(ref, s, op)
}

func (e ended) Wrap(dst []byte, wrapping guard.Ref, s *mech.Scheme, key guard.Ref) ([]byte, error) {
	if err := e.lost(key); err != nil {
		return nil, err
	}
	return e.Keys.Wrap(dst, wrapping, s, key)
}

// loggedIn gives a session of a user, whose keys a guard has until gone is set.
func loggedIn(t *testing.T, gone *bool) *token.Session {
	t.Helper()
	var dead bool
	p := isolated(t, t.TempDir(), &dead, func(g guard.Keys) guard.Keys { return ended{g, gone} })
	slot, err := p.Create(&token.Spec{Label: "test"}, pin(soPIN))
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, p, slot)
	setUserPIN(t, s)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	return s
}

// A session object whose key ended with its guard: whatever is tried first says CKR_DEVICE_ERROR, and then there is no such object.
func TestSessionObjectsAreLostOnce(t *testing.T) {
	var gone bool
	s := loggedIn(t, &gone)
	ecb := &ck.Mechanism{Type: ck.CKM_AES_ECB}
	encrypting := append(aesKey(true, false),
		attr.Attribute{Type: ck.CKA_EXTRACTABLE, Value: attr.Bool(true)}, attr.Attribute{Type: ck.CKA_SENSITIVE, Value: attr.Bool(false)})
	wrapping, err := s.CreateObject(append(aesKey(true, true), attr.Attribute{Type: ck.CKA_WRAP, Value: attr.Bool(true)}))
	if err != nil {
		t.Fatal(err)
	}
	data := attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_DATA))}, {Type: ck.CKA_PRIVATE, Value: attr.Bool(true)}, {Type: ck.CKA_VALUE, Value: []byte("value")},
	}
	out := token.Output{Buf: make([]byte, 64)}
	for name, test := range map[string]struct {
		object attr.Template
		use    func(ck.ObjectHandle) error
	}{
		"Encrypt": {encrypting, func(h ck.ObjectHandle) error {
			wantCode(t, "EncryptInit", s.EncryptInit(ecb, h), ck.CKR_OK)
			_, err := s.Encrypt(make([]byte, 16), out)
			return err
		}},
		"EncryptUpdate": {encrypting, func(h ck.ObjectHandle) error {
			wantCode(t, "EncryptInit", s.EncryptInit(ecb, h), ck.CKR_OK)
			_, err := s.EncryptUpdate(make([]byte, 16), out)
			return err
		}},
		"WrapKey": {encrypting, func(h ck.ObjectHandle) error {
			_, err := s.WrapKey(ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP}, wrapping, h, out)
			return err
		}},
		"CopyObject":         {encrypting, func(h ck.ObjectHandle) error { _, err := s.CopyObject(h, nil); return err }},
		"CopyObject of data": {data, func(h ck.ObjectHandle) error { _, err := s.CopyObject(h, nil); return err }},
		"GetAttributeValue": {encrypting, func(h ck.ObjectHandle) error {
			return s.GetAttributes(h, []token.Reading{{Type: ck.CKA_VALUE}}, func() {})
		}},
		"SetAttributeValue": {encrypting, func(h ck.ObjectHandle) error {
			return s.SetAttributes(h, attr.Template{{Type: ck.CKA_SENSITIVE, Value: attr.Bool(true)}})
		}},
	} {
		gone = false
		h, err := s.CreateObject(test.object)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		gone = true
		wantCode(t, name, test.use(h), ck.CKR_DEVICE_ERROR)
		_, err = s.ObjectSize(h)
		wantCode(t, "after "+name, err, ck.CKR_OBJECT_HANDLE_INVALID)
	}
}
