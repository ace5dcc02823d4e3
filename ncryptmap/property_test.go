package ncryptmap_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

func TestB58EphemeralRSA(t *testing.T) {
	s := open(t, t.TempDir())
	begun := s.begun("RSA", "", 0)
	for _, h := range []ncryptmap.Handle{begun, s.created("RSA", "", 0), s.imported("RSAPRIVATEBLOB", "", rsa1024(t, "RSAPRIVATEBLOB"), 0)} {
		for name, want := range map[string][]byte{
			"Block Length": dwords(128), "Key Type": dwords(0), "Algorithm Group": wide("RSA"), "SignatureLength": dwords(128), "PublicKeyLength": dwords(1024),
		} {
			if got := s.reads(h, name, 0, nte.ERROR_SUCCESS); !bytes.Equal(got, want) {
				t.Errorf("%s: %x, want %x", name, got, want)
			}
		}
	}
}

func TestB59PropertiesThatAreNotSet(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.created("RSA", "", 0)
	for _, name := range []string{"UI Policy", "Use Context", "HWND Handle", "Modified", "SmartCardKeyCertificate"} {
		s.reads(h, name, 0, nte.NTE_NOT_FOUND)
	}
	for _, name := range []string{"Use Context", "HWND Handle"} {
		s.must(s.SetProperty(h, name, wide("x"), 0))
		if !bytes.Equal(s.reads(h, name, 0, nte.ERROR_SUCCESS), wide("x")) {
			t.Errorf("%s is not what it was set to", name)
		}
		s.reads(s.created("RSA", "", 0), name, 0, nte.NTE_NOT_FOUND)
	}
}

func TestB60PropertiesThatKeysHaveNot(t *testing.T) {
	s := open(t, t.TempDir())
	for _, h := range []ncryptmap.Handle{s.created("RSA", "", 0), s.created("RSA", "key", 0)} {
		for _, name := range []string{"Impl Type", "Version", "Max Name Length", "Security Descr Support", "Use Count", "SmartCardPinId", "nobody's"} {
			s.reads(h, name, 0, nte.NTE_NOT_SUPPORTED)
			s.want("setting "+name, s.SetProperty(h, name, dwords(1), 0), nte.NTE_NOT_SUPPORTED)
		}
	}
	for name, want := range map[string]uint32{"Impl Type": 0x22, "Max Name Length": 512, "Security Descr Support": 1} {
		if got := s.dword(s.provider, name); got != want {
			t.Errorf("the provider's %s is %#x", name, got)
		}
	}
}

func TestB61SecurityDescriptor(t *testing.T) {
	s := open(t, t.TempDir())
	for _, h := range []ncryptmap.Handle{s.created("RSA", "", 0), s.created("RSA", "key", 0)} {
		s.reads(h, "Security Descr", 0, nte.NTE_BAD_FLAGS)
		s.want("set", s.SetProperty(h, "Security Descr", dwords(1), 0), nte.NTE_BAD_FLAGS)
	}
	if n := len(s.reads(s.opened("key", 0), "Security Descr", 4, nte.ERROR_SUCCESS)); n != 20 {
		t.Errorf("%d bytes", n)
	}
}

func TestB62ProviderHandle(t *testing.T) {
	s := open(t, t.TempDir())
	value := s.reads(s.created("RSA", "", 0), "Provider Handle", 0, nte.ERROR_SUCCESS)
	provider := ncryptmap.Handle(binary.LittleEndian.Uint64(value))
	if provider == s.provider {
		t.Error("it is not a handle of its own")
	}
	_, err := s.CreatePersistedKey(provider, "RSA", "", 0, 0)
	s.must(err)
	s.must(s.FreeObject(provider))
	s.want("freed twice", s.FreeObject(provider), nte.NTE_INVALID_HANDLE)
	s.created("RSA", "", 0)
}

