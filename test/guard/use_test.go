package guard_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

func TestImportedKeysWork(t *testing.T) {
	t.Parallel()
	s, h, session := loggedIn(t)
	handles := h.importAll(session)
	for name, key := range handles {
		if !h.is(session, key, ck.CKA_NCRYPT_ISOLATED) || !h.is(session, key, ck.CKA_NCRYPT_USABLE) || h.is(session, key, ck.CKA_NCRYPT_PER_BOOT) {
			t.Errorf("%s is not isolated, not usable or per boot", name)
		}
	}
	checkUses(h, session, handles)

	// Another process has the same keys, by other handles.
	other := s.host()
	session = other.user()
	handles = map[string]uint64{"aes": other.find(session, "aes", ck.CKO_SECRET_KEY)}
	for _, w := range ways() {
		handles[w.name] = other.find(session, w.name, ck.CKO_PRIVATE_KEY)
	}
	checkUses(other, session, handles)
	if n := len(s.guards()); n != 1 {
		t.Errorf("%d guards serve two programs", n)
	}
	h.end()
	other.must("finalize")
	other.end()
}

// checkUses does with the tests' keys what they are for, and compares with Go's own library.
func checkUses(h *host, session uint64, handles map[string]uint64) {
	h.t.Helper()
	for _, w := range ways() {
		h.signs(session, handles[w.name], w)
	}
	checkRSADecryption(h, session, handles["rsa"])
	checkAgreement(h, session, handles["ec"])
	checkAES(h, session, handles["aes"])
}

func checkRSADecryption(h *host, session, key uint64) {
	h.t.Helper()
	sealed, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &testKeys().rsa.PublicKey, testKeys().aes, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	// CK_RSA_PKCS_OAEP_PARAMS: the hash, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, no label.
	var parameter []byte
	for _, n := range []uint64{uint64(ck.CKM_SHA256), 2, 1, 0, 0} {
		parameter = binary.NativeEndian.AppendUint64(parameter, n)
	}
	oaep := with(ck.CKM_RSA_PKCS_OAEP, parameter)
	if got := h.must("decrypt", session, oaep, key, sealed, 0).bytes(0); !bytes.Equal(got, testKeys().aes) {
		h.t.Error("RSA decryption is wrong")
	}
	unwrapped := h.must("unwrap", session, oaep, key, sealed, secretAttributes(ck.CKK_GENERIC_SECRET)).number(0)
	checkMAC(h, session, unwrapped, testKeys().aes)
}

// checkMAC checks that a generic secret is the one that it should be.
func checkMAC(h *host, session, key uint64, secret []byte) {
	h.t.Helper()
	mac := hmac.New(sha256.New, secret)
	mac.Write(message)
	if got := h.must("sign", session, ck.CKM_SHA256_HMAC, key, message).bytes(0); !bytes.Equal(got, mac.Sum(nil)) {
		h.t.Error("the HMAC is wrong")
	}
	h.must("verify", session, ck.CKM_SHA256_HMAC, key, message, mac.Sum(nil))
	h.want(ck.CKR_SIGNATURE_INVALID, "verify", session, ck.CKM_SHA256_HMAC, key, message, make([]byte, 32))
	if !h.is(session, key, ck.CKA_NCRYPT_ISOLATED) {
		h.t.Error("the key is not isolated")
	}
}

// secretAttributes are those of a secret key that is made of other keys.
func secretAttributes(kind ck.KeyType) template {
	return template{
		attr(ck.CKA_CLASS, ck.CKO_SECRET_KEY), attr(ck.CKA_KEY_TYPE, kind), attr(ck.CKA_SIGN, true), attr(ck.CKA_VERIFY, true),
		attr(ck.CKA_SENSITIVE, true), attr(ck.CKA_EXTRACTABLE, false),
	}
}

func checkAgreement(h *host, session, key uint64) {
	h.t.Helper()
	peer, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	own, err := testKeys().ec.ECDH()
	if err != nil {
		h.t.Fatal(err)
	}
	shared, err := peer.ECDH(own.PublicKey())
	if err != nil {
		h.t.Fatal(err)
	}
	mechanism := spelled(ck.CKM_ECDH1_DERIVE) + ":ecdh:" + spelled(peer.PublicKey().Bytes())
	derived := h.must("derive", session, mechanism, key, append(secretAttributes(ck.CKK_GENERIC_SECRET), attr(ck.CKA_VALUE_LEN, 32))).number(0)
	checkMAC(h, session, derived, shared)
}

func checkAES(h *host, session, key uint64) {
	h.t.Helper()
	block, err := aes.NewCipher(testKeys().aes)
	if err != nil {
		h.t.Fatal(err)
	}
	iv, plain := make([]byte, 16), bytes.Repeat([]byte{7}, 3*16)
	want := make([]byte, len(plain))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(want, plain)
	for _, part := range []int{0, 16, 7} { // at once, by blocks, and by parts that fit no block
		if got := h.must("encrypt", session, with(ck.CKM_AES_CBC, iv), key, plain, part).bytes(0); !bytes.Equal(got, want) {
			h.t.Errorf("AES-CBC in parts of %d is wrong", part)
		}
		padded := h.must("encrypt", session, with(ck.CKM_AES_CBC_PAD, iv), key, plain[:20], part).bytes(0)
		if got := h.must("decrypt", session, with(ck.CKM_AES_CBC_PAD, iv), key, padded, part).bytes(0); !bytes.Equal(got, plain[:20]) {
			h.t.Errorf("AES-CBC with padding in parts of %d is wrong", part)
		}
	}
}

