package ncryptmap_test

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// tpm seals like a TPM: of what it sealed before the machine was started anew, that is dead which was for one boot; and what another sealed it cannot open.
type tpm struct {
	*pinseal.Sealer
	perBoot map[string]bool // sealed for a boot that is over, or is not
	cleared bool
}

func newTPM() *tpm { return &tpm{Sealer: pinseal.New(cheap), perBoot: map[string]bool{}} }

func (c *tpm) Seal(master, auth *secret.Bytes, context []byte, terms *seal.Terms) ([]byte, error) {
	sealed, err := c.Sealer.Seal(master, auth, context, nil)
	if terms != nil && terms.PerBoot {
		c.perBoot[string(sealed)] = false
	}
	return sealed, err
}

func (c *tpm) Unseal(sealed []byte, auth *secret.Bytes, context []byte) (*secret.Bytes, error) {
	if c.cleared || c.perBoot[string(sealed)] {
		return nil, seal.ErrDead
	}
	return c.Sealer.Unseal(sealed, auth, context)
}

// boot starts the machine anew.
func (c *tpm) boot() {
	for sealed := range c.perBoot {
		c.perBoot[sealed] = true
	}
}

// isolating starts a program on a machine with a guard that isolates.
func isolating(t testing.TB, home string, chip *tpm) *site {
	t.Helper()
	return over(t, engineOver(t, home, func(*store.Header) (guard.Keys, error) {
		return local.For(local.Client{Level: guard.Service, MaxKeys: 100}, chip), nil
	}))
}

// guardless starts a program on a machine without one.
func guardless(t testing.TB, home string) *site {
	t.Helper()
	return over(t, engineOver(t, home, func(h *store.Header) (guard.Keys, error) {
		if h.Policy == store.PolicyVBSRequired || token.Isolation(h).Isolated() {
			return nil, ck.Errorf(ck.CKR_FUNCTION_REJECTED, "VBS is unavailable")
		}
		return local.New(pinseal.New(cheap)), nil
	}))
}

// What becomes of the flags, with a guard that isolates and without one (B82 to B86, B92, B96).
func TestB82B83B84B85B86B92IsolationFlags(t *testing.T) {
	const ok, unavailable, bad = nte.ERROR_SUCCESS, nte.NTE_VBS_UNAVAILABLE, nte.NTE_BAD_FLAGS
	for _, test := range []struct {
		what         string
		flags        uint32
		with         nte.Status // with a guard
		isolated     uint32     // "Virtual Iso" then
		perBoot      uint32     // "Per Boot Key"
		without      nte.Status // without a guard, with a name
		withoutAName nte.Status
	}{
		{"nothing", 0, ok, 1, 0, ok, ok},
		{"REQUIRE", requireVBS, ok, 1, 0, unavailable, unavailable},
		{"UseVirtualIsolation", ncryptmap.NCRYPT_USE_VIRTUAL_ISOLATION_FLAG, ok, 1, 0, unavailable, unavailable},
		{"REQUIRE, PER_BOOT", requireVBS | perBoot, ok, 1, 1, unavailable, unavailable},
		{"PREFER", preferVBS, ok, 1, 0, ok, ok},
		{"PREFER, PER_BOOT", preferVBS | perBoot, ok, 1, 1, unavailable, ok},
		{"PER_BOOT", perBoot, ok, 1, 1, unavailable, unavailable},
		{"REQUIRE, PREFER", requireVBS | preferVBS, bad, 0, 0, bad, bad},
		{"all", requireVBS | preferVBS | perBoot, bad, 0, 0, bad, bad},
	} {
		home := t.TempDir()
		s := isolating(t, home, newTPM())
		if h := s.makes(test.what+", with a guard", "key", test.flags, test.with); h != 0 {
			if got := s.dword(h, "Virtual Iso"); got != test.isolated {
				t.Errorf("%s: Virtual Iso is %d", test.what, got)
			}
			if got := s.dword(h, "Per Boot Key"); got != test.perBoot {
				t.Errorf("%s: Per Boot Key is %d", test.what, got)
			}
		}
		home = t.TempDir()
		s = guardless(t, home)
		h := s.makes(test.what+", without a guard", "key", test.flags, test.without)
		if n := len(s.names(0)); (n == 1) != (test.without == ok) {
			t.Errorf("%s: %d keys are listed", test.what, n)
		}
		if test.without != ok && objects(t, home) != 0 {
			t.Errorf("%s: something is stored", test.what)
		}
		for _, h := range []ncryptmap.Handle{h, s.makes(test.what+", without a guard, without a name", "", test.flags, test.withoutAName)} {
			if h != 0 && s.dword(h, "Virtual Iso") != 0 {
				t.Errorf("%s: a key in software is isolated", test.what)
			}
		}
	}
}

