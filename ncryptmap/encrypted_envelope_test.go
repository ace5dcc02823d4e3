package ncryptmap_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// certificate makes one of a key.
func certificate(t testing.TB, key *rsa.PrivateKey, serial int64) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "recipient"}, SubjectKeyId: []byte("identifier"),
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	out, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func inPEM(t testing.TB, cert []byte) []byte {
	return openssl(t, map[string][]byte{"der": cert}, "pem", "x509", "-inform", "DER", "-in", "der", "-out", "pem")
}

// serialized is a serialized certificate store.
func serialized(certificates ...[]byte) []byte {
	out := append(binary.LittleEndian.AppendUint32(nil, 0), "CERT"...)
	add := func(id uint32, data []byte) {
		for _, v := range []uint32{id, 1, uint32(len(data))} {
			out = binary.LittleEndian.AppendUint32(out, v)
		}
		out = append(out, data...)
	}
	for _, c := range certificates {
		add(3, []byte("a property"))
		add(32, c)
	}
	for range 3 {
		out = binary.LittleEndian.AppendUint32(out, 0)
	}
	return out
}

// unwrapper is a key that blobs are under, with its handle, kept under a name.
func (s *site) unwrapper(name string, usage uint32) (*rsa.PrivateKey, ncryptmap.Handle) {
	s.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	s.must(err)
	h := s.took("PKCS8_PRIVATEKEY", with(ncryptmap.NCRYPTBUFFER_PKCS_KEY_NAME, name), pkcs8(s.t, key), ncryptmap.NCRYPT_DO_NOT_FINALIZE_FLAG)
	s.must(s.set(h, ncryptmap.NCRYPT_KEY_USAGE_PROPERTY, usage))
	s.must(s.FinalizeKey(h, 0))
	return key, h
}

func TestEnvelopesOfOpenSSL(t *testing.T) {
	s := open(t, t.TempDir())
	owner, handle := s.unwrapper("owner", plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG)
	cert, other := certificate(t, owner, 1), certificate(t, owner, 2)
	pem := inPEM(t, cert)
	contents := map[string][]byte{"CNG blob": rsaBlob(samples()["RSA"].(*rsa.PrivateKey), "RSAPRIVATEBLOB"), "attributes": withUsage(t, pkcs8(t, samples()["P-256"]), 0)}
	for name, key := range samples() {
		contents[name] = pkcs8(t, key)
	}
	keys := map[string]string{"CNG blob": "RSA", "attributes": "P-256"}
	for _, args := range [][]string{
		{"-aes256"}, {"-aes128"}, {"-des3"}, {"-aes256", "-keyid"},
		{"-aes192", "-recip", "pem", "-keyopt", "rsa_padding_mode:oaep"}, {"-aes256", "-recip", "pem", "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"},
	} {
		for what, content := range contents {
			all := append([]string{"cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-out", "out"}, args...)
			if !slices.Contains(args, "-recip") {
				all = append(all, "pem")
			}
			data := openssl(t, map[string][]byte{"content": content, "pem": pem}, "out", all...)
			key := samples()[what]
			if key == nil {
				key = samples()[keys[what]]
			}
			h := s.took("PKCS7_ENVELOPE", with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, cert), data, 0)
			s.isKey(h, key)
			if what == "attributes" && s.dword(h, ncryptmap.NCRYPT_KEY_USAGE_PROPERTY) != plan.NCRYPT_ALLOW_SIGNING_FLAG {
				t.Error("what the key is for was lost")
			}
			s.isKey(s.took("PKCS7_ENVELOPE", with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, serialized(cert)), data, 0), key)
			h, err := s.ImportKey(s.provider, handle, "PKCS7_ENVELOPE", nil, data, 0)
			s.must(err)
			s.isKey(h, key)
			if !slices.Contains(args, "-keyid") {
				s.refuses("another's certificate", "PKCS7_ENVELOPE", with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, other), data, 0, nte.NTE_BAD_DATA)
			}
			s.refuses("nobody", "PKCS7_ENVELOPE", nil, data, 0, nte.NTE_INVALID_PARAMETER)
			s.refuses("two certificates", "PKCS7_ENVELOPE", with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, serialized(cert, other)), data, 0, nte.NTE_INVALID_PARAMETER)
			s.refuses("cut off", "PKCS7_ENVELOPE", with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, cert), data[:len(data)-1], 0, nte.NTE_BAD_DATA)
			block := 16
			if args[0] == "-des3" {
				block = 8
			}
			data[len(data)-(len(content)/block+1)*block] ^= 1 // where the content begins: later on, there are bytes that nobody looks at
			s.refuses("changed", "PKCS7_ENVELOPE", with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, cert), data, 0, nte.NTE_BAD_DATA)
		}
	}
}

