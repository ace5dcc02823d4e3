package ncryptmap_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// rapw is a PKCS11RsaAesWrapBlob of which OpenSSL makes the part that RFC 5649 describes, and Go OAEP.
func rapw(t testing.TB, to *rsa.PublicKey, h hash.Hash, name, label string, aesLen int, plain []byte) []byte {
	t.Helper()
	key := make([]byte, aesLen)
	rand.Read(key)
	transported, err := rsa.EncryptOAEP(h, rand.Reader, to, key, []byte(label))
	if err != nil {
		t.Fatal(err)
	}
	cipher := map[int]string{16: "-id-aes128-wrap-pad", 24: "-id-aes192-wrap-pad", 32: "-id-aes256-wrap-pad"}[aesLen]
	wrapped := openssl(t, map[string][]byte{"in": plain}, "out", "enc", cipher, "-K", hex.EncodeToString(key), "-iv", "A65959A6", "-in", "in", "-out", "out")
	var out []byte
	for _, v := range []uint32{0x57504152, uint32(len(transported) + len(wrapped)), uint32(len(utf16z(name))), uint32(len(label))} {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return slices.Concat(out, transported, wrapped, utf16z(name), []byte(label))
}

func TestB49B50B52RSAAESWrap(t *testing.T) {
	s := open(t, t.TempDir())
	owner, handle := s.unwrapper("owner", plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG)
	algorithms := map[string]string{"RSA": "RSA", "P-256": "ECDSA_P256", "P-384": "ECDH_P384", "P-521": "ECDSA"}
	for i, h := range []struct {
		name, label string
		hash        hash.Hash
		aesLen      int
	}{
		{"SHA1", "", sha1.New(), 16}, {"SHA256", "label", sha256.New(), 24}, {"SHA384", "", sha512.New384(), 32}, {"SHA512", "", sha512.New(), 32},
	} {
		for name, key := range samples() {
			data := rapw(t, &owner.PublicKey, h.hash, h.name, h.label, h.aesLen, pkcs8(t, key))
			algorithm := utf16z(algorithms[name])
			params := with(ncryptmap.NCRYPTBUFFER_PKCS_ALG_ID, algorithm[:len(algorithm)-2*(i%2)]) // with its NUL, and without
			k, err := s.ImportKey(s.provider, handle, "PKCS11RsaAesWrapBlob", params, data, 0)
			s.must(err)
			s.isKey(k, key)
			if got := s.dword(k, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY); got != 0 {
				t.Errorf("export policy %d", got)
			}
		}
	}
	for _, n := range []int{16, 24, 32} {
		data := rapw(t, &owner.PublicKey, sha256.New(), "SHA256", "", 32, make([]byte, n))
		params := with(ncryptmap.NCRYPTBUFFER_PKCS_ALG_ID, "AES", ncryptmap.NCRYPTBUFFER_PKCS_KEY_NAME, "kept")
		k, err := s.ImportKey(s.provider, handle, "PKCS11RsaAesWrapBlob", params, data, ncryptmap.NCRYPT_OVERWRITE_KEY_FLAG)
		s.must(err)
		if got := s.dword(k, ncryptmap.NCRYPT_LENGTH_PROPERTY); got != uint32(8*n) {
			t.Errorf("AES of %d bytes has %d bits", n, got)
		}
		if got := s.dword(s.opened("kept", 0), ncryptmap.NCRYPT_LENGTH_PROPERTY); got != uint32(8*n) {
			t.Errorf("what is kept has %d bits", got)
		}
	}
}

func TestB51RSAAESWrapThatDoesNotOpen(t *testing.T) {
	s := open(t, t.TempDir())
	owner, handle := s.unwrapper("owner", plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG)
	_, other := s.unwrapper("other", plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG)
	plain := pkcs8(t, samples()["P-256"])
	good := rapw(t, &owner.PublicKey, sha256.New(), "SHA256", "", 32, plain)
	asRSA, asEC := with(ncryptmap.NCRYPTBUFFER_PKCS_ALG_ID, "RSA"), with(ncryptmap.NCRYPTBUFFER_PKCS_ALG_ID, "ECDSA_P256")
	for name, test := range map[string]struct {
		by     ncryptmap.Handle
		params *ncryptmap.Buffers
		data   []byte
		want   nte.Status
	}{
		"another hash":           {handle, asEC, rapw(t, &owner.PublicKey, sha256.New(), "SHA1", "", 32, plain), nte.NTE_BAD_DATA},
		"a hash that is none":    {handle, asEC, rapw(t, &owner.PublicKey, sha256.New(), "SHA3", "", 32, plain), nte.NTE_NOT_SUPPORTED},
		"another algorithm":      {handle, asRSA, good, nte.NTE_BAD_DATA},
		"another curve":          {handle, with(ncryptmap.NCRYPTBUFFER_PKCS_ALG_ID, "ECDSA_P384"), good, nte.NTE_BAD_TYPE},
		"an algorithm of nobody": {handle, with(ncryptmap.NCRYPTBUFFER_PKCS_ALG_ID, "WHAT"), good, nte.NTE_NOT_SUPPORTED},
		"no algorithm":           {handle, nil, good, nte.NTE_INVALID_PARAMETER},
		"another key":            {other, asEC, good, nte.NTE_BAD_DATA},
		"no key":                 {0, asEC, good, nte.NTE_INVALID_PARAMETER},
		"cut off":                {handle, asEC, good[:len(good)-1], nte.NTE_BAD_DATA},
		"no header":              {handle, asEC, good[:15], nte.NTE_BAD_DATA},
		"another magic":          {handle, asEC, append([]byte("RAPX"), good[4:]...), nte.NTE_INVALID_PARAMETER},
		"lengths beyond it":      {handle, asEC, slices.Concat(good[:4], []byte{255, 255, 255, 255}, good[8:]), nte.NTE_BAD_DATA},
	} {
		h, err := s.ImportKey(s.provider, test.by, "PKCS11RsaAesWrapBlob", test.params, test.data, 0)
		s.want(name, err, test.want)
		if h != 0 {
			t.Errorf("%s: there is a key", name)
		}
	}
	_, err := s.ImportKey(s.provider, handle, "PKCS8_PRIVATEKEY", nil, plain, 0)
	s.want("a blob that is under no key", err, nte.NTE_NOT_SUPPORTED)
}

// What is exported under a key comes back under it, and two keys under each other wait for nobody.
func TestWrappedExports(t *testing.T) {
	s := open(t, t.TempDir())
	_, rsaHandle := s.unwrapper("owner", plan.NCRYPT_ALLOW_ALL_USAGES)
	aes := s.begun("AES", "", 0)
	s.must(s.set(aes, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, plan.NCRYPT_ALLOW_EXPORT_FLAG))
	s.must(s.FinalizeKey(aes, 0))
	key := samples()["P-256"]
	h := s.took("PKCS8_PRIVATEKEY", with(ncryptmap.NCRYPTBUFFER_PKCS_KEY_NAME, "leaves"), pkcs8(t, key), ncryptmap.NCRYPT_DO_NOT_FINALIZE_FLAG)
	s.must(s.set(h, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, plan.NCRYPT_ALLOW_PKCS11_RSA_AES_EXPORT_FLAG))
	s.must(s.FinalizeKey(h, 0))
	out, err := s.ExportKey(h, rsaHandle, "PKCS11RsaAesWrapBlob", with(ncryptmap.NCRYPTBUFFER_PKCS_PADDING_ALGO, "SHA384", ncryptmap.NCRYPTBUFFER_PKCS_PADDING_LABEL, []byte("l")), 0)
	s.must(err)
	defer out.Close()
	back, err := s.ImportKey(s.provider, rsaHandle, "PKCS11RsaAesWrapBlob", with(ncryptmap.NCRYPTBUFFER_PKCS_ALG_ID, "ECDSA_P256"), out.Bytes(), 0)
	s.must(err)
	s.isKey(back, key)
	_, err = s.ExportKey(h, aes, "Rfc3565KeyWrapBlob", nil, 0)
	s.want("another form than its policy allows", err, nte.NTE_NOT_SUPPORTED)

	second := s.begun("AES", "", 0)
	s.must(s.set(second, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, plan.NCRYPT_ALLOW_EXPORT_FLAG))
	s.must(s.FinalizeKey(second, 0))
	var wg sync.WaitGroup
	for range 20 {
		for _, pair := range [][2]ncryptmap.Handle{{aes, second}, {second, aes}, {aes, aes}} {
			wg.Go(func() {
				wrapped, err := s.ExportKey(pair[0], pair[1], "Rfc3565KeyWrapBlob", nil, 0)
				if err != nil {
					t.Error(err)
					return
				}
				defer wrapped.Close()
				k, err := s.ImportKey(s.provider, pair[1], "Rfc3565KeyWrapBlob", nil, wrapped.Bytes(), 0)
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.FreeObject(k); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
}

// witness is a guard that writes down what it gives to the program in plaintext, and what it is given.
type witness struct {
	guard.Keys
	mu       sync.Mutex
	most     int // bytes that it decrypted for the program at most
	imported bool
	unwraps  int
}

func (w *witness) Decrypt(dst []byte, ref guard.Ref, m *mech.Scheme, data []byte) ([]byte, error) {
	w.mu.Lock()
	w.most = max(w.most, len(data))
	w.mu.Unlock()
	return w.Keys.Decrypt(dst, ref, m, data)
}

func (w *witness) Import(v guard.Vault, m *guard.Material, p *guard.Policy) (*guard.Key, error) {
	w.mu.Lock()
	w.imported = w.imported || m.Class == ck.CKO_PRIVATE_KEY
	w.mu.Unlock()
	return w.Keys.Import(v, m, p)
}

func (w *witness) Unwrap(v guard.Vault, r guard.Ref, m *mech.Scheme, data []byte, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
	w.mu.Lock()
	w.unwraps++
	w.mu.Unlock()
	return w.Keys.Unwrap(v, r, m, data, spec, p)
}

func (w *witness) Reveal(guard.Ref) (*guard.Revealed, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.imported = true
	return nil, ck.CKR_ATTRIBUTE_SENSITIVE
}

// The program never has the plaintext of a key that comes under a password or in an envelope, or leaves so: it sees the head, in which there is no secret.
func TestProgramsDoNotSeeWhatIsEncrypted(t *testing.T) {
	w := &witness{}
	s := over(t, engineOver(t, t.TempDir(), func(*store.Header) (guard.Keys, error) {
		w.Keys = local.New(pinseal.New(cheap))
		return w, nil
	}))
	owner, _ := s.unwrapper("owner", plan.NCRYPT_ALLOW_ALL_USAGES)
	cert := certificate(t, owner, 1)
	for name, key := range samples() {
		w.most, w.imported, w.unwraps = 0, false, 0
		password := with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, "x", ncryptmap.NCRYPTBUFFER_PKCS_KEY_NAME, "kept "+name)
		data := openssl(t, map[string][]byte{"key": pkcs8(t, key)}, "out",
			"pkcs8", "-topk8", "-inform", "DER", "-in", "key", "-outform", "DER", "-out", "out", "-passout", "pass:x")
		h := s.took("PKCS8_PRIVATEKEY", password, data, ncryptmap.NCRYPT_DO_NOT_FINALIZE_FLAG)
		s.must(s.set(h, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, plan.NCRYPT_ALLOW_EXPORT_FLAG))
		s.must(s.FinalizeKey(h, 0))
		s.isKey(h, key)
		for blobType, params := range map[string]*ncryptmap.Buffers{
			"PKCS8_PRIVATEKEY": with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, "y", ncryptmap.NCRYPTBUFFER_PKCS_ALG_PARAM, rounds(1, "salt")),
			"PKCS7_ENVELOPE":   with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, cert),
		} {
			out, err := s.ExportKey(h, 0, blobType, params, 0)
			s.must(err)
			s.isKey(s.took(blobType, params, out.Bytes(), 0), key)
			out.Close()
		}
		if w.most > 32 || w.imported || w.unwraps < 6 {
			t.Errorf("%s: the program had %d bytes in plaintext, or the key (%v); %d unwrapped", name, w.most, w.imported, w.unwraps)
		}
	}
}
