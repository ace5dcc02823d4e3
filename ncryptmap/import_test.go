package ncryptmap_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

func TestB20PublicKeyIsNotKept(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	h := s.imported("RSAPUBLICBLOB", "key", rsa1024(t, "RSAPUBLICBLOB"), 0)
	s.reads(h, "Name", 0, nte.NTE_NOT_SUPPORTED)
	s.opens("its name", "key", 0, nte.NTE_BAD_KEYSET)
	if n := len(s.names(0)); n != 0 {
		t.Errorf("%d keys are listed", n)
	}
	if n := objects(t, home); n != 0 {
		t.Errorf("%d objects are stored", n)
	}
	s.want("Delete", s.DeleteKey(h, 0), nte.NTE_INVALID_HANDLE)
}

func TestB21GenericBlobs(t *testing.T) {
	s := open(t, t.TempDir())
	for _, test := range [][2]string{{"PUBLICBLOB", "RSAPUBLICBLOB"}, {"PRIVATEBLOB", "RSAPRIVATEBLOB"}, {"PRIVATEBLOB", "RSAFULLPRIVATEBLOB"}} {
		h := s.imported(test[0], "", rsa1024(t, test[1]), 0)
		if !bytes.Equal(s.export(h, "PUBLICBLOB"), rsa1024(t, "RSAPUBLICBLOB")) {
			t.Errorf("%s as %s: it is another key", test[1], test[0])
		}
	}
	s.refuses("a private key as a public one", "PUBLICBLOB", nil, rsa1024(t, "RSAPRIVATEBLOB"), 0, nte.NTE_INVALID_PARAMETER)
}

func TestB22ImportFlags(t *testing.T) {
	s := open(t, t.TempDir())
	public, private := rsa1024(t, "RSAPUBLICBLOB"), rsa1024(t, "RSAPRIVATEBLOB")
	s.refuses("flags 0x31", "RSAPUBLICBLOB", nil, public, 0x31, nte.NTE_BAD_FLAGS)
	const taken = ncryptmap.NCRYPT_NO_KEY_VALIDATION | machineKey | ncryptmap.NCRYPT_SILENT_FLAG | overwrite | legacyKey | notFinal | requireVBS | preferVBS | perBoot
	for bit := uint32(1); bit != 0; bit <<= 1 {
		if bit&taken == 0 {
			s.refuses("a private key", "RSAPRIVATEBLOB", nil, private, bit, nte.NTE_BAD_FLAGS)
		}
		if bit&(ncryptmap.NCRYPT_NO_KEY_VALIDATION|ncryptmap.NCRYPT_SILENT_FLAG) == 0 {
			s.refuses("a public key", "RSAPUBLICBLOB", nil, public, bit, nte.NTE_BAD_FLAGS)
		}
	}
}

func TestB27RSAPrivateBlobSigns(t *testing.T) {
	s := open(t, t.TempDir())
	key := someRSA[1024]()
	for _, blobType := range []string{"RSAPRIVATEBLOB", "RSAFULLPRIVATEBLOB"} {
		h := s.imported(blobType, "", rsa1024(t, blobType), 0)
		signature := s.signs(blobType, h, nte.ERROR_SUCCESS)
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, 5, aHash, signature); err != nil { // crypto.SHA256
			t.Errorf("%s: %v", blobType, err)
		}
		s.must(s.set(h, "Export Policy", 3))
		for exported, n := range map[string]int{"RSAPRIVATEBLOB": 283, "RSAFULLPRIVATEBLOB": 603} {
			blob := s.export(h, exported)
			if len(blob) != n {
				t.Errorf("%s: %d bytes of %s", blobType, len(blob), exported)
			}
			again := s.imported(exported, "", blob, 0)
			if !bytes.Equal(s.signs("again", again, nte.ERROR_SUCCESS), signature) {
				t.Errorf("%s: another key is exported as %s", blobType, exported)
			}
		}
	}
}

func TestB28PolicyAfterImport(t *testing.T) {
	s := open(t, t.TempDir())
	for blobType, blob := range privateBlobs(t) {
		if policy := s.dword(s.imported(blobType, "", blob, 0), "Export Policy"); policy != 0 {
			t.Errorf("%s: %#x", blobType, policy)
		}
	}
}