// makes says how making and importing a key with these flags ends.
func (s *site) makes(what, name string, flags uint32, status nte.Status) ncryptmap.Handle {
	s.t.Helper()
	imported, err := s.ImportKey(s.provider, 0, "RSAPRIVATEBLOB", named(name), rsa1024(s.t, "RSAPRIVATEBLOB"), flags)
	s.want(what+", imported", err, status)
	if err == nil && name != "" {
		s.must(s.DeleteKey(imported, 0))
	}
	h, err := s.CreatePersistedKey(s.provider, "RSA", name, 0, flags)
	if err == nil {
		err = s.FinalizeKey(h, 0)
	}
	s.want(what, err, status)
	if status == nte.ERROR_SUCCESS {
		s.signs(what, h, nte.ERROR_SUCCESS)
	}
	return h
}

func TestB87OtherProviders(t *testing.T) {
	s := isolating(t, t.TempDir(), newTPM())
	for _, name := range []string{"Microsoft Platform Crypto Provider", "Microsoft Passport Key Storage Provider", "nobody's"} {
		_, err := s.OpenStorageProvider(name, 0)
		s.want(name, err, nte.NTE_BAD_PROVIDER)
	}
	s = &site{s.KSP, s.t, s.engine, s.provider}
	var err error
	s.provider, err = s.OpenStorageProvider(smartCards, 0)
	s.must(err)
	s.insert("card", token.Roles...)
	for _, flags := range []uint32{requireVBS, preferVBS, perBoot, preferVBS | perBoot} {
		for _, name := range []string{"key", ""} {
			_, err := s.CreatePersistedKey(s.provider, "RSA", name, 0, flags)
			s.want("create", err, nte.NTE_BAD_FLAGS)
			s.refuses("import", "RSAPRIVATEBLOB", named(name), rsa1024(t, "RSAPRIVATEBLOB"), flags, nte.NTE_BAD_FLAGS)
		}
	}
}

func TestB88KeyOfAnotherBoot(t *testing.T) {
	home, chip := t.TempDir(), newTPM()
	s := isolating(t, home, chip)
	h := s.created("RSA", "key", requireVBS|perBoot|overwrite)
	public := s.export(h, "PUBLICBLOB")
	again := isolating(t, home, chip)
	again.signs("in another program, in the same boot", again.opened("key", 0), nte.ERROR_SUCCESS)

	chip.boot()
	s = isolating(t, home, chip)
	stale := s.opened("key", 0)
	if s.dword(stale, "Virtual Iso") == 0 || s.dword(stale, "Per Boot Key") == 0 {
		t.Error("it is not isolated any more")
	}
	if !bytes.Equal(s.export(stale, "PUBLICBLOB"), public) {
		t.Error("it has another public half")
	}
	s.signs("a key of another boot", stale, nte.NTE_VBS_CANNOT_DECRYPT_KEY)
	s.noExport("a key of another boot", stale, "RSAPRIVATEBLOB", nte.NTE_NOT_SUPPORTED)
	s.must(s.SetProperty(stale, "mine", []byte("x"), onlyOwn))
	if names := s.names(0); len(names) != 1 {
		t.Errorf("%v are listed", names)
	}
	_, err := s.CreatePersistedKey(s.provider, "RSA", "key", 0, requireVBS|perBoot)
	s.want("Create", err, nte.NTE_EXISTS)
	renewed := s.created("RSA", "key", requireVBS|perBoot|overwrite)
	s.signs("its successor", renewed, nte.ERROR_SUCCESS)
	if bytes.Equal(s.export(renewed, "PUBLICBLOB"), public) {
		t.Error("its successor is the same key")
	}
	chip.boot()
	s = isolating(t, home, chip)
	s.must(s.DeleteKey(s.opened("key", 0), 0))
	if n := objects(t, home); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}

