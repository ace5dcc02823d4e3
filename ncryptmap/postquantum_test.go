package ncryptmap_test

import (
	"bytes"
	"crypto/mlkem"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"filippo.io/mldsa"
	"filippo.io/mldsa/x509"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
)

const pqdsa = ncryptmap.NCRYPT_PAD_PQDSA_FLAG

// parameterized makes a key of a parameter set.
func (s *site) parameterized(algorithm, set, name string) ncryptmap.Handle {
	s.t.Helper()
	h := s.begun(algorithm, name, 0)
	s.must(s.SetProperty(h, "ParameterSetName", wide(set), 0))
	s.must(s.FinalizeKey(h, 0))
	return h
}

// pqBlob is BCRYPT_PQDSA_KEY_BLOB or BCRYPT_MLKEM_KEY_BLOB.
func pqBlob(letters, set string, key []byte) []byte {
	text := wide(set)
	out := binary.LittleEndian.AppendUint32([]byte(letters), uint32(len(text)))
	return slices.Concat(binary.LittleEndian.AppendUint32(out, uint32(len(key))), text, key)
}

// A key is made, kept, found again, signs, and its signatures are good for the library too.
func TestMLDSA(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	message := bytes.Repeat([]byte("message "), 100)
	context := &ncryptmap.Padding{Context: []byte("context")}
	for set, parameters := range map[string]mldsa.Parameters{"44": mldsa.MLDSA44(), "65": mldsa.MLDSA65(), "87": mldsa.MLDSA87()} {
		h := s.parameterized("ML-DSA", set, "key-"+set)
		other := open(t, home)
		again := other.opened("key-"+set, 0)
		if got := other.reads(again, "ParameterSetName", 0, nte.ERROR_SUCCESS); !bytes.Equal(got, wide(set)) {
			t.Errorf("the parameter set is %q", got)
		}
		if n := other.dword(again, "SignatureLength"); int(n) != parameters.SignatureSize() {
			t.Errorf("%s: SignatureLength %d", set, n)
		}
		if n := other.dword(again, "Length"); int(n) != 8*parameters.PublicKeySize() {
			t.Errorf("%s: Length %d", set, n)
		}
		blob := s.export(h, "PUBLICBLOB")
		public, err := mldsa.NewPublicKey(parameters, blob[12+6:])
		s.must(err)
		if !bytes.Equal(blob, pqBlob("DSPK", set, public.Bytes())) {
			t.Errorf("%s: the public blob begins with %x", set, blob[:18])
		}
		for _, c := range []struct {
			padding *ncryptmap.Padding
			flags   uint32
			options *mldsa.Options
		}{{nil, 0, nil}, {nil, pqdsa, nil}, {&ncryptmap.Padding{}, pqdsa, nil}, {context, pqdsa, &mldsa.Options{Context: "context"}}} {
			signature, err := other.SignHash(again, c.padding, message, c.flags)
			s.must(err)
			if err := mldsa.Verify(public, message, signature, c.options); err != nil {
				t.Errorf("%s, flags %#x: %v", set, c.flags, err)
			}
			s.must(s.VerifySignature(h, c.padding, message, signature, c.flags))
			signature[9] ^= 1
			s.want("a changed signature", s.VerifySignature(h, c.padding, message, signature, c.flags), nte.NTE_BAD_SIGNATURE)
		}
		imported := s.imported("PUBLICBLOB", "", blob, 0)
		signature, err := s.SignHash(h, context, message, pqdsa)
		s.must(err)
		s.must(s.VerifySignature(imported, context, message, signature, pqdsa))
		s.want("without the context", s.VerifySignature(imported, nil, message, signature, 0), nte.NTE_BAD_SIGNATURE)
		s.want("a short one", s.VerifySignature(imported, context, message, signature[1:], pqdsa), nte.NTE_INVALID_PARAMETER)
		s.must(s.DeleteKey(h, 0))
	}
	if n := objects(t, home); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}

