package token_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// openNamed makes a provider with a token whose names are unique, and opens a session.
func openNamed(t *testing.T, home string) (*token.Provider, *token.Session) {
	t.Helper()
	p := provider(t, home)
	t.Cleanup(p.Close)
	slot, err := p.Create(&token.Spec{Label: "named", Policy: store.PolicySoftware, NoLogin: true, UniqueNames: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, session(t, p, slot)
}

// with is a template with some attributes in place of its own.
func with(tmpl attr.Template, changes ...attr.Attribute) attr.Template {
	out := append(attr.Template{}, changes...)
	for _, a := range tmpl {
		if _, changed := attr.Template(changes).Find(a.Type); !changed {
			out = append(out, a)
		}
	}
	return out
}

func labelled(name string) attr.Attribute {
	return attr.Attribute{Type: ck.CKA_LABEL, Value: []byte(name)}
}

func called(name string) attr.Attribute {
	return attr.Attribute{Type: ck.CKA_NCRYPT_KEY_NAME, Value: []byte(name)}
}

var overwrite = attr.Attribute{Type: ck.CKA_NCRYPT_OVERWRITE, Value: attr.Bool(true)}

// wantTaken fails where a name was not refused as taken.
func wantTaken(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, token.ErrNameTaken) {
		t.Errorf("%s: %v", what, err)
	}
	wantCode(t, what, err, ck.CKR_TEMPLATE_INCONSISTENT)
}

func found(t *testing.T, s *token.Session, tmpl ...attr.Attribute) []ck.ObjectHandle {
	t.Helper()
	if err := s.FindObjectsInit(tmpl); err != nil {
		t.Fatal(err)
	}
	all, err := s.FindObjects(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "final", s.FindObjectsFinal(), ck.CKR_OK)
	return all
}

func TestUniqueNames(t *testing.T) {
	_, s := openNamed(t, t.TempDir())
	key := aesKey(true, true)
	if _, err := s.CreateObject(with(key, labelled("Web"))); err != nil {
		t.Fatal(err)
	}
	_, err := s.CreateObject(with(key, labelled("wEB")))
	wantTaken(t, "the label again, in other letters", err)
	_, err = s.CreateObject(with(key, labelled("other"), called("web")))
	wantTaken(t, "the name under another label", err)
	_, err = s.CreateObject(with(aesKey(true, false), labelled("Web")))
	wantCode(t, "a session key has no name", err, ck.CKR_OK)
	_, err = s.CreateObject(with(aesKey(true, false), called("x")))
	wantCode(t, "a session key with a name", err, ck.CKR_TEMPLATE_INCONSISTENT)
	_, err = s.CreateObject(with(key, called("")))
	wantCode(t, "an empty name", err, ck.CKR_ATTRIBUTE_VALUE_INVALID)
	for range 2 {
		_, err = s.CreateObject(with(key, labelled("")))
		wantCode(t, "keys without a label have no name", err, ck.CKR_OK)
	}
	if n := len(found(t, s, attr.Attribute{Type: ck.CKA_TOKEN, Value: attr.Bool(true)}, attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))})); n != 3 {
		t.Errorf("%d keys, want 3", n)
	}
	web := found(t, s, called("Web"))
	if len(web) != 1 {
		t.Fatalf("%d keys are called Web", len(web))
	}
	wantCode(t, "renaming", s.SetAttributes(web[0], attr.Template{called("else")}), ck.CKR_ATTRIBUTE_READ_ONLY)
	wantCode(t, "another label", s.SetAttributes(web[0], attr.Template{labelled("else")}), ck.CKR_OK)
	_, err = s.CreateObject(with(key, labelled("web")))
	wantTaken(t, "the name stays when the label goes", err)
	wantCode(t, "destroy", s.DestroyObject(web[0]), ck.CKR_OK)
	_, err = s.CreateObject(with(key, labelled("web")))
	wantCode(t, "the name of a key that is gone", err, ck.CKR_OK)
}

