package token_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// begin makes a key that is not final.
func begin(t *testing.T, s *token.Session, more ...attr.Attribute) ck.ObjectHandle {
	t.Helper()
	h, err := s.CreateObject(with(aesKey(true, true), append(more, begun)...))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// beginPair makes a pair that is not final.
func beginPair(t *testing.T, s *token.Session, label attr.Attribute) (public, private ck.ObjectHandle) {
	t.Helper()
	kept := boolean(ck.CKA_TOKEN, true)
	p256 := attr.Attribute{Type: ck.CKA_EC_PARAMS, Value: []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}}
	public, private, err := s.GenerateKeyPair(ck.Mechanism{Type: ck.CKM_EC_KEY_PAIR_GEN}, attr.Template{p256, label, kept}, attr.Template{begun, label, kept})
	if err != nil {
		t.Fatal(err)
	}
	return public, private
}

// Neither half of a pair becomes final without the other, whichever is asked.
func TestHalvesAreFinalTogether(t *testing.T) {
	p, s := userSession(t)
	other := session(t, p, s.Info().SlotID)
	public, private := beginPair(t, s, labelled("pair"))
	wantCode(t, "the public half alone", s.SetAttributes(public, final), ck.CKR_ATTRIBUTE_READ_ONLY)
	if n := len(found(t, other, labelled("pair"))); n != 0 {
		t.Errorf("another session sees %d halves", n)
	}
	wantCode(t, "the public half's identity", s.SetAttributes(public, attr.Template{{Type: ck.CKA_ID, Value: []byte{1}}}), ck.CKR_OK)
	wantCode(t, "the pair", s.SetAttributes(private, final), ck.CKR_OK)
	if n := len(found(t, other, labelled("pair"))); n != 2 {
		t.Errorf("another session sees %d halves", n)
	}
}

// What a logout takes of a pair that is not final, it takes whole.
func TestLogoutEndsBothHalves(t *testing.T) {
	_, s := userSession(t)
	public, _ := beginPair(t, s, labelled("pair"))
	wantCode(t, "logout", s.Logout(), ck.CKR_OK)
	_, err := s.ObjectSize(public)
	wantCode(t, "the public half", err, ck.CKR_OBJECT_HANDLE_INVALID)
}

// That a key must be isolated, or dies with the boot, is refused to one that may be archived, whenever it is said.
func TestArchivingEndsWhereIsolationBegins(t *testing.T) {
	_, s := userSession(t)
	h := begin(t, s, ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4))
	wantCode(t, "required", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_PROTECTION, 2)}), ck.CKR_TEMPLATE_INCONSISTENT)
	wantCode(t, "per boot", s.SetAttributes(h, attr.Template{boolean(ck.CKA_NCRYPT_PER_BOOT, true)}), ck.CKR_TEMPLATE_INCONSISTENT)
	wantCode(t, "required, and final", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_PROTECTION, 2), final[0]}), ck.CKR_TEMPLATE_INCONSISTENT)
	wantCode(t, "preferred", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_PROTECTION, 1)}), ck.CKR_OK)
	wantCode(t, "final", s.SetAttributes(h, final), ck.CKR_OK)
}

// Policy 0x10 is not widened before the key is final, whether it may be archived or not.
func TestPolicyOfOneMechanismInTwoSteps(t *testing.T) {
	_, s := userSession(t)
	for _, policy := range []uint{0x10, 0x14} {
		h := begin(t, s, ulong(ck.CKA_NCRYPT_EXPORT_POLICY, policy))
		wantCode(t, "wider", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 1)}), ck.CKR_ATTRIBUTE_READ_ONLY)
		wantCode(t, "wider, and final", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 1), final[0]}), ck.CKR_ATTRIBUTE_READ_ONLY)
		wantCode(t, "final", s.SetAttributes(h, final), ck.CKR_OK)
		wantPolicy(t, s, h, policy)
	}
}