// Who is in an envelope under a key that may not import, or imports only what is not kept, stays there.
func TestEnvelopesAndUsage(t *testing.T) {
	s := open(t, t.TempDir())
	key := samples()["P-256"]
	for name, test := range map[string]struct {
		usage       uint32
		named, none nte.Status
	}{
		"for decryption": {plan.NCRYPT_ALLOW_DECRYPT_FLAG, nte.NTE_PERM, nte.NTE_PERM},
		"ephemeral":      {plan.NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG, nte.NTE_PERM, nte.ERROR_SUCCESS},
		"all":            {plan.NCRYPT_ALLOW_ALL_USAGES, nte.ERROR_SUCCESS, nte.ERROR_SUCCESS},
	} {
		owner, handle := s.unwrapper(name, test.usage)
		cert := certificate(t, owner, 1)
		data := openssl(t, map[string][]byte{"pem": inPEM(t, cert), "content": pkcs8(t, key)}, "out",
			"cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-out", "out", "-aes256", "pem")
		for _, by := range []ncryptmap.Handle{0, handle} {
			_, err := s.ImportKey(s.provider, by, "PKCS7_ENVELOPE", with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, cert), data, 0)
			s.want(name+", without a name", err, test.none)
			params := with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, cert, ncryptmap.NCRYPTBUFFER_PKCS_KEY_NAME, name+" kept")
			_, err = s.ImportKey(s.provider, by, "PKCS7_ENVELOPE", params, data, ncryptmap.NCRYPT_OVERWRITE_KEY_FLAG)
			s.want(name+", with a name", err, test.named)
		}
	}
}

func TestEnvelopesForOpenSSL(t *testing.T) {
	s := open(t, t.TempDir())
	recipient := samples()["RSA"].(*rsa.PrivateKey)
	cert := certificate(t, recipient, 9)
	for name, key := range samples() {
		h := s.took("PKCS8_PRIVATEKEY", with(ncryptmap.NCRYPTBUFFER_PKCS_KEY_NAME, name), pkcs8(t, key), ncryptmap.NCRYPT_DO_NOT_FINALIZE_FLAG)
		s.must(s.set(h, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, plan.NCRYPT_ALLOW_EXPORT_FLAG))
		s.must(s.FinalizeKey(h, 0))
		out, err := s.ExportKey(h, 0, "PKCS7_ENVELOPE", with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, cert, ncryptmap.NCRYPTBUFFER_PKCS_ALG_OID, []byte(oidAES256)), 0)
		s.must(err)
		plain := openssl(t, map[string][]byte{"in": out.Bytes(), "key": pkcs8(t, recipient), "cert": cert}, "out",
			"cms", "-decrypt", "-binary", "-inform", "DER", "-in", "in", "-inkey", "key", "-keyform", "DER", "-out", "out")
		if !bytes.Equal(plain, pkcs8(t, key)) {
			t.Errorf("%s: OpenSSL finds another key", name)
		}
		_, err = s.ExportKey(h, 0, "PKCS7_ENVELOPE", nil, 0)
		s.want("for nobody", err, nte.NTE_INVALID_PARAMETER)
		_, err = s.ExportKey(h, 0, "PKCS7_ENVELOPE", with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, cert, ncryptmap.NCRYPTBUFFER_PKCS_ALG_OID, []byte(oidTDES)), 0)
		s.want("another cipher", err, nte.NTE_NOT_SUPPORTED)
		out.Close()
	}
	h := s.took("PKCS8_PRIVATEKEY", nil, pkcs8(t, samples()["P-256"]), 0)
	_, err := s.ExportKey(h, 0, "PKCS7_ENVELOPE", with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, cert), 0)
	s.want("policy 0", err, nte.NTE_NOT_SUPPORTED)
}

