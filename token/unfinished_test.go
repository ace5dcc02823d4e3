package token_test

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

var (
	begun = boolean(ck.CKA_NCRYPT_DO_NOT_FINALIZE, true)
	final = attr.Template{ulong(ck.CKA_NCRYPT_STATE, ck.CK_NCRYPT_STATE_FINAL)}
)

// userSession is a session with the user logged in.
func userSession(t *testing.T) (*token.Provider, *token.Session) {
	t.Helper()
	p, s := open(t)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	return p, s
}

func stateOf(t *testing.T, s *token.Session, h ck.ObjectHandle) uint {
	t.Helper()
	value := read(t, s, h, ck.CKA_NCRYPT_STATE)[0]
	state, err := attr.ParseULong(value)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func encrypting(s *token.Session, h ck.ObjectHandle) error {
	err := s.EncryptInit(&ck.Mechanism{Type: ck.CKM_AES_ECB}, h)
	if err == nil {
		_, err = s.Encrypt(make([]byte, 16), token.Output{Buf: make([]byte, 16)})
	}
	return err
}

// A key that is not final is for its session alone, and for no use; then it is a key like others, under the same handle.
func TestKeyInTwoSteps(t *testing.T) {
	p, s := userSession(t)
	other := session(t, p, s.Info().SlotID)
	h, err := s.CreateObject(with(aesKey(true, true), begun))
	if err != nil {
		t.Fatal(err)
	}
	if state := stateOf(t, s, h); state != ck.CK_NCRYPT_STATE_IMPORTED {
		t.Errorf("state %d", state)
	}
	if n := len(found(t, other, labelled("a key"))); n != 0 {
		t.Errorf("another session sees %d keys", n)
	}
	_, err = other.ObjectSize(h)
	wantCode(t, "another session", err, ck.CKR_OBJECT_HANDLE_INVALID)
	wantCode(t, "another session destroys it", other.DestroyObject(h), ck.CKR_OBJECT_HANDLE_INVALID)
	wantCode(t, "another session makes it final", other.SetAttributes(h, final), ck.CKR_OBJECT_HANDLE_INVALID)
	if n := len(found(t, s, labelled("a key"))); n != 1 {
		t.Errorf("its session sees %d keys", n)
	}
	wantCode(t, "use", encrypting(s, h), ck.CKR_KEY_FUNCTION_NOT_PERMITTED)
	_, err = s.CopyObject(h, nil)
	wantCode(t, "a copy", err, ck.CKR_KEY_FUNCTION_NOT_PERMITTED)
	if value := read(t, s, h, ck.CKA_VALUE)[0]; value != nil {
		t.Error("its value is shown")
	}
	if n := len(found(t, s, ulong(ck.CKA_NCRYPT_STATE, ck.CK_NCRYPT_STATE_IMPORTED))); n != 1 {
		t.Errorf("by its state %d keys are found", n)
	}
	wantCode(t, "another state", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_STATE, ck.CK_NCRYPT_STATE_PERSISTED)}), ck.CKR_ATTRIBUTE_VALUE_INVALID)
	wantCode(t, "a name", s.SetAttributes(h, attr.Template{called("later"), ulong(ck.CKA_NCRYPT_KEY_USAGE, 1)}), ck.CKR_OK)
	wantCode(t, "final", s.SetAttributes(h, final), ck.CKR_OK)

	if state := stateOf(t, s, h); state != ck.CK_NCRYPT_STATE_PERSISTED {
		t.Errorf("state %d", state)
	}
	for state, want := range map[uint]int{ck.CK_NCRYPT_STATE_IMPORTED: 0, ck.CK_NCRYPT_STATE_PERSISTED: 1, ck.CK_NCRYPT_STATE_EPHEMERAL: 0} {
		if n := len(found(t, other, ulong(ck.CKA_NCRYPT_STATE, state), labelled("a key"))); n != want {
			t.Errorf("by state %d %d keys are found", state, n)
		}
	}
	wantCode(t, "use", encrypting(s, h), ck.CKR_OK)
	if n := len(found(t, other, called("later"))); n != 1 {
		t.Errorf("another session finds %d keys", n)
	}
	if sign := read(t, s, h, ck.CKA_SIGN)[0]; !bytes.Equal(sign, attr.Bool(false)) {
		t.Error("the usage was not taken")
	}
	wantCode(t, "final twice", s.SetAttributes(h, final), ck.CKR_ATTRIBUTE_READ_ONLY)
	wantCode(t, "the usage of a final key", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_KEY_USAGE, 1)}), ck.CKR_ATTRIBUTE_READ_ONLY)
}

// What goes one way goes so before a key is final, too.
func TestUnfinishedKeysAreNotLoosened(t *testing.T) {
	_, s := userSession(t)
	h, err := s.CreateObject(with(aesKey(true, true), begun, ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 0)))
	if err != nil {
		t.Fatal(err)
	}
	for _, policy := range []uint{1, 3, 4, 8, 0x10} {
		wantCode(t, "a wider policy", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, policy)}), ck.CKR_ATTRIBUTE_READ_ONLY)
	}
	wantCode(t, "for everybody", s.SetAttributes(h, attr.Template{boolean(ck.CKA_PRIVATE, false)}), ck.CKR_TEMPLATE_INCONSISTENT)
}

