package ncryptmap_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

func TestB01CreatedKeyIsFoundByAnotherProgram(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	public := s.export(s.created("RSA", "key", 0), "PUBLICBLOB")
	other := open(t, home)
	if !bytes.Equal(other.export(other.opened("key", 0), "PUBLICBLOB"), public) {
		t.Error("it is another key")
	}
}

func TestB02KeyWithoutAName(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	h := s.created("RSA", "", 0)
	s.signs("a key without a name", h, nte.ERROR_SUCCESS)
	s.reads(h, "Name", 0, nte.NTE_NOT_SUPPORTED)
	s.reads(h, "Unique Name", 0, nte.NTE_NOT_SUPPORTED)
	if n := objects(t, home); n != 0 {
		t.Errorf("%d objects are stored", n)
	}
}

func TestB03TakenName(t *testing.T) {
	s := open(t, t.TempDir())
	old := s.created("RSA", "key", 0)
	public := s.export(old, "PUBLICBLOB")
	for _, algorithm := range []string{"RSA", "ECDSA_P256", "AES"} {
		_, err := s.CreatePersistedKey(s.provider, algorithm, "key", 0, 0)
		s.want(algorithm, err, nte.NTE_EXISTS)
	}
	s.signs("the old key", old, nte.ERROR_SUCCESS)
	if !bytes.Equal(s.export(s.opened("key", 0), "PUBLICBLOB"), public) {
		t.Error("another key has the name")
	}
}

func TestB04Overwrite(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	old := s.created("ECDSA_P256", "key", 0)
	s.must(s.SetProperty(old, "mine", []byte("old"), onlyOwn))
	public := s.export(old, "PUBLICBLOB")
	for _, algorithm := range []string{"RSA", "ECDSA_P256"} {
		s.created(algorithm, "KEY", overwrite)
		h := open(t, home)
		now := h.export(h.opened("key", 0), "PUBLICBLOB")
		if bytes.Equal(now, public) {
			t.Errorf("%s: it is the same key", algorithm)
		}
		public = now
	}
	if n := objects(t, home); n != 2 {
		t.Errorf("%d objects of one key and its public half", n)
	}
	s.reads(s.opened("key", 0), "mine", onlyOwn, nte.NTE_NOT_FOUND)
	s.signs("the handle of the key that was there before", old, nte.NTE_INVALID_HANDLE)
}

func TestB05OverwriteThatIsNotFinalized(t *testing.T) {
	s := open(t, t.TempDir())
	public := s.export(s.created("RSA", "key", 0), "PUBLICBLOB")
	h := s.begun("RSA", "key", overwrite)
	check := func(when string) {
		if !bytes.Equal(s.export(s.opened("key", 0), "PUBLICBLOB"), public) {
			t.Errorf("another key has the name %s", when)
		}
	}
	check("before the new one is final")
	s.must(s.FreeObject(h))
	check("after the new one was given up")
}

func TestB06ProviderHandle(t *testing.T) {
	s := open(t, t.TempDir())
	key := s.created("ECDSA_P256", "", 0)
	for _, h := range []ncryptmap.Handle{0, notAHandle, key, s.provider + 1} {
		_, err := s.CreatePersistedKey(h, "RSA", "", 0, 0)
		s.want("Create", err, nte.NTE_INVALID_HANDLE)
		_, err = s.OpenKey(h, "key", 0, 0)
		s.want("Open", err, nte.NTE_INVALID_HANDLE)
		_, err = s.ImportKey(h, 0, "RSAPUBLICBLOB", nil, []byte{1}, 0)
		s.want("Import", err, nte.NTE_INVALID_HANDLE)
		_, err = s.EnumKeys(h, "", 0)
		s.want("Enum", err, nte.NTE_INVALID_HANDLE)
		s.want("IsAlgSupported", s.IsAlgSupported(h, "RSA", 0), nte.NTE_INVALID_HANDLE)
	}
	_, err := s.CreatePersistedKey(s.provider, "ROT13", "", 0, 0)
	s.want("an algorithm that there is not", err, nte.NTE_NOT_SUPPORTED)
}