// privateBlobs are one private or secret key of each kind that the engine has.
func privateBlobs(t *testing.T) map[string][]byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	d, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	ecc := slices.Concat(dwords(0x32534345, 32), point.Bytes()[1:], d)
	return map[string][]byte{
		"RSAPRIVATEBLOB": rsa1024(t, "RSAPRIVATEBLOB"), "RSAFULLPRIVATEBLOB": rsa1024(t, "RSAFULLPRIVATEBLOB"), "ECCPRIVATEBLOB": ecc,
		"KeyDataBlob":          append(dwords(0x4d42444b, 1, 32), aHash...),
		"PQDSAPRIVATESEEDBLOB": pqBlob("DSSS", "44", aHash), "MLKEMPRIVATESEEDBLOB": pqBlob("MLKS", "768", make([]byte, 64)),
	}
}

func TestB29PolicyOfKeysThatAreNotKept(t *testing.T) {
	s := open(t, t.TempDir())
	for blobType, blob := range privateBlobs(t) {
		h := s.imported(blobType, "", blob, 0)
		s.noExport("before", h, blobType, nte.NTE_NOT_SUPPORTED)
		s.must(s.set(h, "Export Policy", 3))
		if got := s.export(h, blobType); blobType != "RSAFULLPRIVATEBLOB" && !bytes.Equal(got, blob) { // d may be another that does the same
			t.Errorf("%s: %x, want %x", blobType, got, blob)
		}
		s.must(s.set(h, "Export Policy", 0))
		s.noExport("after", h, blobType, nte.NTE_NOT_SUPPORTED)
	}
	h := s.created("ECDSA_P256", "", 0)
	s.must(s.set(h, "Export Policy", 3))
	s.export(h, "ECCPRIVATEBLOB")
}

func TestB30PolicyOfKeysThatAreKept(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.imported("RSAPRIVATEBLOB", "key", rsa1024(t, "RSAPRIVATEBLOB"), 0)
	for _, h := range []ncryptmap.Handle{h, s.opened("key", 0), s.created("ECDSA_P256", "other", 0)} {
		for _, policy := range []uint32{1, 3, 0} {
			s.want("Export Policy", s.set(h, "Export Policy", policy), nte.NTE_NOT_SUPPORTED)
		}
	}
	s.noExport("kept", h, "RSAPRIVATEBLOB", nte.NTE_NOT_SUPPORTED)
}

func TestB31PlainExportOfKeysThatMayNot(t *testing.T) {
	s := open(t, t.TempDir())
	for _, name := range []string{"", "key"} {
		h, err := s.ImportKey(s.provider, 0, "RSAPRIVATEBLOB", named(name), rsa1024(t, "RSAPRIVATEBLOB"), notFinal)
		s.must(err)
		s.must(s.set(h, "Export Policy", 1))
		s.must(s.FinalizeKey(h, 0))
		for _, blobType := range []string{"RSAFULLPRIVATEBLOB", "RSAPRIVATEBLOB", "PKCS8_PRIVATEKEY"} {
			s.noExport("policy 1", h, blobType, nte.NTE_NOT_SUPPORTED)
		}
	}
	if policy := s.dword(s.opened("key", 0), "Export Policy"); policy != 1 {
		t.Errorf("policy %d is kept", policy)
	}
}

func TestB32NoExport(t *testing.T) {
	s := open(t, t.TempDir())
	for blobType, blob := range privateBlobs(t) {
		for _, h := range []ncryptmap.Handle{s.imported(blobType, "", blob, 0), s.imported(blobType, "key", blob, overwrite), s.opened("key", 0)} {
			s.noExport("policy 0", h, blobType, nte.NTE_NOT_SUPPORTED)
		}
	}
}

func TestB33ImportWithAName(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	for blobType, blob := range privateBlobs(t) {
		before := len(s.names(0))
		s.imported(blobType, blobType, blob, 0)
		other := open(t, home)
		other.opened(blobType, 0)
		if n := len(other.names(0)); n != before+1 {
			t.Errorf("%s: %d keys, there were %d", blobType, n, before)
		}
	}
}

func TestB34ImportOfATakenName(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	public := s.export(s.created("ECDSA_P256", "key", 0), "PUBLICBLOB")
	for blobType, blob := range privateBlobs(t) {
		for _, flags := range []uint32{0, notFinal} {
			s.refuses(blobType, blobType, named("KEY"), blob, flags, nte.NTE_EXISTS)
		}
	}
	s.refuses("what nobody looked into", "RSAPRIVATEBLOB", named("key"), []byte{1}, 0, nte.NTE_EXISTS)
	if !bytes.Equal(s.export(s.opened("key", 0), "PUBLICBLOB"), public) || objects(t, home) != 2 {
		t.Error("something has changed")
	}
}

