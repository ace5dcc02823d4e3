package token_test

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// wrapping makes a key to wrap others under.
func wrapping(t *testing.T, s *token.Session) ck.ObjectHandle {
	t.Helper()
	h, err := s.CreateObject(with(aesKey(false, false), boolean(ck.CKA_WRAP, true), labelled("wrapping")))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func wrap(s *token.Session, by, key ck.ObjectHandle) error {
	_, err := s.WrapKey(ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP}, by, key, token.Output{Buf: make([]byte, 100)})
	return err
}

func archivesLeft(t *testing.T, s *token.Session, h ck.ObjectHandle) uint {
	t.Helper()
	left, err := attr.ParseULong(read(t, s, h, ck.CKA_NCRYPT_ARCHIVES_LEFT)[0])
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// wantPolicy compares the export policy.
func wantPolicy(t *testing.T, s *token.Session, h ck.ObjectHandle, want uint) {
	t.Helper()
	if policy := read(t, s, h, ck.CKA_NCRYPT_EXPORT_POLICY)[0]; !bytes.Equal(policy, attr.ULong(want)) {
		t.Errorf("the export policy is %v, want %#x", policy, want)
	}
}

// A key that may be archived leaves once, through the session that made it, however it was made.
func TestArchivingOnce(t *testing.T) {
	for name, make := range map[string]func(s *token.Session) (ck.ObjectHandle, error){
		"created": func(s *token.Session) (ck.ObjectHandle, error) {
			return s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4)))
		},
		"for the session": func(s *token.Session) (ck.ObjectHandle, error) {
			return s.CreateObject(with(aesKey(true, false), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4)))
		},
		"generated": func(s *token.Session) (ck.ObjectHandle, error) {
			return s.GenerateKey(ck.Mechanism{Type: ck.CKM_AES_KEY_GEN}, attr.Template{
				ulong(ck.CKA_VALUE_LEN, 16), boolean(ck.CKA_TOKEN, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4)})
		},
		"in two steps": func(s *token.Session) (ck.ObjectHandle, error) {
			h, err := s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4), begun))
			if err == nil {
				wantPolicy(t, s, h, 4)
				err = s.SetAttributes(h, final)
			}
			return h, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, s := userSession(t)
			other := session(t, p, s.Info().SlotID)
			by := wrapping(t, s)
			h, err := make(s)
			if err != nil {
				t.Fatal(err)
			}
			wantPolicy(t, s, h, 4)
			wantPolicy(t, other, h, 0)
			if read(t, s, h, ck.CKA_VALUE)[0] != nil {
				t.Error("the value is shown")
			}
			wantCode(t, "another session", wrap(other, by, h), ck.CKR_KEY_UNEXTRACTABLE)
			for what, out := range map[string]token.Output{"length": {Null: true}, "short": {Buf: nil}} {
				if _, err := s.WrapKey(ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP}, by, h, out); err != nil && ck.Code(err) != ck.CKR_BUFFER_TOO_SMALL {
					t.Errorf("%s: %v", what, err)
				}
				if archivesLeft(t, s, h) != 1 {
					t.Errorf("%s: nothing is left to archive", what)
				}
			}
			wantCode(t, "once", wrap(s, by, h), ck.CKR_OK)
			wantCode(t, "twice", wrap(s, by, h), ck.CKR_KEY_UNEXTRACTABLE)
			wantPolicy(t, s, h, 0)
			if archivesLeft(t, s, h) != 0 {
				t.Error("something is left to archive")
			}
		})
	}
}

// Plaintext archiving shows the secret once, and a look at its length is none.
func TestPlaintextArchiving(t *testing.T) {
	_, s := userSession(t)
	h, err := s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 8)))
	if err != nil {
		t.Fatal(err)
	}
	values := read(t, s, h, ck.CKA_SENSITIVE, ck.CKA_EXTRACTABLE)
	if !bytes.Equal(values[0], attr.Bool(true)) || !bytes.Equal(values[1], attr.Bool(false)) {
		t.Errorf("sensitive, extractable: %v", values)
	}
	readings := []token.Reading{{Type: ck.CKA_VALUE}}
	wantCode(t, "a length", s.GetAttributes(h, readings, func() { readings[0].Untaken = true }), ck.CKR_OK)
	if value := read(t, s, h, ck.CKA_VALUE)[0]; !bytes.Equal(value, make([]byte, 16)) {
		t.Errorf("the value is %x", value)
	}
	if read(t, s, h, ck.CKA_VALUE)[0] != nil {
		t.Error("the value is shown twice")
	}
}