// isolatedEnvelope is an ISOLATED_KEY_ENVELOPE, made by hand.
func isolatedEnvelope(t testing.TB, to *rsa.PublicKey, usage, flags uint32, name string, key []byte) []byte {
	t.Helper()
	wrapping, nonce := make([]byte, 32), make([]byte, 12)
	rand.Read(wrapping)
	rand.Read(nonce)
	transported, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, to, wrapping, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, v := range []uint32{0, usage, flags, uint32(len(utf16z(name))), 12, 16, uint32(len(transported)), uint32(len(key))} {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	out = append(append(out, utf16z(name)...), nonce...)
	block, _ := aes.NewCipher(wrapping)
	aead, _ := cipher.NewGCM(block)
	sealed := aead.Seal(nil, nonce, key, out)
	return slices.Concat(out, sealed[len(key):], transported, sealed[:len(key)])
}

func TestIsolatedKeyEnvelope(t *testing.T) {
	s := open(t, t.TempDir())
	owner, handle := s.unwrapper("owner", plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG)
	from := func(data []byte, flags uint32) (ncryptmap.Handle, error) {
		return s.ImportKey(s.provider, handle, "ISOLATED_KEY_ENVELOPE", nil, data, flags)
	}
	key := samples()["P-256"]
	data := isolatedEnvelope(t, &owner.PublicKey, plan.NCRYPT_ALLOW_SIGNING_FLAG, 0, "ECDSA_P256", pkcs8(t, key))
	_, err := from(data, 0)
	s.want("a key that is to be isolated, in software", err, nte.NTE_VBS_UNAVAILABLE)
	perBoot := isolatedEnvelope(t, &owner.PublicKey, plan.NCRYPT_ALLOW_SIGNING_FLAG, 1, "ECDSA_P256", pkcs8(t, key))
	_, err = s.ImportKey(s.provider, handle, "ISOLATED_KEY_ENVELOPE", named("boot"), perBoot, ncryptmap.NCRYPT_PREFER_VBS_FLAG)
	s.want("a key that is to die with the boot", err, nte.NTE_VBS_UNAVAILABLE)

	h, err := from(data, ncryptmap.NCRYPT_PREFER_VBS_FLAG)
	s.must(err)
	s.isKey(h, key)
	if got := s.dword(h, ncryptmap.NCRYPT_KEY_USAGE_PROPERTY); got != plan.NCRYPT_ALLOW_SIGNING_FLAG {
		t.Errorf("usage %#x", got)
	}
	s.want("export policy", s.set(h, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, 3), nte.NTE_NOT_SUPPORTED)
	h, err = from(data, ncryptmap.NCRYPT_PREFER_VBS_FLAG|ncryptmap.NCRYPT_DO_NOT_FINALIZE_FLAG)
	s.must(err)
	s.want("more usage than the envelope says", s.set(h, ncryptmap.NCRYPT_KEY_USAGE_PROPERTY, plan.NCRYPT_ALLOW_ALL_USAGES), nte.NTE_NOT_SUPPORTED)
	s.must(s.set(h, ncryptmap.NCRYPT_KEY_USAGE_PROPERTY, 0))

	secretKey := isolatedEnvelope(t, &owner.PublicKey, plan.NCRYPT_ALLOW_DECRYPT_FLAG, 0, "AES", make([]byte, 24))
	h, err = from(secretKey, ncryptmap.NCRYPT_PREFER_VBS_FLAG)
	s.must(err)
	if got := s.dword(h, ncryptmap.NCRYPT_LENGTH_PROPERTY); got != 192 {
		t.Errorf("length %d", got)
	}
	for i := range data { // every byte is authenticated, or changes what is unwrapped
		broken := slices.Clone(data)
		broken[i] ^= 4
		if _, err := from(broken, ncryptmap.NCRYPT_PREFER_VBS_FLAG); err == nil {
			t.Errorf("byte %d may be changed", i)
		}
	}
	_, err = s.ImportKey(s.provider, 0, "ISOLATED_KEY_ENVELOPE", nil, data, ncryptmap.NCRYPT_PREFER_VBS_FLAG)
	s.want("without the key that it is under", err, nte.NTE_INVALID_PARAMETER)
}

// With a guard that isolates, a key in an envelope of isolated keys is isolated without being asked for, and dies with the boot where the envelope says so.
func TestIsolatedKeyEnvelopeIsIsolated(t *testing.T) {
	s := isolating(t, t.TempDir(), newTPM())
	owner, handle := s.unwrapper("owner", plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG)
	key := samples()["P-256"]
	for flags, perBoot := range map[uint32]uint32{0: 0, 1: 1} {
		data := isolatedEnvelope(t, &owner.PublicKey, plan.NCRYPT_ALLOW_SIGNING_FLAG, flags, "ECDSA_P256", pkcs8(t, key))
		h, err := s.ImportKey(s.provider, handle, "ISOLATED_KEY_ENVELOPE", named("isolated"), data, ncryptmap.NCRYPT_OVERWRITE_KEY_FLAG)
		s.must(err)
		s.isKey(h, key)
		h = s.opened("isolated", 0)
		if iso, boot := s.dword(h, "Virtual Iso"), s.dword(h, "Per Boot Key"); iso == 0 || boot != perBoot {
			t.Errorf("flags %d: Virtual Iso %d, Per Boot Key %d", flags, iso, boot)
		}
		_, err = s.ExportKey(h, 0, "PKCS8_PRIVATEKEY", with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, "x"), 0)
		s.want("export", err, nte.NTE_NOT_SUPPORTED)
	}
	// So is what comes under a password, if that is asked for.
	encrypted := openssl(t, map[string][]byte{"key": pkcs8(t, key)}, "out",
		"pkcs8", "-topk8", "-inform", "DER", "-in", "key", "-outform", "DER", "-out", "out", "-passout", "pass:x")
	h := s.took("PKCS8_PRIVATEKEY", with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, "x"), encrypted, ncryptmap.NCRYPT_REQUIRE_VBS_FLAG)
	s.isKey(h, key)
	if s.dword(h, "Virtual Iso") == 0 {
		t.Error("the key is not isolated")
	}
	s.want("export policy", s.set(h, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, 3), nte.NTE_NOT_SUPPORTED)
}