// A key that is not final ends with its session, its destruction or the login, and nothing of it is stored.
func TestUnfinishedKeysEnd(t *testing.T) {
	p, s := userSession(t)
	other := session(t, p, s.Info().SlotID)
	make := func(in *token.Session) ck.ObjectHandle {
		h, err := in.CreateObject(with(aesKey(true, true), begun))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	h := make(s)
	wantCode(t, "destroyed", s.DestroyObject(h), ck.CKR_OK)
	wantCode(t, "after that", s.SetAttributes(h, final), ck.CKR_OBJECT_HANDLE_INVALID)
	make(other)
	wantCode(t, "close", other.Close(), ck.CKR_OK)
	h = make(s)
	wantCode(t, "logout", s.Logout(), ck.CKR_OK)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	wantCode(t, "after a logout", s.SetAttributes(h, final), ck.CKR_OBJECT_HANDLE_INVALID)
	if n := len(found(t, s, labelled("a key"))); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}

// A pair becomes final as one. A session key becomes one like others.
func TestPairInTwoSteps(t *testing.T) {
	p, s := userSession(t)
	other := session(t, p, s.Info().SlotID)
	for _, kept := range []bool{true, false} {
		label := labelled(map[bool]string{true: "kept", false: "passing"}[kept])
		p256 := attr.Attribute{Type: ck.CKA_EC_PARAMS, Value: []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}}
		public, private, err := s.GenerateKeyPair(ck.Mechanism{Type: ck.CKM_EC_KEY_PAIR_GEN},
			attr.Template{p256, label, boolean(ck.CKA_TOKEN, kept)}, attr.Template{begun, label, boolean(ck.CKA_TOKEN, kept)})
		if err != nil {
			t.Fatal(err)
		}
		if state := stateOf(t, s, private); state != ck.CK_NCRYPT_STATE_CREATED {
			t.Errorf("state %d", state)
		}
		if n := len(found(t, other, label)); n != 0 {
			t.Errorf("another session sees %d halves", n)
		}
		wantCode(t, "verify", s.VerifyInit(&ck.Mechanism{Type: ck.CKM_ECDSA}, public), ck.CKR_KEY_FUNCTION_NOT_PERMITTED)
		wantCode(t, "final", s.SetAttributes(private, final), ck.CKR_OK)
		if n := len(found(t, other, label)); n != 2 {
			t.Errorf("another session sees %d halves", n)
		}
		digest, signature := make([]byte, 32), make([]byte, 64)
		wantCode(t, "sign", s.SignInit(&ck.Mechanism{Type: ck.CKM_ECDSA}, private), ck.CKR_OK)
		_, err = s.Sign(digest, token.Output{Buf: signature})
		wantCode(t, "sign", err, ck.CKR_OK)
		wantCode(t, "verify", s.VerifyInit(&ck.Mechanism{Type: ck.CKM_ECDSA}, public), ck.CKR_OK)
		wantCode(t, "verify", s.Verify(digest, signature), ck.CKR_OK)
		want := uint(ck.CK_NCRYPT_STATE_EPHEMERAL)
		if kept {
			want = ck.CK_NCRYPT_STATE_PERSISTED
		}
		if state := stateOf(t, s, private); state != want {
			t.Errorf("state %d, want %d", state, want)
		}
	}
}

// A name that is taken is no name for a key that is begun, and for one that was begun before. That one can be final under another.
func TestNamesOfUnfinishedKeys(t *testing.T) {
	_, s := userSession(t)
	first, err := s.CreateObject(with(aesKey(true, true), begun, called("name")))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.CreateObject(with(aesKey(true, true), called("name")))
	wantCode(t, "a key in one step", err, ck.CKR_OK)
	_, err = s.CreateObject(with(aesKey(true, true), begun, called("name")))
	wantTaken(t, "a key that is begun", err)
	wantTaken(t, "the one that was", s.SetAttributes(first, final))
	wantCode(t, "under another name", s.SetAttributes(first, attr.Template{called("another"), final[0]}), ck.CKR_OK)

	third, err := s.CreateObject(with(aesKey(true, true), begun, called("name"), boolean(ck.CKA_NCRYPT_OVERWRITE, true)))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "in its place", s.SetAttributes(third, final), ck.CKR_OK)
	if n := len(found(t, s, called("name"))); n != 1 {
		t.Errorf("%d keys of the name", n)
	}
}

// Another process knows nothing of a key that is not final, and all of it once it is.
func TestUnfinishedKeysInOtherProcesses(t *testing.T) {
	_, _, inA, inB, _ := two(t)
	h, err := inA.CreateObject(with(aesKey(false, true), begun, called("name")))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(found(t, inB, called("name"))); n != 0 {
		t.Errorf("another process finds %d keys", n)
	}
	taken, err := inB.CreateObject(with(aesKey(false, true), called("name")))
	wantCode(t, "the name, in another process", err, ck.CKR_OK)
	wantTaken(t, "final", inA.SetAttributes(h, final))
	wantCode(t, "destroyed", inB.DestroyObject(taken), ck.CKR_OK)
	wantCode(t, "final", inA.SetAttributes(h, final), ck.CKR_OK)
	all := found(t, inB, called("name"))
	if len(all) != 1 {
		t.Fatalf("another process finds %d keys", len(all))
	}
	wantCode(t, "use, in another process", encrypting(inB, all[0]), ck.CKR_OK)
}
