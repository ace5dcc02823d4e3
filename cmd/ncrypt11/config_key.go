package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/p11uri"
	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/snippet"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// configKey finds the token, and the key in it, that the program has to be told of. Nobody logs in for it: the public half or the certificate tell enough.
func (a *app) configKey(p *snippet.Program, key []string, flag tokenFlag, d *snippet.Data) error {
	if len(key) > 0 && p11uri.Is(key[0]) {
		u, err := p11uri.Parse(key[0])
		if err != nil {
			return usagef("%s: %v", shownName(key[0]), err)
		}
		flag.uri = u
		if flag.name == "" {
			flag.name = key[0]
		}
	}
	if p.Key != snippet.Needed && p.Token != snippet.Needed && len(key) == 0 && flag.name == "" {
		return nil
	}
	return a.withToken(&flag, func(provider *token.Provider, chosen *present, all []present) error {
		opened, err := openSession(provider, chosen.slot, ck.CKF_SERIAL_SESSION)
		if err != nil {
			return err
		}
		s := &session{Session: opened, token: chosen, alone: true}
		path := map[string]string{p11uri.Token: chosen.info.Label}
		if namesakes := slices.IndexFunc(all, func(t present) bool { return t.slot != chosen.slot && t.info.Label == chosen.info.Label }); namesakes >= 0 {
			s.alone = false
			path[p11uri.Serial] = chosen.info.SerialNumber
		}
		d.Token = snippet.Token{
			Label: chosen.info.Label, Serial: chosen.info.SerialNumber, URI: (&p11uri.URI{Path: path}).String(), Slot: uint(chosen.slot),
			Login: chosen.needsLogin(),
		}
		lies, err := storedToken(a.getenv, chosen.info.SerialNumber)
		if err != nil {
			return err
		}
		d.Token.Path, d.Token.Isolated = lies.Path, token.Isolation(lies.header) != guard.Software
		if p.Key == snippet.None || p.Key == snippet.Optional && len(key) == 0 {
			return nil
		}
		keys, err := s.keyPairs()
		if err != nil {
			return err
		}
		d.Token.Ed25519 = slices.ContainsFunc(keys, func(pair []*object) bool { return pair[0].Key == pubkey.Ed25519.Name })
		d.Key, err = s.chooseKey(keys, key)
		return err
	})
}

// keyPairs are all that can be seen.
func (s *session) keyPairs() ([][]*object, error) {
	handles, err := s.find(nil)
	if err != nil {
		return nil, err
	}
	objects, err := s.objects(handles)
	return pairs(objects), err
}

// chooseKey gives the key that the label or URI means, or the only one.
func (s *session) chooseKey(keys [][]*object, key []string) (snippet.Key, error) {
	if len(key) > 0 {
		keys = slices.DeleteFunc(keys, func(pair []*object) bool {
			return !slices.ContainsFunc(pair, func(o *object) bool { return o.called(key[0]) })
		})
	}
	switch {
	case len(keys) == 1:
		return describeKey(keys[0]), nil
	case len(keys) > 1:
		return snippet.Key{}, fmt.Errorf("token %s has %d such keys; choose one by its URI: %s", s.token.name(), len(keys), strings.Join(uris(keys), ", "))
	case len(key) > 0:
		return snippet.Key{}, fmt.Errorf("token %s has no key %q; see: ncrypt11 list", s.token.name(), shownName(key[0]))
	}
	return snippet.Key{}, fmt.Errorf("token %s has no key; make one with ncrypt11 generate, or bring one with ncrypt11 import", s.token.name())
}

// pairs groups what belongs to a key pair: what has the same id. Certificates of keys that are not there make no pair.
func pairs(objects []*object) [][]*object {
	var list [][]*object
	for _, o := range objects {
		if o.Type != "private" && o.Type != "public" {
			continue
		}
		if slices.ContainsFunc(list, func(pair []*object) bool { return pair[0].ID == o.ID }) {
			continue
		}
		pair := slices.Collect(func(yield func(*object) bool) {
			for _, other := range objects {
				if other.ID == o.ID && !yield(other) {
					return
				}
			}
		})
		list = append(list, pair)
	}
	return list
}

// called says whether a label, or what a URI says of the object, is this one's.
func (o *object) called(name string) bool {
	if !p11uri.Is(name) {
		return o.Label == name
	}
	want, errWant := p11uri.Parse(name)
	have, errHave := p11uri.Parse(o.URI)
	if errWant != nil || errHave != nil {
		return false
	}
	for _, attribute := range []string{p11uri.ID, p11uri.Object} {
		if value, ok := want.Path[attribute]; ok && value != have.Path[attribute] {
			return false
		}
	}
	return true
}

func uris(keys [][]*object) []string {
	list := make([]string, len(keys))
	for i, pair := range keys {
		list[i] = withType(pair[0].URI, "private")
	}
	return list
}

// describeKey tells of a pair what snippets need.
func describeKey(pair []*object) snippet.Key {
	first := pair[0]
	k := snippet.Key{Name: fileName(first), Label: first.Label, ID: first.ID, Kind: first.Key, URI: withType(first.URI, ""), Private: withType(first.URI, "private")}
	if i := slices.IndexFunc(pair, func(o *object) bool { return o.Type == "cert" }); i >= 0 {
		k.Certificate = pair[i].URI
	}
	if i := slices.IndexFunc(pair, func(o *object) bool { return o.Type == "public" }); i >= 0 {
		k.PublicKey = pair[i].PublicKey
	}
	return k
}

// withType is a URI with another type of object, or with none.
func withType(uri, typ string) string {
	u, err := p11uri.Parse(uri)
	if err != nil {
		return uri // this command has made it: it can be read
	}
	delete(u.Path, p11uri.Type)
	if typ != "" {
		u.Path[p11uri.Type] = typ
	}
	return u.String()
}

// fileName is the label as it may stand in the name of a file, or the id where nothing is left of it.
func fileName(o *object) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-':
			return r
		case r == '.' || r == ' ':
			return '-'
		}
		return -1
	}, o.Label)
	if name = strings.Trim(name, "-"); name == "" {
		return o.ID
	}
	return name
}