// CKA_WRAP_WITH_TRUSTED holds for what may be archived, too, whenever it is said.
func TestArchivesUnderTrustedKeys(t *testing.T) {
	_, s := userSession(t)
	by := wrapping(t, s)
	trusted := boolean(ck.CKA_WRAP_WITH_TRUSTED, true)
	for name, make := range map[string]func() (ck.ObjectHandle, error){
		"made so": func() (ck.ObjectHandle, error) {
			return s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4), trusted))
		},
		"before it is final": func() (ck.ObjectHandle, error) {
			h := begin(t, s, ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4))
			return h, s.SetAttributes(h, attr.Template{trusted, final[0]})
		},
		"later": func() (ck.ObjectHandle, error) {
			h, err := s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4)))
			if err != nil {
				return 0, err
			}
			return h, s.SetAttributes(h, attr.Template{trusted})
		},
	} {
		h, err := make()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantCode(t, name, wrap(s, by, h), ck.CKR_KEY_NOT_WRAPPABLE)
		if archivesLeft(t, s, h) != 1 {
			t.Errorf("%s: what did not leave counts as archived", name)
		}
	}
}

// CKA_MODIFIABLE FALSE leaves a key as it is, and lets it become final.
func TestFinalWithoutAChange(t *testing.T) {
	_, s := userSession(t)
	h := begin(t, s, boolean(ck.CKA_MODIFIABLE, false))
	wantCode(t, "a change", s.SetAttributes(h, attr.Template{labelled("other"), final[0]}), ck.CKR_ACTION_PROHIBITED)
	wantCode(t, "final", s.SetAttributes(h, final), ck.CKR_OK)
	wantCode(t, "use", encrypting(s, h), ck.CKR_OK)
}

// The usage that was said last is the key's.
func TestUsageSaidAnew(t *testing.T) {
	_, s := userSession(t)
	for _, said := range [][]uint{{2, 0x00ffffff}, {0x20, 8}, {0x20, 0x28}, {8, 0x20}, {0x20, 1}, {0x20, 0x00ffffff}, {1, 2}} {
		h, err := s.CreateObject(append(slices.Delete(aesKey(true, true), 3, 4), begun, ulong(ck.CKA_NCRYPT_KEY_USAGE, said[0])))
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, "anew", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_KEY_USAGE, said[1])}), ck.CKR_OK)
		wantCode(t, "final", s.SetAttributes(h, final), ck.CKR_OK)
		want := said[1]
		if want == 0x28 {
			want = 8 // who opens keys that are kept opens those of a session
		}
		if usage := read(t, s, h, ck.CKA_NCRYPT_KEY_USAGE)[0]; !bytes.Equal(usage, attr.ULong(want)) {
			t.Errorf("first %#x, then %#x: it is %v", said[0], said[1], usage)
		}
	}
}

// A key that was allowed to leave once was not inside always, and nothing says that it was.
func TestArchivedKeysWereOutside(t *testing.T) {
	_, s := userSession(t)
	generate := func(policy uint, more ...attr.Attribute) ck.ObjectHandle {
		h, err := s.GenerateKey(ck.Mechanism{Type: ck.CKM_AES_KEY_GEN}, append(attr.Template{
			ulong(ck.CKA_VALUE_LEN, 16), boolean(ck.CKA_TOKEN, true), boolean(ck.CKA_SENSITIVE, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, policy)}, more...))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for policy, want := range map[uint][2]bool{0: {true, true}, 4: {true, false}, 8: {false, false}, 12: {false, false}} {
		inSteps := generate(policy, begun)
		wantCode(t, "final", s.SetAttributes(inSteps, final), ck.CKR_OK)
		for _, h := range []ck.ObjectHandle{generate(policy), inSteps} {
			values := read(t, s, h, ck.CKA_ALWAYS_SENSITIVE, ck.CKA_NEVER_EXTRACTABLE)
			if !bytes.Equal(values[0], attr.Bool(want[0])) || !bytes.Equal(values[1], attr.Bool(want[1])) {
				t.Errorf("policy %d: always sensitive, never extractable: %v", policy, values)
			}
		}
	}
}

// A confining key is made in two steps like others.
func TestConfiningKeyInTwoSteps(t *testing.T) {
	var gone bool
	s := loggedIn(t, &gone)
	h, err := s.CreateObject(append(slices.Delete(aesKey(true, false), 3, 4), begun, boolean(ck.CKA_NCRYPT_CONFINING, true), boolean(ck.CKA_EXTRACTABLE, false),
		boolean(ck.CKA_SENSITIVE, true), boolean(ck.CKA_ENCRYPT, false), boolean(ck.CKA_DECRYPT, false), boolean(ck.CKA_SIGN, false), boolean(ck.CKA_VERIFY, false),
		boolean(ck.CKA_WRAP, false), boolean(ck.CKA_UNWRAP, true)))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "final", s.SetAttributes(h, final), ck.CKR_OK)
}