func TestB35OpaqueTransport(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	key := samples()["P-384"]
	h := s.took("PKCS8_PRIVATEKEY", with(ncryptmap.NCRYPTBUFFER_PKCS_KEY_NAME, "Mine"), pkcs8(t, key), ncryptmap.NCRYPT_DO_NOT_FINALIZE_FLAG)
	s.must(s.set(h, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, plan.NCRYPT_ALLOW_EXPORT_FLAG))
	s.must(s.set(h, ncryptmap.NCRYPT_KEY_USAGE_PROPERTY, plan.NCRYPT_ALLOW_SIGNING_FLAG))
	s.must(s.FinalizeKey(h, 0))
	data := s.export(h, "OpaqueTransport")
	if scalar, err := key.(*ecdsa.PrivateKey).Bytes(); err != nil || bytes.Contains(data, scalar) {
		t.Error("the key is in the blob as it is")
	}

	other := open(t, home)
	other.refuses("the name is taken", "OpaqueTransport", nil, data, 0, nte.NTE_EXISTS)
	other.took("OpaqueTransport", nil, data, ncryptmap.NCRYPT_OVERWRITE_KEY_FLAG)
	s.must(other.DeleteKey(other.opened("Mine", 0), 0))
	again := other.took("OpaqueTransport", nil, data, 0)
	other.isKey(again, key)
	again = other.opened("mine", 0)
	if policy, usage := other.dword(again, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY), other.dword(again, ncryptmap.NCRYPT_KEY_USAGE_PROPERTY); policy != 1 || usage != 2 {
		t.Errorf("export policy %#x, usage %#x", policy, usage)
	}
	waiting := other.took("OpaqueTransport", nil, data, ncryptmap.NCRYPT_OVERWRITE_KEY_FLAG|ncryptmap.NCRYPT_DO_NOT_FINALIZE_FLAG)
	other.want("a looser policy", other.set(waiting, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, 3), nte.NTE_NOT_SUPPORTED)
	for i := range data {
		broken := slices.Clone(data)
		broken[i] ^= 4
		if _, err := other.ImportKey(other.provider, 0, "OpaqueTransport", nil, broken, ncryptmap.NCRYPT_OVERWRITE_KEY_FLAG); err == nil {
			t.Errorf("byte %d may be changed", i)
		}
	}
	other.refuses("a name of the importer's", "OpaqueTransport", named("yours"), data, 0, nte.NTE_INVALID_PARAMETER)
	open(t, t.TempDir()).refuses("another token", "OpaqueTransport", nil, data, 0, nte.NTE_BAD_DATA)
	names, err := other.EnumKeys(other.provider, "", 0)
	s.must(err)
	if len(names) != 1 {
		t.Errorf("the key that blobs are under has a name: %v", names)
	}
	none := other.took("PKCS8_PRIVATEKEY", nil, pkcs8(t, key), 0)
	_, err = other.ExportKey(none, 0, "OpaqueTransport", nil, 0)
	other.want("policy 0", err, nte.NTE_NOT_SUPPORTED)
}