func TestB63NameIsNotSet(t *testing.T) {
	s := open(t, t.TempDir())
	for _, h := range []ncryptmap.Handle{s.begun("RSA", "one", 0), s.created("RSA", "two", 0), s.imported("RSAPUBLICBLOB", "", rsa1024(t, "RSAPUBLICBLOB"), 0)} {
		for _, name := range []string{"Name", "Unique Name", "Algorithm Name", "Algorithm Group", "Key Type"} {
			s.want(name, s.SetProperty(h, name, wide("other"), 0), nte.NTE_NOT_SUPPORTED)
		}
	}
	name, unique := s.reads(s.opened("TWO", 0), "Name", 0, nte.ERROR_SUCCESS), s.reads(s.opened("TWO", 0), "Unique Name", 0, nte.ERROR_SUCCESS)
	if !bytes.Equal(name, wide("two")) || len(unique) != 2*65 {
		t.Errorf("%q, %q", name, unique)
	}
}

func TestB64CustomProperties(t *testing.T) {
	s := open(t, t.TempDir())
	for _, h := range []ncryptmap.Handle{s.begun("RSA", "", 0), s.begun("RSA", "key", 0), s.created("RSA", "", 0), s.created("ECDSA_P256", "final", 0)} {
		s.reads(h, "mine", onlyOwn, nte.NTE_NOT_FOUND)
		s.want("without the flag", s.SetProperty(h, "mine", []byte("x"), 0), nte.NTE_NOT_SUPPORTED)
		s.reads(h, "mine", 0, nte.NTE_NOT_SUPPORTED)
		s.must(s.SetProperty(h, "mine", []byte("x"), onlyOwn))
		s.must(s.SetProperty(h, "mine", []byte("other"), onlyOwn))
		if got := s.reads(h, "mine", onlyOwn, nte.ERROR_SUCCESS); string(got) != "other" {
			t.Errorf("%q", got)
		}
		// With the flag, names of the provider's own properties mean the caller's.
		s.reads(h, "Length", onlyOwn, nte.NTE_NOT_FOUND)
		s.must(s.SetProperty(h, "Length", []byte("long"), onlyOwn))
		if got := s.reads(h, "Length", onlyOwn, nte.ERROR_SUCCESS); string(got) != "long" || len(s.reads(h, "Length", 0, nte.ERROR_SUCCESS)) != 4 {
			t.Errorf("%q", got)
		}
	}
}

func TestB65EmptyProperty(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	h := s.begun("RSA", "key", 0)
	s.must(s.SetProperty(h, "before", []byte{}, onlyOwn))
	s.must(s.FinalizeKey(h, 0))
	s.must(s.SetProperty(h, "after", []byte{}, onlyOwn))
	s.want("no value", s.SetProperty(h, "none", nil, onlyOwn), nte.NTE_INVALID_PARAMETER)
	other := open(t, home)
	for _, name := range []string{"before", "after"} {
		if got := other.reads(other.opened("key", 0), name, onlyOwn, nte.ERROR_SUCCESS); got == nil || len(got) != 0 {
			t.Errorf("%s: %x", name, got)
		}
	}
	s.reads(h, "none", onlyOwn, nte.NTE_NOT_FOUND)
}