func TestB36ImportInSteps(t *testing.T) {
	s := open(t, t.TempDir())
	for blobType, blob := range privateBlobs(t) {
		h := s.imported(blobType, "key", blob, notFinal)
		s.opens(blobType, "key", 0, nte.NTE_BAD_KEYSET)
		s.must(s.set(h, "Export Policy", 3))
		s.must(s.set(h, "Key Usage", 1))
		s.must(s.FinalizeKey(h, 0))
		opened := s.opened("key", 0)
		if policy, usage := s.dword(opened, "Export Policy"), s.dword(opened, "Key Usage"); policy != 3 || usage&^1 != 0 {
			t.Errorf("%s: policy %d, usage %#x", blobType, policy, usage)
		}
		s.export(opened, blobType)
		s.must(s.DeleteKey(opened, 0))
	}
}

func TestB37FlagsOfPublicBlobs(t *testing.T) {
	s := open(t, t.TempDir())
	for _, blobType := range []string{"RSAPUBLICBLOB", "PUBLICBLOB"} {
		for _, flag := range []uint32{notFinal, overwrite, machineKey, legacyKey, requireVBS} {
			s.refuses(blobType, blobType, nil, rsa1024(t, "RSAPUBLICBLOB"), flag, nte.NTE_BAD_FLAGS)
		}
	}
}

func TestB38WrongMagic(t *testing.T) {
	s := open(t, t.TempDir())
	blob := privateBlobs(t)["ECCPRIVATEBLOB"]
	copy(blob, dwords(0x31534345)) // ECS1: public
	s.refuses("a public key as a private one", "ECCPRIVATEBLOB", nil, blob, 0, nte.NTE_NOT_SUPPORTED)
}

func TestB39B40CurvesByName(t *testing.T) {
	s := open(t, t.TempDir())
	blob := privateBlobs(t)["ECCPRIVATEBLOB"]
	copy(blob, dwords(0x56444345)) // ECDV
	const curve = ncryptmap.NCRYPTBUFFER_ECC_CURVE_NAME
	s.refuses("a curve that there is not", "ECCPRIVATEBLOB", list(curve, wide("nistP999")), blob, 0, nte.NTE_INVALID_PARAMETER)
	h, err := s.ImportKey(s.provider, 0, "ECCPRIVATEBLOB", list(curve, wide("nistP256")), blob, 0)
	s.must(err)
	if name := s.reads(h, "ECCCurveName", 0, nte.ERROR_SUCCESS); !bytes.Equal(name, wide("nistP256")) {
		t.Errorf("%q", name)
	}
	// The engine has NIST's curves only. Blobs of keys on others can be read, but nobody can compute with them.
	s.refuses("a curve that the engine has not", "ECCPRIVATEBLOB", list(curve, wide("secP256k1")), blob, 0, nte.NTE_NOT_SUPPORTED)
	for name, algorithm := range map[string]string{"nistP256": "ECDSA_P256", "nistP384": "ECDSA_P384", "nistP521": "ECDSA_P521"} {
		generic := s.begun("ECDSA", "", 0)
		s.want("without a curve", s.FinalizeKey(generic, 0), nte.NTE_INVALID_PARAMETER)
		s.want("a curve that there is not", s.SetProperty(generic, "ECCCurveName", wide("nistP999"), 0), nte.NTE_INVALID_PARAMETER)
		s.must(s.SetProperty(generic, "ECCCurveName", wide(name), 0))
		s.must(s.FinalizeKey(generic, 0))
		again := s.imported("ECCPUBLICBLOB", "", s.export(generic, "ECCPUBLICBLOB"), 0)
		for _, h := range []ncryptmap.Handle{generic, again} {
			curve, now := s.reads(h, "ECCCurveName", 0, nte.ERROR_SUCCESS), s.reads(h, "Algorithm Name", 0, nte.ERROR_SUCCESS)
			if !bytes.Equal(curve, wide(name)) || !bytes.Equal(now, wide(algorithm)) {
				t.Errorf("%s: %q, %q", name, curve, now)
			}
		}
	}
}

