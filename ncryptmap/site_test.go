package ncryptmap_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/config"
)

// The tests of this package are named by the behaviours that BEHAVIOURS.md lists. What follows is what they share.

const (
	requireVBS = ncryptmap.NCRYPT_REQUIRE_VBS_FLAG
	preferVBS  = ncryptmap.NCRYPT_PREFER_VBS_FLAG
	perBoot    = ncryptmap.NCRYPT_USE_PER_BOOT_KEY_FLAG
	overwrite  = ncryptmap.NCRYPT_OVERWRITE_KEY_FLAG
	machineKey = ncryptmap.NCRYPT_MACHINE_KEY_FLAG
	notFinal   = ncryptmap.NCRYPT_DO_NOT_FINALIZE_FLAG
	legacyKey  = ncryptmap.NCRYPT_WRITE_KEY_TO_LEGACY_STORE_FLAG
	pkcs1      = ncryptmap.NCRYPT_PAD_PKCS1_FLAG
	onlyOwn    = ncryptmap.NCRYPT_PERSIST_ONLY_FLAG
)

// notAHandle is a number that no handle has.
const notAHandle ncryptmap.Handle = 0x1234

var aHash = make([]byte, 32)

var sha256Padding = &ncryptmap.Padding{Hash: "SHA256"}

// over starts a program with a provider open over an engine.
func over(t testing.TB, engine *token.Provider) *site {
	t.Helper()
	k := ncryptmap.New(engine)
	p, err := k.OpenStorageProvider("", 0)
	if err != nil {
		t.Fatal(err)
	}
	return &site{k, t, engine, p}
}

// begun makes a key that is not final.
func (s *site) begun(algorithm, name string, flags uint32) ncryptmap.Handle {
	s.t.Helper()
	h, err := s.CreatePersistedKey(s.provider, algorithm, name, 0, flags)
	s.must(err)
	return h
}

// opens says how opening a key by its name ends.
func (s *site) opens(what, name string, flags uint32, status nte.Status) ncryptmap.Handle {
	s.t.Helper()
	h, err := s.OpenKey(s.provider, name, 0, flags)
	s.want(what, err, status)
	return h
}

// opened opens a key that must be there.
func (s *site) opened(name string, flags uint32) ncryptmap.Handle {
	s.t.Helper()
	h, err := s.OpenKey(s.provider, name, 0, flags)
	s.must(err)
	return h
}

// imported takes in a blob that must be accepted. A name of "" is none.
func (s *site) imported(blobType, name string, data []byte, flags uint32) ncryptmap.Handle {
	s.t.Helper()
	h, err := s.ImportKey(s.provider, 0, blobType, named(name), data, flags)
	s.must(err)
	return h
}

// refuses says how an import fails.
func (s *site) refuses(what, blobType string, params *ncryptmap.Buffers, data []byte, flags uint32, status nte.Status) {
	s.t.Helper()
	h, err := s.ImportKey(s.provider, 0, blobType, params, data, flags)
	s.want(what, err, status)
	if h != 0 {
		s.t.Errorf("%s: there is a key all the same", what)
	}
}

// named is a list of parameters with a key's name.
func named(name string) *ncryptmap.Buffers {
	if name == "" {
		return nil
	}
	return list(ncryptmap.NCRYPTBUFFER_PKCS_KEY_NAME, wide(name))
}

func list(typ uint32, data []byte) *ncryptmap.Buffers {
	return &ncryptmap.Buffers{List: []ncryptmap.Buffer{{Type: typ, Data: data}}}
}

// wide is UTF-16LE with its NUL, for ASCII.
func wide(s string) []byte {
	out := make([]byte, 0, 2*len(s)+2)
	for _, b := range []byte(s) {
		out = append(out, b, 0)
	}
	return append(out, 0, 0)
}

// signs says how signing with a key ends, by RSA or ECDSA as it is.
func (s *site) signs(what string, h ncryptmap.Handle, status nte.Status) []byte {
	s.t.Helper()
	flags, padding := uint32(0), (*ncryptmap.Padding)(nil)
	if group, err := s.GetProperty(h, "Algorithm Group", 0); err == nil && string(group) == string(wide("RSA")) {
		flags, padding = pkcs1, sha256Padding
	}
	signature, err := s.SignHash(h, padding, aHash, flags)
	s.want(what, err, status)
	return signature
}

// reads says how reading a property ends.
func (s *site) reads(h ncryptmap.Handle, name string, flags uint32, status nte.Status) []byte {
	s.t.Helper()
	value, err := s.GetProperty(h, name, flags)
	s.want("reading "+name, err, status)
	return value
}

// noExport checks that no private half leaves.
func (s *site) noExport(what string, h ncryptmap.Handle, blobType string, status nte.Status) {
	s.t.Helper()
	out, err := s.ExportKey(h, 0, blobType, nil, 0)
	s.want(what+", exported as "+blobType, err, status)
	if out != nil {
		s.t.Errorf("%s: there is a blob all the same", what)
		out.Close()
	}
}

// names are the names of the keys of a scope.
func (s *site) names(flags uint32) []string {
	s.t.Helper()
	keys, err := s.EnumKeys(s.provider, "", flags)
	s.must(err)
	var names []string
	for _, key := range keys {
		names = append(names, key.Name)
	}
	return names
}

// objects counts the objects that are stored in the tokens of a home, whatever they are.
func objects(t testing.TB, home string) int {
	t.Helper()
	return storedObjects(t, engine(t, home))
}

// madeToken makes a token that NCrypt's keys of the user are in.
func madeToken(t testing.TB, p *token.Provider, policy string) {
	t.Helper()
	if _, err := p.Create(&token.Spec{Label: "made", Policy: policy, NoLogin: true, NCrypt: true, Scope: config.User}, nil); err != nil {
		t.Fatal(err)
	}
}
