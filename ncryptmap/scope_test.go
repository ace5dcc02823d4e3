package ncryptmap_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

func TestB78Scopes(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	user, machine := s.created("ECDSA_P256", "key", 0), s.created("ECDSA_P256", "key", machineKey)
	other := open(t, home)
	for _, test := range []struct {
		made          ncryptmap.Handle
		flags, inType uint32
	}{{user, 0, 0}, {machine, machineKey, machineKey}} {
		h := other.opened("key", test.flags)
		if !bytes.Equal(other.export(h, "PUBLICBLOB"), s.export(test.made, "PUBLICBLOB")) {
			t.Errorf("flags %#x: it is another key", test.flags)
		}
		if keyType := other.dword(h, "Key Type"); keyType != test.inType {
			t.Errorf("flags %#x: Key Type %#x", test.flags, keyType)
		}
		keys, err := other.EnumKeys(other.provider, "", test.flags)
		s.must(err)
		if len(keys) != 1 || keys[0] != (ncryptmap.KeyName{Name: "key", Algorithm: "ECDSA_P256", Flags: test.inType}) {
			t.Errorf("flags %#x: %+v", test.flags, keys)
		}
	}
	s.must(s.DeleteKey(machine, 0))
	s.opens("the machine's", "key", machineKey, nte.NTE_BAD_KEYSET)
	s.opened("key", 0)
	if keyType := s.dword(s.created("ECDSA_P256", "", machineKey), "Key Type"); keyType != 0 {
		t.Errorf("a key that is not kept has Key Type %#x", keyType)
	}
}

func TestB79EmptyScope(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	for _, flags := range []uint32{0, machineKey, ncryptmap.NCRYPT_SILENT_FLAG} {
		if names := s.names(flags); len(names) != 0 {
			t.Errorf("flags %#x: %v", flags, names)
		}
	}
	if entries, _ := os.ReadDir(filepath.Join(home, "tokens")); len(entries) != 0 {
		t.Error("looking has made a token")
	}
	_, err := s.EnumKeys(s.provider, "", 0x40000000)
	s.want("flags", err, nte.NTE_BAD_FLAGS)
	_, err = s.EnumKeys(s.provider, "scope", 0)
	s.want("a scope", err, nte.NTE_INVALID_PARAMETER)
}

func TestB80EachKeyOnce(t *testing.T) {
	s := open(t, t.TempDir())
	want := []string{"agrees", "secret", "signs"}
	s.created("RSA", "signs", 0)
	s.created("ECDH_P256", "agrees", 0)
	s.created("AES", "secret", 0)
	s.created("RSA", "", 0)
	s.begun("RSA", "not final", 0)
	names := s.names(0)
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}

func TestB81MissingKey(t *testing.T) {
	s := open(t, t.TempDir())
	s.opens("no token", "key", 0, nte.NTE_BAD_KEYSET)
	s.created("ECDSA_P256", "other", 0)
	s.opens("no key", "key", 0, nte.NTE_BAD_KEYSET)
	s.opens("flags", "other", overwrite, nte.NTE_BAD_FLAGS)
	s.opens("no name", "", 0, nte.NTE_INVALID_PARAMETER)
}

func TestB81dCase(t *testing.T) {
	s := open(t, t.TempDir())
	made := s.created("ECDSA_P256", "Abc", 0)
	if !bytes.Equal(s.export(s.opened("ABC", 0), "PUBLICBLOB"), s.export(made, "PUBLICBLOB")) {
		t.Error("another key was opened")
	}
	if name := s.reads(s.opened("ABC", 0), "Name", 0, nte.ERROR_SUCCESS); !bytes.Equal(name, wide("Abc")) {
		t.Errorf("its name is %q", name)
	}
	_, err := s.CreatePersistedKey(s.provider, "RSA", "aBC", 0, 0)
	s.want("Create", err, nte.NTE_EXISTS)
}

func TestB81eNames(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	for _, name := range []string{"../../etc/passwd", "/etc/passwd", "..", ".", strings.Repeat("n", 300), strings.Repeat("n", 512), "a\\b", " ", "ключ"} {
		s.created("ECDSA_P256", name, 0)
		if got := s.reads(s.opened(name, 0), "Name", 0, nte.ERROR_SUCCESS); len(got) < 4 {
			t.Errorf("%.20q is called %q", name, got)
		}
	}
	for _, name := range []string{strings.Repeat("n", 513), "a\x00b", "\xff"} {
		_, err := s.CreatePersistedKey(s.provider, "RSA", name, 0, overwrite)
		s.want("Create", err, nte.NTE_INVALID_PARAMETER)
		s.opens("Open", name, 0, nte.NTE_INVALID_PARAMETER)
	}
	s.must(filepath.WalkDir(home, func(path string, _ os.DirEntry, err error) error {
		if base := filepath.Base(path); strings.Contains(base, "passwd") || strings.Contains(base, "nnn") {
			t.Errorf("%s: a key's name is a file's", path)
		}
		return err
	}))
}