func TestB66CustomPropertiesAreKept(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	h := s.begun("RSA", "key", 0)
	s.must(s.SetProperty(h, "before", []byte("1"), onlyOwn))
	s.must(s.FinalizeKey(h, 0))
	s.must(s.SetProperty(h, "after", []byte("2"), onlyOwn))
	s.must(s.FreeObject(h))
	other := open(t, home)
	opened := other.opened("key", 0)
	for name, want := range map[string]string{"before": "1", "after": "2"} {
		if got := other.reads(opened, name, onlyOwn, nte.ERROR_SUCCESS); string(got) != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	other.must(other.SetProperty(opened, "after", []byte("3"), onlyOwn))
	if got := s.reads(s.opened("key", 0), "after", onlyOwn, nte.ERROR_SUCCESS); string(got) != "3" {
		t.Errorf("after: %q", got)
	}
	other.must(other.DeleteKey(opened, 0))
	if n := objects(t, home); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}

func TestB67LongestProperty(t *testing.T) {
	s := open(t, t.TempDir())
	for _, h := range []ncryptmap.Handle{s.begun("RSA", "", 0), s.created("ECDSA_P256", "key", 0)} {
		long := bytes.Repeat([]byte("x"), 0x100000)
		s.must(s.SetProperty(h, "long", long, onlyOwn))
		s.want("one more", s.SetProperty(h, "long", append(long, 'x'), onlyOwn), nte.NTE_INVALID_PARAMETER)
		if got := s.reads(h, "long", onlyOwn, nte.ERROR_SUCCESS); !bytes.Equal(got, long) {
			t.Errorf("%d bytes", len(got))
		}
	}
}

func TestB68LongestName(t *testing.T) {
	s := open(t, t.TempDir())
	for _, h := range []ncryptmap.Handle{s.begun("RSA", "", 0), s.provider} {
		for _, name := range []string{strings.Repeat("n", 65), ""} {
			s.want("set", s.SetProperty(h, name, []byte("x"), onlyOwn), nte.NTE_INVALID_PARAMETER)
			s.reads(h, name, 0, nte.NTE_INVALID_PARAMETER)
		}
	}
	s.must(s.SetProperty(s.begun("RSA", "", 0), strings.Repeat("n", 64), []byte("x"), onlyOwn))
}

func TestB69SecurityDescriptorIsNotTheCallers(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.created("RSA", "key", 0)
	s.want("set", s.SetProperty(h, "Security Descr", []byte("x"), onlyOwn|4), nte.NTE_BAD_FLAGS)
	s.reads(h, "Security Descr", onlyOwn|4, nte.NTE_BAD_FLAGS)
	s.want("other flags", s.SetProperty(h, "mine", []byte("x"), 0x20), nte.NTE_BAD_FLAGS)
	s.reads(h, "Length", 4, nte.NTE_BAD_FLAGS)
}

// What each state of a key allows to be set.
func TestB70Frozen(t *testing.T) {
	s := open(t, t.TempDir())
	private := rsa1024(t, "RSAPRIVATEBLOB")
	public := s.imported("RSAPUBLICBLOB", "", rsa1024(t, "RSAPUBLICBLOB"), 0)
	const ok, badState, not = nte.ERROR_SUCCESS, nte.NTE_BAD_KEY_STATE, nte.NTE_NOT_SUPPORTED
	for _, test := range []struct {
		what                                      string
		h                                         ncryptmap.Handle
		length, policy, usage, uiPolicy, blobType nte.Status
	}{
		{"created, not final", s.begun("RSA", "", 0), ok, ok, ok, ok, ok},
		{"imported, not final", s.imported("RSAPRIVATEBLOB", "one", private, notFinal), ok, ok, ok, ok, ok},
		{"not kept", s.imported("RSAPRIVATEBLOB", "", private, 0), badState, ok, badState, badState, badState},
		{"kept", s.created("RSA", "two", 0), badState, not, badState, badState, badState},
		{"opened", s.opened("two", 0), badState, not, badState, badState, badState},
		{"public", public, ok, not, badState, badState, badState},
	} {
		s.want(test.what+": Length", s.set(test.h, "Length", 2048), test.length)
		s.want(test.what+": Export Policy", s.set(test.h, "Export Policy", 0), test.policy)
		s.want(test.what+": Key Usage", s.set(test.h, "Key Usage", 2), test.usage)
		s.want(test.what+": UI Policy", s.SetProperty(test.h, "UI Policy", aHash, 0), test.uiPolicy)
		s.want(test.what+": RSAPRIVATEBLOB", s.SetProperty(test.h, "RSAPRIVATEBLOB", private, 0), test.blobType)
	}
	if n := s.dword(public, "Length"); n != 1024 {
		t.Errorf("a public key has %d bits now", n)
	}
}