func TestB08UseBeforeFinal(t *testing.T) {
	s := open(t, t.TempDir())
	for _, name := range []string{"", "key"} {
		h := s.begun("RSA", name, 0)
		s.signs("Sign", h, nte.NTE_BAD_KEY_STATE)
		_, err := s.Encrypt(h, nil, aHash, pkcs1)
		s.want("Encrypt", err, nte.NTE_BAD_KEY_STATE)
		_, err = s.Decrypt(h, nil, aHash, pkcs1)
		s.want("Decrypt", err, nte.NTE_BAD_KEY_STATE)
		s.want("Verify", s.VerifySignature(h, sha256Padding, aHash, aHash, pkcs1), nte.NTE_BAD_KEY_STATE)
		_, err = s.SecretAgreement(h, h, 0)
		s.want("SecretAgreement", err, nte.NTE_BAD_KEY_STATE)
	}
}

func TestB09ExportBeforeFinal(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.begun("RSA", "", 0)
	s.noExport("not final", h, "PUBLICBLOB", nte.NTE_BAD_KEY_STATE)
	s.noExport("not final", h, "RSAPRIVATEBLOB", nte.NTE_BAD_KEY_STATE)
}

func TestB10FinalTwice(t *testing.T) {
	s := open(t, t.TempDir())
	for _, name := range []string{"", "key"} {
		h := s.created("ECDSA_P256", name, 0)
		s.want("Finalize", s.FinalizeKey(h, 0), nte.NTE_INVALID_HANDLE)
		s.want("Finalize, with strange flags", s.FinalizeKey(h, 0x10), nte.NTE_INVALID_HANDLE)
		s.signs("the key", h, nte.ERROR_SUCCESS)
	}
	s.want("Finalize of an opened key", s.FinalizeKey(s.opened("key", 0), 0), nte.NTE_INVALID_HANDLE)
}

func TestB11ImportedIsFinal(t *testing.T) {
	s := open(t, t.TempDir())
	s.want("private", s.FinalizeKey(s.imported("RSAPRIVATEBLOB", "", rsa1024(t, "RSAPRIVATEBLOB"), 0), 0), nte.NTE_INVALID_HANDLE)
	s.want("public", s.FinalizeKey(s.imported("RSAPUBLICBLOB", "", rsa1024(t, "RSAPUBLICBLOB"), 0), 0), nte.NTE_INVALID_HANDLE)
}

func TestB12NoHandle(t *testing.T) {
	s := open(t, t.TempDir())
	s.want("Finalize", s.FinalizeKey(0, 0x10), nte.NTE_INVALID_HANDLE)
	s.want("SetProperty", s.SetProperty(0, "", nil, 0x10), nte.NTE_INVALID_HANDLE)
	_, err := s.GetProperty(0, "", 0x10)
	s.want("GetProperty", err, nte.NTE_INVALID_HANDLE)
}

func TestB13FinalizeFlags(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	h := s.begun("RSA", "key", 0)
	for bit := uint32(1); bit != 0; bit <<= 1 {
		if bit&(ncryptmap.NCRYPT_NO_KEY_VALIDATION|ncryptmap.NCRYPT_SILENT_FLAG|legacyKey) == 0 {
			s.want("Finalize", s.FinalizeKey(h, bit), nte.NTE_BAD_FLAGS)
		}
	}
	s.signs("the key", h, nte.NTE_BAD_KEY_STATE)
	s.opens("its name", "key", 0, nte.NTE_BAD_KEYSET)
	s.must(s.FinalizeKey(h, ncryptmap.NCRYPT_NO_KEY_VALIDATION|ncryptmap.NCRYPT_SILENT_FLAG))
	s.signs("the key", h, nte.ERROR_SUCCESS)
}

func TestB14Defaults(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.begun("RSA", "", 0)
	for name, want := range map[string][]byte{
		"Length": dwords(1024), "Lengths": dwords(1024, 8192, 8, 1024), "Algorithm Name": wide("RSA"), "Key Usage": dwords(0x00ffffff), "Export Policy": dwords(0),
	} {
		if got := s.reads(h, name, 0, nte.ERROR_SUCCESS); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", name, got, want)
		}
	}
}

