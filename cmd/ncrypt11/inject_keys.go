package main

import (
	"fmt"
	"slices"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// keysFor finds the keys that a suite takes among those that are named, in the order in which it takes them.
func (s *session) keysFor(suite inject.Suite, names []string) ([]ck.ObjectHandle, error) {
	if len(names) == 0 {
		return nil, nil
	}
	byType, err := s.privateByType(names)
	if err != nil {
		return nil, err
	}
	var handles []ck.ObjectHandle
	for _, role := range suite.Roles() {
		h, ok := byType[role.KeyType]
		if !ok {
			return nil, fmt.Errorf("%s takes a key of type %v (%s), and --key names none", suite, role.KeyType, role.Name)
		}
		handles = append(handles, h)
	}
	return handles, nil
}

// privateByType finds the private keys that labels or URIs name.
func (s *session) privateByType(names []string) (map[ck.KeyType]ck.ObjectHandle, error) {
	all, err := s.find(attr.Template{{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PRIVATE_KEY))}})
	if err != nil {
		return nil, err
	}
	keys, err := s.objects(all)
	if err != nil {
		return nil, err
	}
	byType := map[ck.KeyType]ck.ObjectHandle{}
	for _, name := range names {
		found := slices.DeleteFunc(slices.Clone(keys), func(o *object) bool { return !o.called(name) })
		if len(found) == 0 {
			return nil, fmt.Errorf("token %s has no private key %q; see: ncrypt11 list --login", s.token.name(), shownName(name))
		}
		for _, o := range found {
			set, err := s.attributes(o.handle, ck.CKA_KEY_TYPE)
			if err != nil {
				return nil, err
			}
			number, _ := set.ULong(ck.CKA_KEY_TYPE)
			if h, there := byType[ck.KeyType(number)]; there && h != o.handle {
				return nil, fmt.Errorf("--key names two keys of type %v; name one by its URI", ck.KeyType(number))
			}
			byType[ck.KeyType(number)] = o.handle
		}
	}
	return byType, nil
}