// What may be archived can be given up, ends with the session, and cannot be asked for later.
func TestArchivingEnds(t *testing.T) {
	p, s := userSession(t)
	other := session(t, p, s.Info().SlotID)
	by := wrapping(t, s)
	archivable := func(in *token.Session) ck.ObjectHandle {
		h, err := in.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 12)))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	h := archivable(s)
	wantCode(t, "less", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4)}), ck.CKR_OK)
	if read(t, s, h, ck.CKA_VALUE)[0] != nil {
		t.Error("the value is shown")
	}
	wantCode(t, "nothing", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 0)}), ck.CKR_OK)
	wantCode(t, "after that", wrap(s, by, h), ck.CKR_KEY_UNEXTRACTABLE)
	wantCode(t, "again", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4)}), ck.CKR_ATTRIBUTE_READ_ONLY)
	h = archivable(other)
	wantCode(t, "close", other.Close(), ck.CKR_OK)
	wantCode(t, "another session", wrap(s, by, h), ck.CKR_KEY_UNEXTRACTABLE)
	if archivesLeft(t, s, h) != 0 {
		t.Error("something is left to archive")
	}
	_, err := s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4), ulong(ck.CKA_NCRYPT_PROTECTION, 2)))
	wantCode(t, "a key that must be isolated", err, ck.CKR_TEMPLATE_INCONSISTENT)
}

// Policy 0x10 lets a key out by CKM_RSA_AES_KEY_WRAP and not otherwise, and cannot be widened.
func TestPolicyOfOneMechanism(t *testing.T) {
	_, s := userSession(t)
	by := wrapping(t, s)
	public, _, err := s.GenerateKeyPair(ck.Mechanism{Type: ck.CKM_RSA_PKCS_KEY_PAIR_GEN}, attr.Template{ulong(ck.CKA_MODULUS_BITS, 2048), boolean(ck.CKA_WRAP, true)}, attr.Template{})
	if err != nil {
		t.Fatal(err)
	}
	oaep := ck.OAEPParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, Source: ck.CKZ_DATA_SPECIFIED}
	h, err := s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 0x10)))
	if err != nil {
		t.Fatal(err)
	}
	wantPolicy(t, s, h, 0x10)
	for _, test := range []struct {
		mechanism ck.Mechanism
		by        ck.ObjectHandle
		want      ck.RV
	}{
		{ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP}, by, ck.CKR_KEY_NOT_WRAPPABLE},
		{ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP_KWP}, by, ck.CKR_KEY_NOT_WRAPPABLE},
		{ck.Mechanism{Type: ck.CKM_AES_CBC_PAD, Params: ck.RawParams(make([]byte, 16))}, by, ck.CKR_KEY_NOT_WRAPPABLE},
		{ck.Mechanism{Type: ck.CKM_RSA_PKCS_OAEP, Params: oaep}, public, ck.CKR_KEY_NOT_WRAPPABLE},
		{ck.Mechanism{Type: ck.CKM_RSA_PKCS}, public, ck.CKR_KEY_NOT_WRAPPABLE},
		{ck.Mechanism{Type: ck.CKM_RSA_AES_KEY_WRAP, Params: ck.RSAAESParams{AESBits: 256, OAEP: oaep}}, public, ck.CKR_OK},
	} {
		_, err := s.WrapKey(test.mechanism, test.by, h, token.Output{Buf: make([]byte, 1000)})
		wantCode(t, test.mechanism.Type.String(), err, test.want)
	}
	wantCode(t, "more", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 1)}), ck.CKR_ATTRIBUTE_READ_ONLY)
	wantCode(t, "another change", s.SetAttributes(h, attr.Template{labelled("other")}), ck.CKR_OK)
	wantPolicy(t, s, h, 0x10)
	_, err = s.CopyObject(h, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 1)})
	wantCode(t, "a copy that may more", err, ck.CKR_ATTRIBUTE_READ_ONLY)
	copied, err := s.CopyObject(h, attr.Template{boolean(ck.CKA_TOKEN, false)})
	if err != nil {
		t.Fatal(err)
	}
	wantPolicy(t, s, copied, 0x10)
	wide, err := s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 1)))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "less", s.SetAttributes(wide, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 0x10)}), ck.CKR_OK)
	wantCode(t, "after that", wrap(s, by, wide), ck.CKR_KEY_NOT_WRAPPABLE)
}

// What may be archived goes with the login, and with the key where another process destroys it; no other process has it.
func TestArchivesEndWithLoginAndKey(t *testing.T) {
	_, s := userSession(t)
	by := wrapping(t, s)
	if _, err := s.CreateObject(with(aesKey(true, true), labelled("once"), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4))); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "logout", s.Logout(), ck.CKR_OK)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	wantCode(t, "after another login", wrap(s, by, found(t, s, labelled("once"))[0]), ck.CKR_KEY_UNEXTRACTABLE)

	_, _, inA, inB, _ := two(t)
	by = wrapping(t, inB)
	h, err := inA.CreateObject(with(aesKey(false, true), labelled("once"), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4)))
	if err != nil {
		t.Fatal(err)
	}
	there := found(t, inB, labelled("once"))[0]
	wantPolicy(t, inB, there, 0)
	wantCode(t, "in another process", wrap(inB, by, there), ck.CKR_KEY_UNEXTRACTABLE)
	wantCode(t, "destroyed", inB.DestroyObject(there), ck.CKR_OK)
	wantCode(t, "after that", wrap(inA, wrapping(t, inA), h), ck.CKR_KEY_HANDLE_INVALID)
}