func TestGeneratedKeysWork(t *testing.T) {
	t.Parallel()
	_, h, session := loggedIn(t)
	for _, c := range generations() {
		got := h.must("pair", session, c.mechanism, append(kept(c.name, true), c.public...), "/", append(kept(c.name, true), attr(ck.CKA_SIGN, true)))
		public, private := got.number(0), got.number(1)
		signature := h.must("sign", session, c.signs, private, digest[:]).bytes(0)
		h.must("verify", session, c.signs, public, digest[:], signature)
		signature[0] ^= 1
		h.want(ck.CKR_SIGNATURE_INVALID, "verify", session, c.signs, public, digest[:], signature)
		if !h.is(session, private, ck.CKA_NCRYPT_ISOLATED) {
			t.Errorf("%s is not isolated", c.name)
		}
		h.want(ck.CKR_ATTRIBUTE_SENSITIVE, "get", session, private, c.secret)
	}
	aesKey := h.must("generate", session, ck.CKM_AES_KEY_GEN, kept("aes", true), attr(ck.CKA_VALUE_LEN, 32), attr(ck.CKA_ENCRYPT, true), attr(ck.CKA_DECRYPT, true)).number(0)
	sealed := h.must("encrypt", session, with(ck.CKM_AES_CBC_PAD, make([]byte, 16)), aesKey, message, 0).bytes(0)
	if got := h.must("decrypt", session, with(ck.CKM_AES_CBC_PAD, make([]byte, 16)), aesKey, sealed, 0).bytes(0); !bytes.Equal(got, message) {
		t.Error("what was encrypted is not decrypted")
	}
}

// generation makes a key pair.
type generation struct {
	name      string
	mechanism ck.MechanismType
	public    template
	signs     ck.MechanismType
	secret    ck.AttributeType
}

func generations() []generation {
	return []generation{
		{"new rsa", ck.CKM_RSA_PKCS_KEY_PAIR_GEN, template{attr(ck.CKA_MODULUS_BITS, 2048), attr(ck.CKA_VERIFY, true)}, ck.CKM_SHA256_RSA_PKCS, ck.CKA_PRIME_1},
		{"new ec", ck.CKM_EC_KEY_PAIR_GEN, template{attr(ck.CKA_EC_PARAMS, p256), attr(ck.CKA_VERIFY, true)}, ck.CKM_ECDSA, ck.CKA_VALUE},
		{"new edwards", ck.CKM_EC_EDWARDS_KEY_PAIR_GEN, template{attr(ck.CKA_EC_PARAMS, ed25519Params), attr(ck.CKA_VERIFY, true)}, ck.CKM_EDDSA, ck.CKA_VALUE},
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	s, _ := newSite(t)
	s.newToken()
	s.run("import", keyFile(t, testKeys().rsa), "--label", "rsa", "--pin", userPIN)
	s.run("generate", "ed25519", "--label", "made", "--pin", userPIN)
	h := s.host()
	session := h.user()
	h.signs(session, h.find(session, "rsa", ck.CKO_PRIVATE_KEY), ways()[0])
	h.must("sign", session, ck.CKM_EDDSA, h.find(session, "made", ck.CKO_PRIVATE_KEY), message)
}

// keyFile is a file with a key.
func keyFile(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLogoutLocksKeys(t *testing.T) {
	t.Parallel()
	s, h, session := loggedIn(t)
	handles := h.importAll(session)
	w := ways()[0]
	h.signs(session, handles["rsa"], w)
	loaded := s.report().Keys
	h.must("logout", session)
	if now := s.report().Keys; now >= loaded {
		t.Errorf("the guard has %d keys loaded after a logout, and had %d", now, loaded)
	}
	h.want(ck.CKR_KEY_HANDLE_INVALID, "sign", session, w.mechanism, handles["rsa"], w.data)
	if found := h.must("find", session, attr(ck.CKA_CLASS, ck.CKO_PRIVATE_KEY)); len(found) != 0 {
		t.Errorf("%d private keys are found after a logout", len(found))
	}
	h.must("login", session, ck.CKU_USER, []byte(userPIN))
	h.signs(session, h.find(session, "rsa", ck.CKO_PRIVATE_KEY), w)
}

func TestNoLogin(t *testing.T) {
	t.Parallel()
	s, _ := newSite(t)
	s.run("init", "--label", label, "--policy", "vbs-required", "--login", "none")
	h := s.host()
	session := h.session()
	handles := h.importAll(session)
	checkUses(h, session, handles)
	other := s.host()
	session = other.session()
	other.must("login", session, ck.CKU_USER, []byte("anything"))
	other.signs(session, other.find(session, "rsa", ck.CKO_PRIVATE_KEY), ways()[0])
}
