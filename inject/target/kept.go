package target

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// find gives all objects that match.
func find(s *token.Session, t attr.Template) ([]ck.ObjectHandle, error) {
	if err := s.FindObjectsInit(t); err != nil {
		return nil, err
	}
	var all []ck.ObjectHandle
	for {
		more, err := s.FindObjects(1 << 10)
		if err != nil || len(more) == 0 {
			return all, firstOf(err, s.FindObjectsFinal())
		}
		all = append(all, more...)
	}
}

func firstOf(errs ...error) error {
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}

// remember keeps a target in its token.
func remember(s *token.Session, t *inject.Target) error {
	file, err := t.Encode()
	if err != nil {
		return err
	}
	_, err = s.CreateObject(keeping(applicationTarget, t.ID, file))
	return err
}

// List gives the targets that a token has made and not done with, for a session whose user is logged in.
func List(s *token.Session) ([]*inject.Target, error) {
	handles, err := find(s, noted(applicationTarget))
	if err != nil {
		return nil, err
	}
	var all []*inject.Target
	for _, h := range handles {
		t, err := recall(s, h)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// recall reads a target that was kept.
func recall(s *token.Session, h ck.ObjectHandle) (*inject.Target, error) {
	readings := []token.Reading{{Type: ck.CKA_VALUE}}
	var file []byte
	if err := s.GetAttributes(h, readings, func() { file = bytes.Clone(readings[0].Value) }); err != nil {
		return nil, err
	}
	t, err := inject.ParseTarget(file)
	if err != nil {
		return nil, fmt.Errorf("a target that the token keeps: %w", err)
	}
	return t, nil
}

// private finds the private key of one of a target's roles.
func private(t *inject.Target, role int) attr.Template {
	return attr.Template{
		number(ck.CKA_CLASS, uint(ck.CKO_PRIVATE_KEY)), number(ck.CKA_KEY_TYPE, uint(t.Suite.Roles()[role].KeyType)),
		{Type: ck.CKA_PUBLIC_KEY_INFO, Value: t.Stated.Keys[role].Public},
	}
}

// keysOf finds a target's private keys, in the order of its roles.
func keysOf(s *token.Session, t *inject.Target) (keys []ck.ObjectHandle, err error) {
	for i, role := range t.Suite.Roles() {
		found, err := find(s, private(t, i))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("the package is %w: that target's %s key is not there any more", inject.ErrOtherTarget, role.Name)
		}
		keys = append(keys, found[0])
	}
	return keys, nil
}

// ownOf finds those of a target's keys that Make made. Its id alone does not tell: a package may have brought a key of that id.
func ownOf(s *token.Session, t *inject.Target) (own []ck.ObjectHandle, err error) {
	for i := range t.Suite.Roles() {
		found, err := find(s, append(private(t, i), attr.Attribute{Type: ck.CKA_ID, Value: t.ID[:]}))
		if err != nil {
			return nil, err
		}
		own = append(own, found...)
	}
	return own, nil
}