// CKA_NCRYPT_STATE is said once in a template.
func TestFinalSaidTwice(t *testing.T) {
	_, s := userSession(t)
	h := begin(t, s)
	wantCode(t, "twice", s.SetAttributes(h, attr.Template{final[0], final[0]}), ck.CKR_TEMPLATE_INCONSISTENT)
	wantCode(t, "once", s.SetAttributes(h, final), ck.CKR_OK)
}

// What may be archived is lost with the guard that had it, and the key that is kept is not.
func TestArchivesAreLostOnce(t *testing.T) {
	var gone bool
	s := loggedIn(t, &gone)
	by := wrapping(t, s)
	h, err := s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 4)))
	if err != nil {
		t.Fatal(err)
	}
	gone = true
	wantCode(t, "archive", wrap(s, by, h), ck.CKR_DEVICE_ERROR)
	gone = false
	if archivesLeft(t, s, h) != 0 {
		t.Error("something is left to archive")
	}
	wantCode(t, "after that", wrap(s, by, h), ck.CKR_KEY_UNEXTRACTABLE)
	wantCode(t, "use", encrypting(s, h), ck.CKR_OK)
}

// A policy shrinks to none, whatever it was, in either step.
func TestPolicyShrinksToNone(t *testing.T) {
	_, s := userSession(t)
	for _, policy := range []uint{1, 3, 0x10, 0x14} {
		h := begin(t, s, ulong(ck.CKA_NCRYPT_EXPORT_POLICY, policy))
		wantCode(t, "final, and none", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 0), final[0]}), ck.CKR_OK)
		wantPolicy(t, s, h, 0)
		h, err := s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, policy)))
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, "none", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 0)}), ck.CKR_OK)
		wantPolicy(t, s, h, 0)
		wantCode(t, "after that", wrap(s, wrapping(t, s), h), ck.CKR_KEY_UNEXTRACTABLE)
	}
}

// Beside policy 0x10, archiving lets a key out once by any mechanism.
func TestArchivingBesideOneMechanism(t *testing.T) {
	_, s := userSession(t)
	h, err := s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 0x14)))
	if err != nil {
		t.Fatal(err)
	}
	by := wrapping(t, s)
	wantCode(t, "once", wrap(s, by, h), ck.CKR_OK)
	wantCode(t, "twice", wrap(s, by, h), ck.CKR_KEY_NOT_WRAPPABLE)
	wantPolicy(t, s, h, 0x10)
}

// What an unwrapping key demands of those that come out of it holds in both steps.
func TestDemandsInTwoSteps(t *testing.T) {
	_, s := userSession(t)
	by, err := s.CreateObject(with(slices.Delete(aesKey(true, true), 3, 4), ulong(ck.CKA_NCRYPT_KEY_USAGE, 0x20), boolean(ck.CKA_PRIVATE, false), labelled("imports")))
	if err != nil {
		t.Fatal(err)
	}
	open, err := s.CreateObject(with(aesKey(false, false), boolean(ck.CKA_EXTRACTABLE, true), boolean(ck.CKA_SENSITIVE, true)))
	if err != nil {
		t.Fatal(err)
	}
	wrapped := make([]byte, 24)
	if _, err := s.WrapKey(ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP}, by, open, token.Output{Buf: wrapped}); err != nil {
		t.Fatal(err)
	}
	aes := attr.Template{ulong(ck.CKA_CLASS, uint(ck.CKO_SECRET_KEY)), ulong(ck.CKA_KEY_TYPE, uint(ck.CKK_AES))}
	kept := boolean(ck.CKA_TOKEN, true)
	_, err = s.UnwrapKey(ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP}, by, wrapped, append(slices.Clone(aes), kept))
	wantCode(t, "kept", err, ck.CKR_TEMPLATE_INCONSISTENT)
	h, err := s.UnwrapKey(ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP}, by, wrapped, append(slices.Clone(aes), begun))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "kept in two steps", s.SetAttributes(h, attr.Template{kept}), ck.CKR_TEMPLATE_INCONSISTENT)
	wantCode(t, "kept in one of them", s.SetAttributes(h, attr.Template{kept, final[0]}), ck.CKR_TEMPLATE_INCONSISTENT)
	wantCode(t, "for the session", s.SetAttributes(h, final), ck.CKR_OK)
}

