package ncryptmap_test

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

const smartCards = ncryptmap.MS_SMART_CARD_KEY_STORAGE_PROVIDER

// cards starts a program with the smart card provider open.
func cards(t testing.TB, home string) *site {
	t.Helper()
	s := open(t, home)
	var err error
	s.provider, err = s.OpenStorageProvider(smartCards, 0)
	s.must(err)
	return s
}

// insert makes a card that takes in keys of these roles.
func (s *site) insert(label string, roles ...token.Role) {
	s.t.Helper()
	_, err := s.engine.Create(&token.Spec{Label: label, NoLogin: true, SmartCard: true, AllowImport: roles, Scope: config.User}, nil)
	s.must(err)
}

func TestB87aNoCard(t *testing.T) {
	home := t.TempDir()
	s := cards(t, home)
	s.opens("open", "key", 0, nte.SCARD_E_NO_SMARTCARD)
	for _, flags := range []uint32{0, overwrite, machineKey} {
		_, err := s.CreatePersistedKey(s.provider, "RSA", "key", 0, flags)
		s.want("create", err, nte.SCARD_E_NO_SMARTCARD)
		s.refuses("import", "RSAPRIVATEBLOB", named("key"), rsa1024(t, "RSAPRIVATEBLOB"), flags, nte.SCARD_E_NO_SMARTCARD)
	}
	if names := s.names(0); len(names) != 0 {
		t.Errorf("no card has %v", names)
	}
	if n := objects(t, home); n != 0 {
		t.Errorf("%d objects", n)
	}
	madeToken(t, s.engine, "software")
	s.opens("beside a token that is no card", "key", 0, nte.SCARD_E_NO_SMARTCARD)
}

func TestB87bImportsThatACardAllows(t *testing.T) {
	for _, roles := range [][]token.Role{nil, {token.Exchange}, {token.Signature}, token.Roles} {
		home := t.TempDir()
		s := cards(t, home)
		s.insert("card", roles...)
		empty := objects(t, home)
		for _, key := range []struct {
			blobType string
			blob     []byte
			usage    uint32 // 0: what the blob's key can do
			role     token.Role
		}{
			{"RSAPRIVATEBLOB", rsa1024(t, "RSAPRIVATEBLOB"), 0, token.Exchange},
			{"RSAPRIVATEBLOB", rsa1024(t, "RSAPRIVATEBLOB"), 2, token.Signature},
			{"RSAFULLPRIVATEBLOB", rsa1024(t, "RSAFULLPRIVATEBLOB"), 1, token.Exchange},
			{"ECCPRIVATEBLOB", ecBlob(t, "ECDSA"), 0, token.Signature},
			{"ECCPRIVATEBLOB", ecBlob(t, "ECDH"), 0, token.Exchange},
		} {
			want := nte.NTE_PERM
			if slices.Contains(roles, key.role) {
				want = nte.ERROR_SUCCESS
			}
			h := s.imported(key.blobType, "key", key.blob, notFinal)
			if key.usage != 0 {
				s.must(s.set(h, "Key Usage", key.usage))
			}
			s.want("finalize", s.FinalizeKey(h, 0), want)
			if want == nte.ERROR_SUCCESS {
				s.must(s.DeleteKey(h, 0))
			} else {
				s.must(s.FreeObject(h))
				s.opens("a key that was refused", "key", 0, nte.NTE_BAD_KEYSET)
			}
			if n := objects(t, home); n != empty {
				t.Errorf("%v, %v: %d objects, before %d", roles, key, n, empty)
			}
		}
	}
}

func TestB87cKeysWithoutAContainer(t *testing.T) {
	s := cards(t, t.TempDir())
	for _, h := range []ncryptmap.Handle{s.created("RSA", "", 0), s.imported("RSAPRIVATEBLOB", "", rsa1024(t, "RSAPRIVATEBLOB"), 0), s.created("AES", "", 0)} {
		provider := s.reads(h, "Provider Handle", 0, nte.ERROR_SUCCESS)
		name := s.reads(ncryptmap.Handle(le64(provider)), "Name", 0, nte.ERROR_SUCCESS)
		if !bytes.Equal(name, wide(ncryptmap.MS_KEY_STORAGE_PROVIDER)) {
			t.Errorf("it is %q's", name)
		}
		s.reads(h, "SmartCardReader", 0, nte.NTE_NOT_SUPPORTED)
	}
	public := s.imported("RSAPUBLICBLOB", "", rsa1024(t, "RSAPUBLICBLOB"), 0)
	s.must(s.FreeObject(public))
}

