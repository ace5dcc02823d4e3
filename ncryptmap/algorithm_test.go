package ncryptmap_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"filippo.io/mldsa"
	mldsax509 "filippo.io/mldsa/x509"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
)

// Keys on curve25519 are made and imported, agree, and do nothing else.
func TestB40Curve25519(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	h := s.begun("ECDH", "x25519", 0)
	s.must(s.SetProperty(h, "ECCCurveName", wide("nistP256"), 0)) // the last counts
	s.must(s.SetProperty(h, "ECCCurveName", wide("curve25519"), 0))
	s.must(s.FinalizeKey(h, 0))
	again := open(t, home)
	key := again.opened("x25519", 0)
	for name, want := range map[string]string{"ECCCurveName": "curve25519", "Algorithm Name": "ECDH", "Algorithm Group": "ECDH"} {
		if got := again.reads(key, name, 0, nte.ERROR_SUCCESS); !bytes.Equal(got, wide(want)) {
			t.Errorf("%s is %q", name, got)
		}
	}
	if n := again.dword(key, "Length"); n != 255 {
		t.Errorf("Length %d", n)
	}
	again.signs("a key that does not sign", key, nte.NTE_NOT_SUPPORTED)
	again.reads(key, "SignatureLength", 0, nte.NTE_NOT_SUPPORTED)

	ours, err := ecdh.X25519().GenerateKey(rand.Reader)
	s.must(err)
	x := ours.PublicKey().Bytes()
	curve := list(ncryptmap.NCRYPTBUFFER_ECC_CURVE_NAME, wide("curve25519"))
	public, err := again.ImportKey(again.provider, 0, "ECCPUBLICBLOB", curve, slices.Concat([]byte("ECKP"), dwords(32), x, make([]byte, 32)), 0)
	s.must(err)
	private, err := again.ImportKey(again.provider, 0, "ECCPRIVATEBLOB", curve, slices.Concat([]byte("ECKV"), dwords(32), x, make([]byte, 32), ours.Bytes()), 0)
	s.must(err)
	blob := again.export(key, "ECCPUBLICBLOB")
	theirs, err := ecdh.X25519().NewPublicKey(blob[8:40])
	s.must(err)
	want, err := ours.ECDH(theirs)
	s.must(err)
	hash := sha256.Sum256(want)
	for _, sides := range [][2]ncryptmap.Handle{{key, public}, {private, key}} {
		agreed, err := again.SecretAgreement(sides[0], sides[1], 0)
		s.must(err)
		for kdf, want := range map[string][]byte{"TRUNCATE": want, "HASH": hash[:]} {
			got, err := again.DeriveKey(agreed, kdf, list(ncryptmap.KDF_HASH_ALGORITHM, wide("SHA256")), 0, 0)
			s.must(err)
			if !got.Equal(want) {
				t.Errorf("%s gives %x", kdf, got.Bytes())
			}
		}
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ours)
	s.must(err)
	if got := again.export(again.imported("PKCS8_PRIVATEKEY", "", pkcs8, 0), "ECCPUBLICBLOB"); !bytes.Equal(got[8:40], x) {
		t.Errorf("PKCS #8 gives another key: %x", got)
	}
	s.must(again.set(private, "Export Policy", 3))
	if got := again.export(private, "ECCPRIVATEBLOB"); !bytes.Equal(got[len(got)-32:], ours.Bytes()) {
		t.Errorf("another key is exported: %x", got)
	}
	_, err = again.SecretAgreement(key, again.created("ECDH_P256", "", 0), 0)
	s.want("another curve", err, nte.NTE_BAD_TYPE)
	s.want("a key for ECDSA", s.SetProperty(s.begun("ECDSA", "", 0), "ECCCurveName", wide("curve25519"), 0), nte.NTE_NOT_SUPPORTED)
	s.must(again.DeleteKey(key, 0))
}

// An algorithm that tokens have no keys of is refused with words that say what to take.
func TestAlgorithmsThatThereAreNot(t *testing.T) {
	s := open(t, t.TempDir())
	dsaBlob := slices.Concat([]byte("DSPB"), dwords(64), bytes.Repeat([]byte{0xff}, 4+20+20), bytes.Repeat([]byte{0xff}, 3*64))
	dhBlob := slices.Concat([]byte("DHPB"), dwords(64), bytes.Repeat([]byte{0xff}, 3*64))
	for name, advice := range map[string]string{"DH": "ECDH_P256", "DSA": "ECDSA_P256", "SLH-DSA": "ML-DSA", "3DES": "AES", "MD7": "no algorithm"} {
		_, err := s.CreatePersistedKey(s.provider, name, "", 0, 0)
		for _, err := range []error{err, s.IsAlgSupported(s.provider, name, 0)} {
			if nte.Code(err) != nte.NTE_NOT_SUPPORTED || !strings.Contains(err.Error(), advice) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for blobType, c := range map[string]struct {
		data   []byte
		advice string
	}{"DSAPUBLICBLOB": {dsaBlob, "take ECDSA"}, "DHPUBLICBLOB": {dhBlob, "take ECDH"}} {
		_, err := s.ImportKey(s.provider, 0, blobType, nil, c.data, 0)
		if nte.Code(err) != nte.NTE_NOT_SUPPORTED || !strings.Contains(err.Error(), c.advice) {
			t.Errorf("%s: %v", blobType, err)
		}
	}
}

// A key of ML-DSA that comes in under an RSA key is in the guard only, and knows its parameter set.
func TestMLDSAUnderRSA(t *testing.T) {
	s := open(t, t.TempDir())
	owner, handle := s.unwrapper("owner", plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG)
	key, err := mldsa.GenerateKey(mldsa.MLDSA87())
	s.must(err)
	plain, err := mldsax509.MarshalPKCS8PrivateKey(key)
	s.must(err)
	data := rapw(t, &owner.PublicKey, sha256.New(), "SHA256", "", 32, plain)
	params := with(ncryptmap.NCRYPTBUFFER_PKCS_ALG_ID, "ML-DSA", ncryptmap.NCRYPTBUFFER_PKCS_KEY_NAME, "kept")
	_, err = s.ImportKey(s.provider, handle, "PKCS11RsaAesWrapBlob", params, data, 0)
	s.must(err)
	h := s.opened("kept", 0)
	if got := s.reads(h, "ParameterSetName", 0, nte.ERROR_SUCCESS); !bytes.Equal(got, wide("87")) {
		t.Errorf("the parameter set is %q", got)
	}
	signature, err := s.SignHash(h, nil, aHash, 0)
	s.must(err)
	s.must(mldsa.Verify(key.PublicKey(), aHash, signature, nil))
	_, err = s.ImportKey(s.provider, handle, "PKCS11RsaAesWrapBlob", with(ncryptmap.NCRYPTBUFFER_PKCS_ALG_ID, "ML-KEM"), data, 0)
	s.want("as a key of ML-KEM", err, nte.NTE_BAD_DATA)
}