// CKA_NCRYPT_EXPORT_POLICY and CKA_NCRYPT_KEY_USAGE mean the same for keys that are encapsulated.
func TestPolicyOfEncapsulatedKeys(t *testing.T) {
	_, s := userSession(t)
	public, private, err := s.GenerateKeyPair(ck.Mechanism{Type: ck.CKM_ML_KEM_KEY_PAIR_GEN}, attr.Template{ulong(ck.CKA_PARAMETER_SET, ck.CKP_ML_KEM_768)}, attr.Template{})
	if err != nil {
		t.Fatal(err)
	}
	tmpl := attr.Template{ulong(ck.CKA_KEY_TYPE, uint(ck.CKK_AES)), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 0), ulong(ck.CKA_NCRYPT_KEY_USAGE, 1)}
	ciphertext := make([]byte, 1088)
	_, there, err := s.EncapsulateKey(ck.Mechanism{Type: ck.CKM_ML_KEM}, public, tmpl, token.Output{Buf: ciphertext})
	if err != nil {
		t.Fatal(err)
	}
	here, err := s.DecapsulateKey(ck.Mechanism{Type: ck.CKM_ML_KEM}, private, tmpl, ciphertext)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []ck.ObjectHandle{there, here} {
		wantPolicy(t, s, h, 0)
		if sign := read(t, s, h, ck.CKA_SIGN)[0]; !bytes.Equal(sign, attr.Bool(false)) {
			t.Error("the usage was not taken")
		}
	}
	tmpl[1] = ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 0x100)
	_, err = s.DecapsulateKey(ck.Mechanism{Type: ck.CKM_ML_KEM}, private, tmpl, ciphertext)
	wantCode(t, "unknown bits", err, ck.CKR_ATTRIBUTE_VALUE_INVALID)
}

// Where labels are names, the label that was said last is the name, and a key that is not kept has none.
func TestLabelsSaidAnewAreNames(t *testing.T) {
	_, s := openNamed(t, t.TempDir())
	h := begin(t, s, labelled("first"))
	wantCode(t, "another label", s.SetAttributes(h, attr.Template{labelled("second")}), ck.CKR_OK)
	if name := read(t, s, h, ck.CKA_NCRYPT_KEY_NAME)[0]; string(name) != "second" {
		t.Errorf("the name is %q", name)
	}
	wantCode(t, "not kept", s.SetAttributes(h, attr.Template{boolean(ck.CKA_TOKEN, false), final[0]}), ck.CKR_OK)
	h = begin(t, s, labelled("label"), called("name"))
	wantCode(t, "another label", s.SetAttributes(h, attr.Template{labelled("other"), final[0]}), ck.CKR_OK)
	if name := read(t, s, h, ck.CKA_NCRYPT_KEY_NAME)[0]; string(name) != "name" {
		t.Errorf("the name is %q", name)
	}
}

// A pair that is not final is lost whole with the guard that had its private half.
func TestUnfinishedPairsAreLostOnce(t *testing.T) {
	var gone bool
	s := loggedIn(t, &gone)
	public, private := beginPair(t, s, labelled("pair"))
	gone = true
	wantCode(t, "final", s.SetAttributes(private, final), ck.CKR_DEVICE_ERROR)
	gone = false
	for _, h := range []ck.ObjectHandle{public, private} {
		_, err := s.ObjectSize(h)
		wantCode(t, "after that", err, ck.CKR_OBJECT_HANDLE_INVALID)
	}
}