func TestB89NoExportOfIsolatedKeys(t *testing.T) {
	s := isolating(t, t.TempDir(), newTPM())
	for _, flags := range []uint32{requireVBS, preferVBS, perBoot, requireVBS | perBoot, preferVBS | perBoot} {
		for _, name := range []string{"", "key"} {
			for blobType, blob := range privateBlobs(t) {
				h := s.imported(blobType, name, blob, flags|overwrite|notFinal)
				s.must(s.set(h, "Export Policy", 0))
				for _, policy := range []uint32{1, 2, 3, 4, 8, 0x10} {
					s.want("before it is final", s.set(h, "Export Policy", policy), nte.NTE_NOT_SUPPORTED)
				}
				s.must(s.FinalizeKey(h, 0))
				s.want("afterwards", s.set(h, "Export Policy", 3), nte.NTE_NOT_SUPPORTED)
				s.noExport("isolated", h, blobType, nte.NTE_NOT_SUPPORTED)
			}
		}
	}
}

// Where isolation is preferred and there is none, keys may leave as any others.
func TestB89ExportOfKeysInSoftware(t *testing.T) {
	s := guardless(t, t.TempDir())
	h := s.begun("RSA", "key", preferVBS)
	s.must(s.set(h, "Export Policy", 3))
	s.must(s.FinalizeKey(h, 0))
	s.export(h, "RSAPRIVATEBLOB")
}

// A token whose policy requires isolation isolates keys that do not ask for it.
func TestB89TokenThatRequiresIsolation(t *testing.T) {
	home := t.TempDir()
	s := isolating(t, home, newTPM())
	madeToken(t, s.engine, store.PolicyVBSRequired)
	for _, name := range []string{"", "key"} {
		h := s.imported("RSAPRIVATEBLOB", name, rsa1024(t, "RSAPRIVATEBLOB"), 0)
		s.signs("imported", h, nte.ERROR_SUCCESS)
		s.want("Export Policy", s.set(h, "Export Policy", 3), nte.NTE_NOT_SUPPORTED)
		if s.dword(h, "Virtual Iso") == 0 {
			t.Errorf("%q is not isolated", name)
		}
	}
}

func TestB90B91KeyOfAnotherTPM(t *testing.T) {
	home, chip := t.TempDir(), newTPM()
	s := isolating(t, home, chip)
	public := s.export(s.created("RSA", "key", requireVBS), "PUBLICBLOB")
	chip.cleared = true // or the files are on another machine now
	s = isolating(t, home, chip)
	h := s.opened("key", 0)
	s.signs("a key of another TPM", h, nte.NTE_VBS_CANNOT_DECRYPT_KEY)
	if !bytes.Equal(s.export(h, "PUBLICBLOB"), public) || s.dword(h, "Virtual Iso") == 0 || len(s.names(0)) != 1 {
		t.Error("what is not secret has changed")
	}
	_, err := s.CreatePersistedKey(s.provider, "RSA", "key", 0, requireVBS)
	s.want("Create", err, nte.NTE_EXISTS)
	s.must(s.DeleteKey(h, 0))
}

