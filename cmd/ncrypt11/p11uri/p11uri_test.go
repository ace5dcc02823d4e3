package p11uri_test

import (
	"maps"
	"testing"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/p11uri"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		uri         string
		path, query map[string]string
	}{
		{"pkcs11:", nil, nil},
		{"PKCS11:token=a", map[string]string{"token": "a"}, nil},
		// The examples of RFC 7512, section 3.
		{
			"pkcs11:object=my-pubkey;type=public",
			map[string]string{"object": "my-pubkey", "type": "public"}, nil,
		},
		{
			"pkcs11:object=my-key;type=private?pin-source=file:/etc/token",
			map[string]string{"object": "my-key", "type": "private"}, map[string]string{"pin-source": "file:/etc/token"},
		},
		{
			"pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-certificate;type=cert;" +
				"id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin",
			map[string]string{
				"token": "The Software PKCS#11 Softtoken", "manufacturer": "Snake Oil, Inc.", "model": "1.0", "object": "my-certificate",
				"type": "cert", "id": "\x69\x95\x3e\x5c\xf4\xbd\xec\x91", "serial": "",
			},
			map[string]string{"pin-source": "file:/etc/token_pin"},
		},
		{
			"pkcs11:object=my-sign-key;type=private?module-name=mypkcs11&pin-value=1234",
			map[string]string{"object": "my-sign-key", "type": "private"}, map[string]string{"module-name": "mypkcs11", "pin-value": "1234"},
		},
		{"pkcs11:token=A%20name%20with%20a%20substring%20%25%3B%3F", map[string]string{"token": "A name with a substring %;?"}, nil},
		{"pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1", map[string]string{"token": "Name with a small A with acute: á"}, nil},
		{"pkcs11:object=a&b", map[string]string{"object": "a&b"}, nil},
		{"pkcs11:object=a=b", map[string]string{"object": "a=b"}, nil},
		{"pkcs11:?v-size=7&pin-value=a%26b/?|", nil, map[string]string{"pin-value": "a&b/?|"}},
		{"pkcs11:slot-id=327", map[string]string{"slot-id": "327"}, nil},
		{"pkcs11:id=%ff%FF", map[string]string{"id": "\xff\xff"}, nil},
	} {
		u, err := p11uri.Parse(test.uri)
		if err != nil {
			t.Errorf("%s: %v", test.uri, err)
			continue
		}
		if !maps.Equal(u.Path, test.path) || !maps.Equal(u.Query, test.query) {
			t.Errorf("%s: %q, %q", test.uri, u.Path, u.Query)
		}
		again, err := p11uri.Parse(u.String())
		if err != nil || !maps.Equal(u.Path, again.Path) || !maps.Equal(u.Query, again.Query) {
			t.Errorf("%s: written as %s: %v", test.uri, u, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for uri, why := range map[string]string{
		"":                                "no scheme",
		"pkcs11":                          "no colon",
		"http://token=a":                  "another scheme",
		"pkcs11:token":                    "no value",
		"pkcs11:=a":                       "no name",
		"pkcs11:token=a;":                 "nothing after a semicolon",
		"pkcs11:;token=a":                 "nothing before a semicolon",
		"pkcs11:?":                        "an empty query",
		"pkcs11:token=a;token=a":          "twice",
		"pkcs11:?pin-value=1&pin-value=2": "twice, in the query",
		"pkcs11:colour=red":               "unknown in the path",
		"pkcs11:v-colour=red":             "a vendor's, in the path",
		"pkcs11:token=a b":                "a space",
		"pkcs11:token=a/b":                "a slash in the path",
		"pkcs11:token=a#b":                "a fragment",
		"pkcs11:token=á":                  "not encoded",
		"pkcs11:token=%":                  "a percent sign alone",
		"pkcs11:token=%4":                 "half an octet",
		"pkcs11:token=%4g":                "not hexadecimal",
		"pkcs11:token=%ff":                "not UTF-8",
		"pkcs11:type=key":                 "no such type",
		"pkcs11:slot-id=0x1":              "not a number",
		"pkcs11:slot-id=":                 "no number",
		"pkcs11:to ken=a":                 "a space in a name",
	} {
		if u, err := p11uri.Parse(uri); err == nil {
			t.Errorf("%s: %q is read as %q, %q", why, uri, u.Path, u.Query)
		}
	}
}

func TestString(t *testing.T) {
	u := &p11uri.URI{
		Path:  map[string]string{"type": "private", "object": "a;b/c d'$(x)", "id": "Az\x00", "token": "web", "not-ours": "x"},
		Query: map[string]string{"pin-value": "1&2"},
	}
	const want = "pkcs11:token=web;id=%41%7A%00;object=a%3Bb%2Fc%20d%27%24%28x%29;type=private?pin-value=1%262"
	if got := u.String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"pkcs11:", "pkcs11:token=web;id=%41;object=a%3Bb;type=private?pin-value=1", "PKCS11:serial=?v-x=1&v-x=2", "pkcs11:id=%ff%00;slot-id=1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := p11uri.Parse(s)
		if err != nil {
			return
		}
		written := u.String()
		again, err := p11uri.Parse(written)
		if err != nil {
			t.Fatalf("%q is written as %q: %v", s, written, err)
		}
		if !maps.Equal(u.Path, again.Path) || !maps.Equal(u.Query, again.Query) || again.String() != written {
			t.Fatalf("%q: %q, then %q", s, written, again)
		}
	})
}