func TestB47LegacyStore(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	s.refuses("import", "RSAPRIVATEBLOB", named("key"), rsa1024(t, "RSAPRIVATEBLOB"), legacyKey, nte.NTE_NOT_SUPPORTED)
	h := s.begun("RSA", "key", 0)
	s.want("Finalize", s.FinalizeKey(h, legacyKey), nte.NTE_NOT_SUPPORTED)
	s.signs("the key", h, nte.NTE_BAD_KEY_STATE)
	if n := objects(t, home); n != 0 {
		t.Errorf("%d objects are stored", n)
	}
	for _, flag := range []uint32{requireVBS, preferVBS, perBoot} {
		s.refuses("isolated as well", "RSAPRIVATEBLOB", nil, rsa1024(t, "RSAPRIVATEBLOB"), legacyKey|flag, nte.NTE_BAD_FLAGS)
	}
	_, err := s.CreatePersistedKey(s.provider, "RSA", "", 0, legacyKey)
	s.want("Create", err, nte.NTE_BAD_FLAGS)
}

func TestB48ImportByProperty(t *testing.T) {
	s := open(t, t.TempDir())
	public := rsa1024(t, "RSAPUBLICBLOB")
	for property, blobType := range map[string]string{"PRIVATEBLOB": "RSAPRIVATEBLOB", "RSAPRIVATEBLOB": "RSAPRIVATEBLOB", "RSAFULLPRIVATEBLOB": "RSAFULLPRIVATEBLOB"} {
		h := s.begun("RSA", "key", 0)
		s.must(s.set(h, "Length", 2048))
		s.must(s.SetProperty(h, "Export Policy", dwords(3), ncryptmap.NCRYPT_PERSIST_FLAG))
		s.must(s.SetProperty(h, property, rsa1024(t, blobType), 0))
		s.reads(h, property, 0, nte.NTE_NOT_SUPPORTED)
		s.must(s.FinalizeKey(h, 0))
		if !bytes.Equal(s.export(h, "PUBLICBLOB"), public) || s.dword(h, "Length") != 1024 {
			t.Errorf("%s: it is another key", property)
		}
		if !bytes.Equal(s.export(s.opened("key", 0), "RSAPRIVATEBLOB"), rsa1024(t, "RSAPRIVATEBLOB")) {
			t.Errorf("%s: another key is kept", property)
		}
		s.want("final", s.SetProperty(h, property, rsa1024(t, blobType), 0), nte.NTE_BAD_KEY_STATE)
		s.must(s.DeleteKey(h, 0))
	}
	h := s.begun("ECDSA_P256", "", 0)
	s.want("a key of another kind", s.SetProperty(h, "RSAPRIVATEBLOB", rsa1024(t, "RSAPRIVATEBLOB"), 0), nte.NTE_BAD_TYPE)
	s.want("a public key", s.SetProperty(h, "ECCPUBLICBLOB", aHash, 0), nte.NTE_NOT_SUPPORTED)
	other := rsaBlob(someRSA[2048](), "RSAPRIVATEBLOB")
	imported := s.imported("RSAPRIVATEBLOB", "", other, notFinal)
	s.must(s.SetProperty(imported, "RSAPRIVATEBLOB", rsa1024(t, "RSAPRIVATEBLOB"), 0))
	s.must(s.FinalizeKey(imported, 0))
	if !bytes.Equal(s.export(imported, "PUBLICBLOB"), public) {
		t.Error("the blob that came later does not count")
	}
}

func TestB53B54PlainKeyData(t *testing.T) {
	s := open(t, t.TempDir())
	good := privateBlobs(t)["KeyDataBlob"]
	h := s.imported("KeyDataBlob", "", good, 0)
	if s.dword(h, "Length") != 256 {
		t.Error("another length")
	}
	for what, blob := range map[string][]byte{"short": good[:len(good)-1], "long": append(slices.Clone(good), 0), "no header": good[:8]} {
		s.refuses(what, "KeyDataBlob", nil, blob, 0, nte.NTE_BAD_DATA)
	}
}

func TestB56UnknownBlob(t *testing.T) {
	s := open(t, t.TempDir())
	s.refuses("Import", "ROT13BLOB", nil, aHash, 0, nte.NTE_NOT_SUPPORTED)
	s.refuses("Import of nothing", "RSAPRIVATEBLOB", nil, nil, 0x10, nte.NTE_INVALID_PARAMETER)
	s.noExport("a key", s.created("ECDSA_P256", "", 0), "ROT13BLOB", nte.NTE_INVALID_PARAMETER)
	s.noExport("a key of another kind", s.created("ECDSA_P256", "", 0), "RSAPUBLICBLOB", nte.NTE_BAD_TYPE)
}

func TestB57UnnamedKeyEndsWithItsProgram(t *testing.T) {
	home := t.TempDir()
	open(t, home).imported("RSAPRIVATEBLOB", "", rsa1024(t, "RSAPRIVATEBLOB"), 0) // and never freed
	if n := len(open(t, home).names(0)) + objects(t, home); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}