func TestMLDSARefuses(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.parameterized("ML-DSA", "44", "")
	for name, c := range map[string]struct {
		padding *ncryptmap.Padding
		flags   uint32
		want    nte.Status
	}{
		"a hash":                {&ncryptmap.Padding{Hash: "SHA256"}, pqdsa, nte.NTE_NOT_SUPPORTED},
		"a context of 256":      {&ncryptmap.Padding{Context: make([]byte, 256)}, pqdsa, nte.NTE_INVALID_PARAMETER},
		"RSA's padding":         {sha256Padding, pkcs1, nte.NTE_BAD_FLAGS},
		"another RSA's padding": {sha256Padding, ncryptmap.NCRYPT_PAD_PSS_FLAG, nte.NTE_BAD_FLAGS},
	} {
		_, err := s.SignHash(h, c.padding, aHash, c.flags)
		s.want(name, err, c.want)
	}
	_, err := s.SignHash(s.created("RSA", "", 0), sha256Padding, aHash, pqdsa)
	s.want("RSA with the padding of ML-DSA", err, nte.NTE_BAD_FLAGS)
	_, err = s.Encrypt(h, nil, aHash, pkcs1)
	s.want("encrypting", err, nte.NTE_NOT_SUPPORTED)
	_, _, err = s.Encapsulate(h, 0)
	s.want("encapsulating", err, nte.NTE_NOT_SUPPORTED)
	_, err = s.SecretAgreement(h, h, 0)
	s.want("agreeing", err, nte.NTE_BAD_TYPE)
}

// What has no length has a parameter set, which is set before the key is final.
func TestParameterSets(t *testing.T) {
	s := open(t, t.TempDir())
	for algorithm, sets := range map[string][]string{"ML-DSA": {"44", "65", "87"}, "ML-KEM": {"768", "1024"}} {
		s.must(s.IsAlgSupported(s.provider, algorithm, 0))
		h := s.begun(algorithm, "", 0)
		s.reads(h, "ParameterSetName", 0, nte.NTE_NOT_FOUND)
		s.want("Finalize without one", s.FinalizeKey(h, 0), nte.NTE_INVALID_PARAMETER)
		s.want("Length", s.set(h, "Length", 256), nte.NTE_NOT_SUPPORTED)
		if got := s.reads(h, "Lengths", 0, nte.ERROR_SUCCESS); !bytes.Equal(got, make([]byte, 16)) {
			t.Errorf("%s: Lengths %x", algorithm, got)
		}
		if got := s.reads(h, "Algorithm Group", 0, nte.ERROR_SUCCESS); !bytes.Equal(got, wide(strings.ReplaceAll(algorithm, "-", ""))) {
			t.Errorf("%s is of the group %q", algorithm, got)
		}
		for _, wrong := range [][]byte{wide("45"), wide(""), []byte("44"), {}} {
			s.want("a set that there is not", s.SetProperty(h, "ParameterSetName", wrong, 0), nte.NTE_INVALID_PARAMETER)
		}
		for _, set := range sets { // the last counts
			s.must(s.SetProperty(h, "ParameterSetName", wide(set), 0))
		}
		s.must(s.FinalizeKey(h, 0))
		if got := s.reads(h, "ParameterSetName", 0, nte.ERROR_SUCCESS); !bytes.Equal(got, wide(sets[len(sets)-1])) {
			t.Errorf("the parameter set is %q", got)
		}
		s.want("too late", s.SetProperty(h, "ParameterSetName", wide(sets[0]), 0), nte.NTE_BAD_KEY_STATE)
	}
	s.want("ML-KEM-512", s.SetProperty(s.begun("ML-KEM", "", 0), "ParameterSetName", wide("512"), 0), nte.NTE_NOT_SUPPORTED)
	rsa := s.created("RSA", "", 0)
	for _, name := range []string{"ParameterSetName", "KEMSharedSecretLength", "KEMCiphertextLength"} {
		s.reads(rsa, name, 0, nte.NTE_NOT_SUPPORTED)
	}
	s.want("setting RSA's", s.SetProperty(s.begun("RSA", "", 0), "ParameterSetName", wide("44"), 0), nte.NTE_NOT_SUPPORTED)
	classes := map[string][2]uint32{"ML-DSA": {5, 0x10}, "ML-KEM": {8, 0x80}}
	all, err := s.EnumAlgorithms(s.provider, 0, 0)
	s.must(err)
	for _, a := range all {
		if want, ok := classes[a.Name]; ok && want != [2]uint32{a.Class, a.Operations} {
			t.Errorf("%+v", a)
		}
		delete(classes, a.Name)
	}
	if len(classes) != 0 {
		t.Errorf("not listed: %v", classes)
	}
}