// A name that a template gives is unique on every token; labels are only where the token was made so.
func TestNamesOnOtherTokens(t *testing.T) {
	_, s := open(t)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	for range 2 {
		_, err := s.CreateObject(aesKey(true, true))
		wantCode(t, "the same label twice", err, ck.CKR_OK)
	}
	_, err := s.CreateObject(with(aesKey(true, true), labelled(""), called("n")))
	wantCode(t, "a name", err, ck.CKR_OK)
	if n := len(found(t, s, labelled("n"))); n != 1 {
		t.Errorf("%d keys show their name as their label", n)
	}
	_, err = s.CreateObject(with(aesKey(true, true), called("N")))
	wantTaken(t, "the name twice", err)
	wantCode(t, "logout", s.Logout(), ck.CKR_OK)
	_, err = s.CreateObject(with(aesKey(false, true), called("n"), overwrite))
	wantCode(t, "taking a private key's name without a login", err, ck.CKR_USER_NOT_LOGGED_IN)
}

func TestOverwrite(t *testing.T) {
	_, s := openNamed(t, t.TempDir())
	pair := func(extra ...attr.Attribute) error {
		common := attr.Template{{Type: ck.CKA_TOKEN, Value: attr.Bool(true)}, labelled("pair"), {Type: ck.CKA_ID, Value: []byte{7}}}
		p256 := []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}
		_, _, err := s.GenerateKeyPair(ck.Mechanism{Type: ck.CKM_EC_KEY_PAIR_GEN}, with(common, attr.Attribute{Type: ck.CKA_EC_PARAMS, Value: p256}), with(common, extra...))
		return err
	}
	wantCode(t, "a pair", pair(), ck.CKR_OK)
	first := found(t, s, labelled("pair"))
	wantTaken(t, "again", pair())
	wantCode(t, "in its place", pair(overwrite), ck.CKR_OK)
	for _, half := range first {
		_, err := s.ObjectSize(half)
		wantCode(t, "a half of the old pair", err, ck.CKR_OBJECT_HANDLE_INVALID)
	}
	if n := len(found(t, s, labelled("pair"))); n != 2 {
		t.Errorf("%d halves, want 2", n)
	}
	wantCode(t, "one that may not be destroyed", pair(overwrite, attr.Attribute{Type: ck.CKA_DESTROYABLE, Value: attr.Bool(false)}), ck.CKR_OK)
	wantCode(t, "overwriting that", pair(overwrite), ck.CKR_ACTION_PROHIBITED)
}

// Several programs make, overwrite and destroy keys of one name: there is always one, or none.
func TestRacingForAName(t *testing.T) {
	home := t.TempDir()
	_, s := openNamed(t, home)
	var racers sync.WaitGroup
	for i := range 4 {
		p := provider(t, home)
		t.Cleanup(p.Close)
		mine := session(t, p, s.Info().SlotID)
		racers.Go(func() { race(t, mine, i) })
	}
	racers.Wait()
	if n := len(found(t, s, labelled("name"))); n > 1 {
		t.Errorf("%d keys of one name", n)
	}
}

func race(t *testing.T, s *token.Session, seed int) {
	template := with(aesKey(true, true), labelled("name"))
	for i := range 60 {
		var err error
		switch what := (i*7 + seed) % 4; what {
		case 0:
			_, err = s.CreateObject(template)
		case 1:
			_, err = s.CreateObject(with(template, overwrite))
		case 2:
			for _, h := range found(t, s, labelled("name")) {
				err = s.DestroyObject(h)
			}
		case 3:
			err = inTwoSteps(s, with(template, overwrite, begun))
		}
		switch ck.Code(err) {
		case ck.CKR_OK, ck.CKR_OBJECT_HANDLE_INVALID:
		default:
			if !errors.Is(err, token.ErrNameTaken) {
				t.Error(fmt.Errorf("step %d: %w", i, err))
			}
		}
		if n := len(found(t, s, labelled("name"))); n > 1 {
			t.Errorf("%d keys of one name", n)
		}
	}
}

// inTwoSteps makes a key that overwrites when it becomes final, or does not and then is no more.
func inTwoSteps(s *token.Session, begun attr.Template) error {
	h, err := s.CreateObject(begun)
	if err != nil {
		return err
	}
	if err = s.SetAttributes(h, attr.Template{boolean(ck.CKA_NCRYPT_OVERWRITE, false), final[0]}); err == nil {
		return nil
	}
	if again := s.SetAttributes(h, attr.Template{boolean(ck.CKA_NCRYPT_OVERWRITE, true), final[0]}); again != nil {
		return errors.Join(again, s.DestroyObject(h))
	}
	if !errors.Is(err, token.ErrNameTaken) {
		return err
	}
	return nil
}
