package guard_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"maps"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// rsaSecrets are the numbers from any of which an RSA key can be had.
func rsaSecrets(name string, k *rsa.PrivateKey) secrets {
	return secrets{
		name + " private exponent": k.D.Bytes(), name + " first prime": k.Primes[0].Bytes(), name + " second prime": k.Primes[1].Bytes(),
		name + " first exponent": k.Precomputed.Dp.Bytes(), name + " second exponent": k.Precomputed.Dq.Bytes(), name + " coefficient": k.Precomputed.Qinv.Bytes(),
	}
}

// importedSecrets are those of the tests' keys.
func importedSecrets(t *testing.T) secrets {
	k := testKeys()
	all := rsaSecrets("imported RSA", k.rsa)
	all["imported EC scalar"], all["imported Ed25519 seed"], all["imported AES key"] = scalar(t, k.ec), k.edwards.Seed(), k.aes
	return all
}

// TestNoKeyInTheProgram: a program imports, unwraps, generates and uses keys of a guarded token, and nothing of any of them is in its memory.
func TestNoKeyInTheProgram(t *testing.T) {
	t.Parallel()
	s, _ := newSite(t)
	s.newToken("--policy", "vbs-preferred") // else no key could be read, not even for the test to know what to look for
	h := s.host()
	session := h.user()
	all := importedSecrets(t)
	handles := h.importAll(session)
	if !h.is(session, handles["rsa"], ck.CKA_NCRYPT_ISOLATED) {
		t.Fatal("the key is not isolated")
	}
	scanMemory(t, h.pid, all).none(t, "after the import")

	unwrapped, names := unwrapKeys(h, session, handles["aes"])
	maps.Copy(all, unwrapped)
	generateOpenly(h, session)
	for _, w := range append(ways(), names...) {
		key, ok := handles[w.name]
		if !ok {
			key = h.find(session, w.name, ck.CKO_PRIVATE_KEY)
		}
		if done := h.must("sign-often", session, w.mechanism, key, w.data, 1000).number(0); done != 1000 {
			t.Errorf("%s: %d signatures", w.name, done)
		}
	}
	h.must("encrypt", session, with(ck.CKM_AES_CBC, make([]byte, 16)), h.find(session, "new aes", ck.CKO_SECRET_KEY), make([]byte, 4096), 64)
	maps.Copy(all, readOpenly(s))
	scanMemory(t, h.pid, all).none(t, "after use")
	scanCore(t, h.pid, all).none(t, "in a core file")
}

// TestSoftwareKeysAreFound is the control: what is not found in the program of a guarded token is found in that of a software token.
func TestSoftwareKeysAreFound(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, 0, "none")
	s.newToken("--policy", "software")
	h := s.host()
	session := h.user()
	handles := h.importAll(session)
	for _, w := range ways() {
		h.signs(session, handles[w.name], w)
	}
	h.must("encrypt", session, with(ck.CKM_AES_CBC, make([]byte, 16)), handles["aes"], make([]byte, 64), 0)
	for where, found := range map[string]hits{"memory": scanMemory(t, h.pid, importedSecrets(t)), "core file": scanCore(t, h.pid, importedSecrets(t))} {
		for _, name := range []string{"imported RSA first prime", "imported RSA second prime", "imported EC scalar", "imported Ed25519 seed", "imported AES key"} {
			if found[name] == 0 {
				t.Errorf("%s: %s is not found, so the search shows nothing", where, name)
			}
		}
	}
}

// unwrapKeys has the host unwrap keys that the test has wrapped, and gives their secrets and how they sign.
func unwrapKeys(h *host, session, by uint64) (secrets, []way) {
	h.t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		h.t.Fatal(err)
	}
	ecKey := newEC(h.t)
	secret := make([]byte, 32)
	rand.Read(secret)
	unwrap := func(plain []byte, attributes template) {
		iv := make([]byte, 16)
		h.must("unwrap", session, with(ck.CKM_AES_CBC_PAD, iv), by, padded(h.t, iv, plain), attributes)
	}
	for name, key := range map[string]any{"unwrapped rsa": rsaKey, "unwrapped ec": ecKey} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			h.t.Fatal(err)
		}
		kind := ck.CKK_RSA
		if name == "unwrapped ec" {
			kind = ck.CKK_EC
		}
		unwrap(der, append(kept(name, true), attr(ck.CKA_CLASS, ck.CKO_PRIVATE_KEY), attr(ck.CKA_KEY_TYPE, kind), attr(ck.CKA_SIGN, true)))
	}
	unwrap(secret, append(kept("unwrapped secret", true), secretAttributes(ck.CKK_GENERIC_SECRET)...))
	all := rsaSecrets("unwrapped RSA", rsaKey)
	all["unwrapped EC scalar"], all["unwrapped secret"] = scalar(h.t, ecKey), secret
	return all, []way{{name: "unwrapped rsa", mechanism: ck.CKM_SHA256_RSA_PKCS, data: message}, {name: "unwrapped ec", mechanism: ck.CKM_ECDSA, data: digest[:]}}
}

// padded encrypts under the tests' AES key as CKM_AES_CBC_PAD does.
func padded(t *testing.T, iv, plain []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(testKeys().aes)
	if err != nil {
		t.Fatal(err)
	}
	n := 16 - len(plain)%16
	out := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(n)}, n)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	return out
}

// open are the attributes of a key that another process may read, so that the test knows what to look for.
func open(name string) template {
	return append(kept(name, true), attr(ck.CKA_SENSITIVE, false), attr(ck.CKA_EXTRACTABLE, true))
}

// generateOpenly makes keys of each kind and uses them.
func generateOpenly(h *host, session uint64) {
	h.t.Helper()
	for _, c := range generations() {
		private := h.must("pair", session, c.mechanism, append(kept(c.name, true), c.public...), "/", append(open(c.name), attr(ck.CKA_SIGN, true))).number(1)
		if done := h.must("sign-often", session, c.signs, private, digest[:], 1000).number(0); done != 1000 {
			h.t.Errorf("%s: %d signatures", c.name, done)
		}
	}
	h.must("generate", session, ck.CKM_AES_KEY_GEN, open("new aes"), attr(ck.CKA_VALUE_LEN, 32), attr(ck.CKA_ENCRYPT, true))
}

// readOpenly reads the keys of generateOpenly in another process.
func readOpenly(s *site) secrets {
	s.t.Helper()
	h := s.host()
	session := h.user()
	all := secrets{}
	get := func(name string, class ck.ObjectClass, kinds ...ck.AttributeType) {
		object := h.find(session, name, class)
		for _, kind := range kinds {
			all[name+" "+kind.String()] = h.must("get", session, object, kind).bytes(0)
		}
	}
	get("new rsa", ck.CKO_PRIVATE_KEY, ck.CKA_PRIME_1, ck.CKA_PRIME_2, ck.CKA_PRIVATE_EXPONENT, ck.CKA_EXPONENT_1, ck.CKA_EXPONENT_2, ck.CKA_COEFFICIENT)
	get("new ec", ck.CKO_PRIVATE_KEY, ck.CKA_VALUE)
	get("new edwards", ck.CKO_PRIVATE_KEY, ck.CKA_VALUE)
	get("new aes", ck.CKO_SECRET_KEY, ck.CKA_VALUE)
	h.end()
	return all
}