// A program has a secret with the owner of a key, by his public blob; crypto/mlkem finds the same.
func TestMLKEM(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	for set, ciphertextLen := range map[string]uint32{"768": 1088, "1024": 1568} {
		s.parameterized("ML-KEM", set, "kem-"+set)
		h := s.opened("kem-"+set, 0)
		if n := s.dword(h, "KEMSharedSecretLength"); n != 32 {
			t.Errorf("KEMSharedSecretLength %d", n)
		}
		if n := s.dword(h, "KEMCiphertextLength"); n != ciphertextLen {
			t.Errorf("%s: KEMCiphertextLength %d", set, n)
		}
		s.reads(h, "SignatureLength", 0, nte.NTE_NOT_SUPPORTED)
		public := s.imported("MLKEMPUBLICBLOB", "", s.export(h, "PUBLICBLOB"), 0)
		for _, by := range []ncryptmap.Handle{public, h} {
			ours, ciphertext, err := s.Encapsulate(by, 0)
			s.must(err)
			theirs, err := s.Decapsulate(h, ciphertext, 0)
			s.must(err)
			if ours.Len() != 32 || len(ciphertext) != int(ciphertextLen) || !ours.Equal(theirs.Bytes()) {
				t.Errorf("%s: the two sides differ", set)
			}
			ciphertext[3] ^= 1
			altered, err := s.Decapsulate(h, ciphertext, 0)
			s.must(err)
			if altered.Equal(ours.Bytes()) {
				t.Errorf("%s: an altered ciphertext gives the same secret", set)
			}
			_, err = s.Decapsulate(h, ciphertext[1:], 0)
			s.want("a short ciphertext", err, nte.NTE_INVALID_PARAMETER)
			_, err = s.Decapsulate(h, nil, 0)
			s.want("no ciphertext", err, nte.RPC_X_NULL_REF_POINTER)
			_, err = s.Decapsulate(public, ciphertext, 0)
			s.want("a public key", err, nte.NTE_BAD_TYPE)
		}
		s.signs("a key that does not sign", h, nte.NTE_NOT_SUPPORTED)
	}
	usage := s.begun("ML-KEM", "", 0)
	s.must(s.SetProperty(usage, "ParameterSetName", wide("768"), 0))
	s.must(s.set(usage, "Key Usage", 2)) // signing
	s.must(s.FinalizeKey(usage, 0))
	_, err := s.Decapsulate(usage, make([]byte, 1088), 0)
	s.want("usage", err, nte.NTE_PERM)
	_, err = s.Decapsulate(notAHandle, nil, 0)
	s.want("no handle", err, nte.NTE_INVALID_HANDLE)
	_, _, err = s.Encapsulate(usage, 0x20)
	s.want("flags", err, nte.NTE_BAD_FLAGS)
}

func TestB71EncapsulationOutputs(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.parameterized("ML-KEM", "768", "")
	none := token.Output{Null: true}
	room := func(n int) token.Output { return token.Output{Buf: make([]byte, n)} }
	for _, c := range []struct {
		value, ciphertext token.Output
		want              nte.Status
	}{
		{none, none, nte.ERROR_SUCCESS}, {room(32), none, nte.ERROR_SUCCESS}, {none, room(1088), nte.ERROR_SUCCESS},
		{room(31), room(1088), nte.NTE_BUFFER_TOO_SMALL}, {room(32), room(1087), nte.NTE_BUFFER_TOO_SMALL}, {room(40), room(2000), nte.ERROR_SUCCESS},
	} {
		value, ciphertext, err := s.EncapsulateTo(c.value, c.ciphertext, h, 0)
		s.want("Encapsulate", err, c.want)
		if value != 32 || ciphertext != 1088 {
			t.Errorf("%d and %d bytes", value, ciphertext)
		}
		made := !c.value.Null && !c.ciphertext.Null && err == nil
		if filled := !bytes.Equal(c.ciphertext.Buf, make([]byte, len(c.ciphertext.Buf))); filled != made {
			t.Errorf("a ciphertext was made: %v", filled)
		}
		if !made {
			continue
		}
		for _, out := range []token.Output{none, room(31), room(33)} {
			n, err := s.DecapsulateTo(out, h, c.ciphertext.Buf[:1088], 0)
			s.want("Decapsulate", err, map[int]nte.Status{0: nte.ERROR_SUCCESS, 31: nte.NTE_BUFFER_TOO_SMALL, 33: nte.ERROR_SUCCESS}[len(out.Buf)])
			if n != 32 || err == nil && !out.Null && !bytes.Equal(out.Buf[:32], c.value.Buf[:32]) {
				t.Errorf("%d bytes, or another secret", n)
			}
		}
	}
}