func TestB94ImportOnlyKey(t *testing.T) {
	s := open(t, t.TempDir())
	for _, name := range []string{"", "wraps"} {
		h := s.begun("RSA", name, 0)
		s.must(s.set(h, "Key Usage", 8))
		s.must(s.FinalizeKey(h, 0))
		s.signs("an import-only key", h, nte.NTE_PERM)
		_, err := s.Decrypt(h, nil, make([]byte, 128), pkcs1)
		s.want("an import-only key", err, nte.NTE_PERM)
	}
	_, wrapped := wrappedAES(t, s)
	for usage, status := range map[uint32]nte.Status{1: nte.NTE_PERM, 2: nte.NTE_PERM, 8: nte.ERROR_SUCCESS, 9: nte.ERROR_SUCCESS} {
		_, err := s.ImportKey(s.provider, kek(s, usage), "Rfc3565KeyWrapBlob", nil, wrapped, 0)
		s.want("a key under one that is for imports", err, status)
	}
}

// kek is a key of known bytes, for some use.
func kek(s *site, usage uint32) ncryptmap.Handle {
	s.t.Helper()
	h := s.imported("KeyDataBlob", "", append(dwords(0x4d42444b, 1, 32), bytes.Repeat([]byte{0x4b}, 32)...), notFinal)
	s.must(s.set(h, "Key Usage", usage))
	s.must(s.FinalizeKey(h, 0))
	return h
}

// wrappedAES is a key, and that key under kek's.
func wrappedAES(t *testing.T, s *site) (plain, wrapped []byte) {
	t.Helper()
	plain = append(dwords(0x4d42444b, 1, 32), bytes.Repeat([]byte{0x50}, 32)...)
	h := s.imported("KeyDataBlob", "", plain, 0)
	s.must(s.set(h, "Export Policy", 1))
	out, err := s.ExportKey(h, kek(s, 0x00ffffff), "Rfc3565KeyWrapBlob", nil, 0)
	s.must(err)
	defer out.Close()
	return plain, bytes.Clone(out.Bytes())
}

func TestB95ImportOfKeysThatAreNotKept(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	_, wrapped := wrappedAES(t, s)
	ephemeral := kek(s, 0x20)
	_, err := s.ImportKey(s.provider, ephemeral, "Rfc3565KeyWrapBlob", named("key"), wrapped, 0)
	s.want("a key with a name", err, nte.NTE_PERM)
	s.opens("its name", "key", 0, nte.NTE_BAD_KEYSET)
	h, err := s.ImportKey(s.provider, ephemeral, "Rfc3565KeyWrapBlob", nil, wrapped, 0)
	s.must(err)
	if s.dword(h, "Length") != 256 {
		t.Error("another key was unwrapped")
	}
	if n := objects(t, home); n != 0 {
		t.Errorf("%d objects are stored", n)
	}
}

// What a claim would say of a key: that it was made where it is.
func TestB93CreatedInIsolation(t *testing.T) {
	s := isolating(t, t.TempDir(), newTPM())
	s.created("RSA", "created", requireVBS)
	s.imported("RSAPRIVATEBLOB", "imported", rsa1024(t, "RSAPRIVATEBLOB"), requireVBS)
	const createdInIsolation = 1
	for name, want := range map[string]uint{"created": createdInIsolation, "imported": 0} {
		if got := isoFlags(t, s, name); got&createdInIsolation != want {
			t.Errorf("%s: flags %#x", name, got)
		}
	}
}

// isoFlags is CKA_NCRYPT_ISO_FLAGS of the private key with a label.
func isoFlags(t *testing.T, s *site, label string) uint {
	t.Helper()
	slots, err := s.engine.SlotList(true)
	s.must(err)
	handle, err := s.engine.OpenSession(slots[0], ck.CKF_SERIAL_SESSION)
	s.must(err)
	session, err := s.engine.Session(handle)
	s.must(err)
	for _, object := range found(t, session, ck.CKO_PRIVATE_KEY) {
		readings := []token.Reading{{Type: ck.CKA_LABEL}, {Type: ck.CKA_NCRYPT_ISO_FLAGS}}
		s.must(session.GetAttributes(object, readings, func() {}))
		if string(readings[0].Value) == label {
			flags, err := attr.ParseULong(readings[1].Value)
			if err != nil {
				t.Fatalf("CKA_NCRYPT_ISO_FLAGS: %v", readings[1].Err)
			}
			return flags
		}
	}
	t.Fatalf("there is no key %q", label)
	return 0
}