// What is in an envelope stays in the guard, whatever its form: with attributes, a curve that is described, CNG's blob, or under a cipher that tokens have not.
func TestProgramsDoNotSeeWhatIsInEnvelopes(t *testing.T) {
	w := &witness{}
	s := over(t, engineOver(t, t.TempDir(), func(*store.Header) (guard.Keys, error) {
		w.Keys = local.New(pinseal.New(cheap))
		return w, nil
	}))
	owner, _ := s.unwrapper("owner", plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG)
	cert := certificate(t, owner, 1)
	ec := pkcs8(t, samples()["P-256"])
	for what, content := range map[string][]byte{
		"attributes": withUsage(t, ec, 0), "a described curve": described(t, ec), "CNG's blob": rsaBlob(samples()["RSA"].(*rsa.PrivateKey), "RSAPRIVATEBLOB"), "no more": ec,
	} {
		for _, cipher := range []string{"-aes256", "-des3"} {
			data := openssl(t, map[string][]byte{"content": content, "pem": inPEM(t, cert)}, "out",
				"cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-out", "out", cipher, "pem")
			w.most, w.imported, w.unwraps = 0, false, 0
			s.took("PKCS7_ENVELOPE", with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, cert), data, 0)
			if w.most > 0 || w.imported || w.unwraps < 2 {
				t.Errorf("%s, %s: the program had %d bytes in plaintext, or the key (%v); %d unwrapped", what, cipher, w.most, w.imported, w.unwraps)
			}
		}
	}
}

// What an envelope says that its key is for is the most that it is for.
func TestB77cKeyUsageInEnvelopes(t *testing.T) {
	s := open(t, t.TempDir())
	owner, _ := s.unwrapper("owner", plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG)
	cert := certificate(t, owner, 1)
	data := openssl(t, map[string][]byte{"content": withUsage(t, pkcs8(t, samples()["P-256"]), 0), "pem": inPEM(t, cert)}, "out",
		"cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-out", "out", "-aes256", "pem")
	h := s.took("PKCS7_ENVELOPE", with(ncryptmap.NCRYPTBUFFER_CERT_BLOB, cert), data, ncryptmap.NCRYPT_DO_NOT_FINALIZE_FLAG)
	if usage := s.dword(h, ncryptmap.NCRYPT_KEY_USAGE_PROPERTY); usage != plan.NCRYPT_ALLOW_SIGNING_FLAG {
		t.Errorf("usage %#x", usage)
	}
	s.want("more", s.set(h, ncryptmap.NCRYPT_KEY_USAGE_PROPERTY, plan.NCRYPT_ALLOW_ALL_USAGES), nte.NTE_NOT_SUPPORTED)
	s.must(s.FinalizeKey(h, 0))
	s.signs("what it is for", h, nte.ERROR_SUCCESS)
}