// Seeds come in by every format, and go out again; what was made of a seed is no way to have a key.
func TestB55SeedsOfKeys(t *testing.T) {
	s := open(t, t.TempDir())
	kem, err := mlkem.GenerateKey768()
	s.must(err)
	dsa, err := mldsa.GenerateKey(mldsa.MLDSA65())
	s.must(err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(dsa)
	s.must(err)
	kemBlob, dsaBlob := pqBlob("MLKS", "768", kem.Bytes()), pqBlob("DSSS", "65", dsa.Bytes())
	wrapped := slices.Concat([]byte("PQPR"), dwords(uint32(len(wide("PQDSAPRIVATESEEDBLOB"))), uint32(len(dsaBlob))), wide("PQDSAPRIVATESEEDBLOB"), dsaBlob)
	for _, c := range []struct {
		blobType string
		data     []byte
		public   []byte
		out      map[string][]byte
	}{
		{"MLKEMPRIVATESEEDBLOB", kemBlob, pqBlob("MLKP", "768", kem.EncapsulationKey().Bytes()), map[string][]byte{"MLKEMPRIVATESEEDBLOB": kemBlob}},
		{"PQDSAPRIVATESEEDBLOB", dsaBlob, pqBlob("DSPK", "65", dsa.PublicKey().Bytes()), map[string][]byte{"PQPrivateKeyBlob": wrapped, "PKCS8_PRIVATEKEY": pkcs8}},
		{"PKCS8_PRIVATEKEY", pkcs8, pqBlob("DSPK", "65", dsa.PublicKey().Bytes()), map[string][]byte{"PQDSAPRIVATESEEDBLOB": dsaBlob}},
		{"PQPrivateKeyBlob", wrapped, pqBlob("DSPK", "65", dsa.PublicKey().Bytes()), map[string][]byte{"PQDSAPRIVATESEEDBLOB": dsaBlob}},
		{"PRIVATEBLOB", dsaBlob, pqBlob("DSPK", "65", dsa.PublicKey().Bytes()), map[string][]byte{"PQDSAPRIVATESEEDBLOB": dsaBlob}},
	} {
		for _, name := range []string{"", "kept by " + c.blobType} {
			h := s.imported(c.blobType, name, c.data, 0)
			if !bytes.Equal(s.export(h, "PUBLICBLOB"), c.public) {
				t.Errorf("%s: it is another key", c.blobType)
			}
			s.noExport(c.blobType, h, c.blobType, nte.NTE_NOT_SUPPORTED)
			if name != "" {
				continue
			}
			s.must(s.set(h, "Export Policy", 3))
			for blobType, want := range c.out {
				got := s.export(h, blobType)
				if blobType == "PKCS8_PRIVATEKEY" { // with what the key is for behind it
					again, err := x509.ParsePKCS8PrivateKey(got)
					if key, ok := again.(*mldsa.PrivateKey); err != nil || !ok || !key.Equal(dsa) {
						t.Errorf("%s as %s: %T, %v", c.blobType, blobType, again, err)
					}
				} else if !bytes.Equal(got, want) {
					t.Errorf("%s as %s: %x", c.blobType, blobType, got[:20])
				}
			}
			if strings.HasPrefix(c.blobType, "MLKEM") {
				s.noExport(c.blobType, h, "PQDSAPRIVATEBLOB", nte.NTE_BAD_TYPE)
				if out := s.export(h, "MLKEMPRIVATEBLOB"); len(out) != 12+8+2400 {
					t.Errorf("%d bytes of a key that is written out", len(out))
				}
				continue
			}
			s.noExport(c.blobType, h, "MLKEMPRIVATEBLOB", nte.NTE_BAD_TYPE)
			if out := s.export(h, "PQDSAPRIVATEBLOB"); len(out) != 12+6+4032 {
				t.Errorf("%d bytes of a key that is written out", len(out))
			}
		}
	}
	for what, c := range map[string]struct {
		blobType string
		data     []byte
	}{
		"ML-DSA written out": {"PQDSAPRIVATEBLOB", pqBlob("DSSK", "44", make([]byte, 2560))},
		"ML-KEM written out": {"MLKEMPRIVATEBLOB", pqBlob("MLKR", "768", make([]byte, 2400))},
		"ML-KEM-512":         {"MLKEMPRIVATESEEDBLOB", pqBlob("MLKS", "512", make([]byte, 64))},
		"SLH-DSA":            {"PQDSAPRIVATEBLOB", pqBlob("SHSK", "SHA2-128s", make([]byte, 64))},
	} {
		s.refuses(what, c.blobType, nil, c.data, 0, nte.NTE_NOT_SUPPORTED)
	}
	byProperty := s.begun("ML-DSA", "", 0)
	s.want("another algorithm's", s.SetProperty(byProperty, "MLKEMPRIVATESEEDBLOB", kemBlob, 0), nte.NTE_BAD_TYPE)
	s.must(s.SetProperty(byProperty, "PQDSAPRIVATESEEDBLOB", dsaBlob, 0))
	s.must(s.FinalizeKey(byProperty, 0))
	signature, err := s.SignHash(byProperty, nil, aHash, 0)
	s.must(err)
	s.must(mldsa.Verify(dsa.PublicKey(), aHash, signature, nil))
}