// A blob that goes back into its token goes into no other, although it brings a name along.
func TestB87cOpaqueTransport(t *testing.T) {
	s := cards(t, t.TempDir())
	s.insert("card", token.Roles...)
	software, err := s.OpenStorageProvider("", 0)
	s.must(err)
	h, err := s.CreatePersistedKey(software, "RSA", "key", 0, 0)
	s.must(err)
	s.must(s.set(h, "Export Policy", 1))
	s.must(s.FinalizeKey(h, 0))
	blob := s.export(h, "OpaqueTransport")
	s.must(s.DeleteKey(h, 0))
	s.refuses("a blob of another token", "OpaqueTransport", nil, blob, 0, nte.NTE_NOT_SUPPORTED)
	s.refuses("for later", "OpaqueTransport", nil, blob, notFinal, nte.NTE_NOT_SUPPORTED)
	_, err = s.ImportKey(software, 0, "OpaqueTransport", nil, blob, 0)
	s.must(err)
}

func le64(b []byte) (n uint64) {
	for i, x := range b {
		n |= uint64(x) << (8 * i)
	}
	return n
}

func TestB87dContainerNames(t *testing.T) {
	s := cards(t, t.TempDir())
	s.insert("card")
	for _, name := range []string{"a", strings.Repeat("n", 39), "{1DC2F4A5-6B7C-4D8E-9F00-112233445566}", "../key", strings.Repeat("\U0001F511", 19), `\\.\card\qualified`} {
		s.created("ECDSA_P256", name, 0)
		s.opened(name, 0)
	}
	for _, name := range []string{strings.Repeat("n", 40), strings.Repeat("\U0001F511", 20), `a\b`, `\\.\`, `\\.\card`, `\\.\card\`, `\\.\\key`, `\\.\card\a\b`, "a\x00", "\xff"} {
		_, err := s.CreatePersistedKey(s.provider, "RSA", name, 0, overwrite)
		s.want("create "+name, err, nte.NTE_INVALID_PARAMETER)
		s.opens("open "+name, name, 0, nte.NTE_INVALID_PARAMETER)
	}
	if name := s.reads(s.opened("QUALIFIED", 0), "Name", 0, nte.ERROR_SUCCESS); !bytes.Equal(name, wide("qualified")) {
		t.Errorf("its name is %q", name)
	}
}

func TestB87eReaders(t *testing.T) {
	home := t.TempDir()
	s := cards(t, home)
	s.insert("one")
	s.insert("two")
	one, two := s.created("ECDSA_P256", `\\.\one\key`, 0), s.created("RSA", `\\.\two\key`, 0)
	only := s.created("ECDSA_P256", `\\.\two\only`, 0)
	s.opens("another reader's", `\\.\one\only`, 0, nte.NTE_BAD_KEYSET)
	s.opens("no reader", `\\.\three\key`, 0, nte.SCARD_E_NO_SMARTCARD)
	_, err := s.CreatePersistedKey(s.provider, "RSA", `\\.\two\KEY`, 0, 0)
	s.want("a taken name", err, nte.NTE_EXISTS)
	other := cards(t, home)
	for name, made := range map[string]ncryptmap.Handle{`\\.\one\key`: one, `\\.\two\key`: two, "only": only, `\\.\two\only`: only} {
		h := other.opened(name, 0)
		if !bytes.Equal(other.export(h, "PUBLICBLOB"), s.export(made, "PUBLICBLOB")) {
			t.Errorf("%s is another key", name)
		}
	}
	if reader := other.reads(other.opened("only", 0), "SmartCardReader", 0, nte.ERROR_SUCCESS); !bytes.Equal(reader, wide("two")) {
		t.Errorf("it is in reader %q", reader)
	}
	for scope, want := range map[string]int{"": 3, `\\.\one`: 1, `\\.\one\`: 1, `\\.\two\`: 2} {
		keys, err := s.EnumKeys(s.provider, scope, 0)
		if s.must(err); len(keys) != want {
			t.Errorf("%q has %v", scope, keys)
		}
	}
	_, err = s.EnumKeys(s.provider, `\\.\three\`, 0)
	s.want("no reader", err, nte.SCARD_E_NO_SMARTCARD)
	for _, scope := range []string{"one", `\\.\`, `\\.\one\key`} {
		_, err = s.EnumKeys(s.provider, scope, 0)
		s.want(scope, err, nte.NTE_INVALID_PARAMETER)
	}
}

// readOnlyHome has this test run in a process that has mounts of its own, where that home cannot be written.
const readOnlyHome = "NCRYPT11_TEST_READ_ONLY"

func TestB87fReadOnlyCard(t *testing.T) {
	if home := os.Getenv(readOnlyHome); home != "" {
		useReadOnly(t, home)
		return
	}
	home := t.TempDir()
	s := cards(t, home)
	s.insert("card", token.Roles...)
	s.created("ECDSA_P256", "key", 0)
	if err := exec.Command("unshare", "--user", "--map-root-user", "--mount", "true").Run(); err != nil {
		t.Skip("this system gives no user and mount namespaces: ", err)
	}
	const mounted = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && exec \"$2\" -test.run '^TestB87fReadOnlyCard$'"
	child := exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted, "sh", home, os.Args[0])
	child.Env = append(os.Environ(), readOnlyHome+"="+home)
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func useReadOnly(t *testing.T, home string) {
	s := cards(t, home)
	h := s.opened("key", 0)
	s.signs("a key of it", h, nte.ERROR_SUCCESS)
	s.want("delete", s.DeleteKey(h, 0), nte.SCARD_E_UNSUPPORTED_FEATURE)
	s.want("create", s.FinalizeKey(s.begun("ECDSA_P256", "other", 0), 0), nte.SCARD_E_UNSUPPORTED_FEATURE)
	s.refuses("import", "RSAPRIVATEBLOB", named("other"), rsa1024(t, "RSAPRIVATEBLOB"), 0, nte.SCARD_E_UNSUPPORTED_FEATURE)
	s.want("a property", s.SetProperty(h, "own", []byte{1}, onlyOwn), nte.SCARD_E_UNSUPPORTED_FEATURE)
}

func TestB87gNoKeyLeavesACard(t *testing.T) {
	s := cards(t, t.TempDir())
	s.insert("card", token.Roles...)
	h := s.begun("RSA", "key", 0)
	for _, policy := range []uint32{1, 2, 4, 8, 0x10} {
		s.want("export policy", s.set(h, "Export Policy", policy), nte.NTE_INVALID_PARAMETER)
	}
	s.must(s.set(h, "Export Policy", 0))
	s.must(s.FinalizeKey(h, 0))
	s.noExport("a card's", h, "RSAPRIVATEBLOB", nte.NTE_NOT_SUPPORTED)
	s.must(s.set(s.begun("RSA", "", 0), "Export Policy", 3)) // the software provider's
}

func TestB87hLegacyKeySpec(t *testing.T) {
	s := cards(t, t.TempDir())
	s.insert("card")
	for _, test := range []struct {
		algorithm     string
		asked, listed uint32
		status        nte.Status
	}{
		{"RSA", 0, 1, 0}, {"RSA", 1, 1, 0}, {"RSA", 2, 2, 0}, {"ECDSA_P256", 0, 2, 0}, {"ECDSA_P256", 2, 2, 0}, {"ECDH_P256", 0, 1, 0}, {"ECDH_P256", 1, 1, 0},
		{"ECDSA_P256", 1, 0, nte.NTE_INVALID_PARAMETER}, {"RSA", 3, 0, nte.NTE_INVALID_PARAMETER}, {"AES", 0, 0, nte.NTE_NOT_SUPPORTED},
	} {
		h, err := s.CreatePersistedKey(s.provider, test.algorithm, "key", test.asked, 0)
		s.want(test.algorithm, err, test.status)
		if err != nil {
			continue
		}
		s.must(s.FinalizeKey(h, 0))
		keys, err := s.EnumKeys(s.provider, "", 0)
		if s.must(err); len(keys) != 1 || keys[0].LegacyKeySpec != test.listed {
			t.Errorf("%v: %+v", test, keys)
		}
		for spec, want := range map[uint32]nte.Status{0: 0, test.listed: 0, 3 - test.listed: nte.NTE_BAD_KEYSET} {
			_, err := s.OpenKey(s.provider, "key", spec, 0)
			s.want("open", err, want)
		}
		s.must(s.DeleteKey(h, 0))
	}
}

func TestB87iPINs(t *testing.T) {
	home := t.TempDir()
	s := cards(t, home)
	officer, pin := secret.Copy([]byte("12345678")), secret.Copy([]byte("1234"))
	slot, err := s.engine.Create(&token.Spec{Label: "card", SmartCard: true, Scope: config.User}, officer)
	s.must(err)
	so, err := s.engine.Attach(slot)
	s.must(err)
	s.must(so.Login(ck.CKU_SO, officer))
	s.must(so.InitPIN(pin))
	s.must(so.Close())

	s.want("a wrong PIN", s.SetProperty(s.provider, "SmartCardPin", wide("4321"), 0), nte.SCARD_W_WRONG_CHV)
	s.must(s.SetProperty(s.provider, "SmartCardPin", wide("1234"), 0))
	s.created("ECDSA_P256", "key", 0)
	other := cards(t, home)
	other.opens("before the PIN", "key", 0, nte.NTE_SILENT_CONTEXT)
	other.must(other.SetProperty(other.provider, "SmartCardPin", wide("1234"), 0))
	other.signs("after it", other.opened("key", 0), nte.ERROR_SUCCESS)
	other.opens("no key", "none", 0, nte.NTE_BAD_KEYSET)
	other.must(other.FreeObject(other.provider))
	software, err := other.OpenStorageProvider("", 0)
	other.must(err)
	other.want("of software", other.SetProperty(software, "SmartCardPin", wide("1234"), 0), nte.NTE_NOT_SUPPORTED)
	guesser := cards(t, home)
	for range 10 {
		guesser.want("a guess", guesser.SetProperty(guesser.provider, "SmartCardPin", wide("4321"), 0), nte.SCARD_W_WRONG_CHV)
	}
	guesser.want("a guess too many", guesser.SetProperty(guesser.provider, "SmartCardPin", wide("1234"), 0), nte.SCARD_W_CHV_BLOCKED)
}

func TestB87jCardsAreApart(t *testing.T) {
	s := cards(t, t.TempDir())
	providers, err := s.EnumStorageProviders(0)
	s.must(err)
	if !slices.ContainsFunc(providers, func(p ncryptmap.ProviderName) bool { return p.Name == smartCards }) {
		t.Errorf("%v", providers)
	}
	s.insert("card")
	s.created("RSA", "card's", 0)
	software, err := s.OpenStorageProvider("", 0)
	s.must(err)
	_, err = s.OpenKey(software, "card's", 0, 0)
	s.want("a card's key", err, nte.NTE_BAD_KEYSET)
	h, err := s.CreatePersistedKey(software, "RSA", "software's", 0, 0)
	s.must(err)
	s.must(s.FinalizeKey(h, 0))
	s.opens("a key in software", "software's", 0, nte.NTE_BAD_KEYSET)
	for _, name := range []string{smartCards, "card"} { // the provider, and the token by its label
		p, err := s.OpenStorageProvider(name, 0)
		s.must(err)
		keys, err := s.EnumKeys(p, "", 0)
		if s.must(err); len(keys) != 1 || keys[0].Name != "card's" {
			t.Errorf("%s has %v", name, keys)
		}
	}
}

// ecBlob is a private key on P-256, of a group of algorithms.
func ecBlob(t *testing.T, group string) []byte {
	t.Helper()
	magic := map[string]uint32{"ECDSA": 0x32534345, "ECDH": 0x324b4345}[group]
	return append(dwords(magic), privateBlobs(t)["ECCPRIVATEBLOB"][4:]...)
}