func TestB15Length(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.begun("RSA", "", 0)
	s.must(s.set(h, "Length", 2048))
	s.must(s.FinalizeKey(h, 0))
	blob := s.export(h, "RSAPUBLICBLOB")
	if bits := blob[4:8]; !bytes.Equal(bits, dwords(2048)) || s.dword(h, "Length") != 2048 {
		t.Errorf("%x bits", bits)
	}
	if n := len(blob); n != 24+3+256 {
		t.Errorf("%d bytes", n)
	}
}

// Every function, with handles that mean nothing to it.
func TestB16StrangeHandles(t *testing.T) {
	s := open(t, t.TempDir())
	freed := s.created("ECDSA_P256", "", 0)
	s.must(s.FreeObject(freed))
	for _, h := range []ncryptmap.Handle{0, notAHandle, freed, ^ncryptmap.Handle(0), s.provider} {
		_, sign := s.SignHash(h, nil, aHash, 0)
		_, encrypt := s.Encrypt(h, nil, aHash, 0)
		_, decrypt := s.Decrypt(h, nil, aHash, 0)
		_, export := s.ExportKey(h, 0, "PUBLICBLOB", nil, 0)
		_, agree := s.SecretAgreement(h, h, 0)
		_, derive := s.DeriveKey(h, "HASH", nil, 0, 0)
		calls := map[string]error{
			"Sign": sign, "Encrypt": encrypt, "Decrypt": decrypt, "Export": export, "SecretAgreement": agree, "DeriveKey": derive,
			"Verify": s.VerifySignature(h, nil, aHash, aHash, 0), "Finalize": s.FinalizeKey(h, 0), "Delete": s.DeleteKey(h, 0),
		}
		if h != s.provider {
			_, calls["GetProperty"] = s.GetProperty(h, "Name", 0)
			calls["SetProperty"], calls["FreeObject"] = s.SetProperty(h, "Name", nil, 0), s.FreeObject(h)
		}
		for name, err := range calls {
			s.want(name, err, nte.NTE_INVALID_HANDLE)
		}
		if s.IsKeyHandle(h) {
			t.Errorf("%#x is a key's handle", h)
		}
	}
}

func TestB17RacingCreates(t *testing.T) {
	home := t.TempDir()
	one, other := open(t, home), open(t, home)
	first, second := one.begun("RSA", "key", 0), other.begun("RSA", "key", 0)
	one.must(one.FinalizeKey(first, 0))
	other.want("the second", other.FinalizeKey(second, 0), nte.NTE_EXISTS)
	other.want("the second, again", other.FinalizeKey(second, 0), nte.NTE_EXISTS)
	if !bytes.Equal(other.export(other.opened("key", 0), "PUBLICBLOB"), one.export(first, "PUBLICBLOB")) {
		t.Error("the second has won")
	}
	if n := objects(t, home); n != 2 {
		t.Errorf("%d objects of one key and its public half", n)
	}
	one.must(one.DeleteKey(first, 0))
	other.must(other.FinalizeKey(second, 0)) // it was not lost
}

func TestB18FreeAfterDelete(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.created("ECDSA_P256", "key", 0)
	s.must(s.DeleteKey(h, 0))
	s.want("Free", s.FreeObject(h), nte.NTE_INVALID_HANDLE)
	s.want("Delete", s.DeleteKey(h, 0), nte.NTE_INVALID_HANDLE)
}

func TestB19DeleteThatFails(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	unnamed, unfinished, lost := s.created("ECDSA_P256", "", 0), s.begun("RSA", "unfinished", 0), s.created("ECDSA_P256", "lost", 0)
	other := open(t, home)
	other.must(other.DeleteKey(other.opened("lost", 0), 0))
	for _, test := range []struct {
		what   string
		h      ncryptmap.Handle
		status nte.Status
	}{
		{"a key without a name", unnamed, nte.NTE_INVALID_HANDLE}, {"one that is not final", unfinished, nte.NTE_BAD_KEYSET},
		{"one that is deleted already", lost, nte.NTE_BAD_KEYSET},
	} {
		s.want(test.what, s.DeleteKey(test.h, 0), test.status)
		s.must(s.FreeObject(test.h))
	}
	if n := objects(t, home); n != 0 || len(s.names(0)) != 0 {
		t.Errorf("%d objects are left", n)
	}
	if slices.Contains(s.names(0), "unfinished") {
		t.Error("a key that is not final is listed")
	}
}
