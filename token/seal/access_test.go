package seal_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token/seal"
)

func TestPermits(t *testing.T) {
	owner, group, other := seal.Principal{Kind: seal.User, ID: 33}, seal.Principal{Kind: seal.Group, ID: 33}, seal.Principal{Kind: seal.User, ID: 34}
	root := seal.Principal{Kind: seal.User}
	for name, test := range map[string]struct {
		access seal.Access
		who    []seal.Principal
		want   bool
	}{
		"no owner":                    {seal.Access{}, []seal.Principal{other}, true},
		"the owner":                   {seal.Access{Owner: owner}, []seal.Principal{owner}, true},
		"another user":                {seal.Access{Owner: owner}, []seal.Principal{other}, false},
		"root is nobody special":      {seal.Access{Owner: owner}, []seal.Principal{root}, false},
		"a group of the same number":  {seal.Access{Owner: owner}, []seal.Principal{other, group}, false},
		"on the list":                 {seal.Access{Owner: owner, Machine: true, Allow: []seal.Principal{other}}, []seal.Principal{other}, true},
		"by a group":                  {seal.Access{Owner: owner, Machine: true, Allow: []seal.Principal{group}}, []seal.Principal{other, group}, true},
		"a list that does not count":  {seal.Access{Owner: owner, Allow: []seal.Principal{other}}, []seal.Principal{other}, false},
		"not on the list":             {seal.Access{Owner: owner, Machine: true, Allow: []seal.Principal{group}}, []seal.Principal{other}, false},
		"the owner of a shared token": {seal.Access{Owner: owner, Machine: true}, []seal.Principal{owner}, true},
		"nobody":                      {seal.Access{Owner: owner, Machine: true, Allow: []seal.Principal{other}}, nil, false},
	} {
		if got := test.access.Permits(test.who); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPrincipals(t *testing.T) {
	for _, text := range []string{"user:0", "user:33", "group:4294967295", "vm:3"} {
		if p, err := seal.ParsePrincipal(text); err != nil || p.String() != text {
			t.Errorf("%s: %v, %v", text, p, err)
		}
	}
	for _, text := range []string{"", "user", "user:", ":33", "unknown:33", "user:-1", "user:+1", "user:4294967296", "user:33 ", "user:alice", "user:1:2"} {
		if p, err := seal.ParsePrincipal(text); err == nil {
			t.Errorf("%q is %v", text, p)
		}
	}
}

func TestEmptyTerms(t *testing.T) {
	for want, list := range map[bool][]*seal.Terms{
		true:  {nil, {}},
		false: {{PerBoot: true}, {Access: seal.Access{Machine: true}}, {Access: seal.Access{Owner: seal.Principal{Kind: seal.User}}}, {Access: seal.Access{Allow: []seal.Principal{{}}}}},
	} {
		for _, terms := range list {
			if terms.Empty() != want {
				t.Errorf("%+v", terms)
			}
		}
	}
}
