package golang_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"math/big"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMiekg(t *testing.T) {
	kit.Tokens(t, kit.Spec{}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "miekg/pkcs11", kit.Required(t, "github.com/miekg/pkcs11"), "logs in, finds keys, reads attributes, signs; starts again")
		k.Generate(t, "rsa2048", "rsa")
		k.Generate(t, "p256", "ec")
		public := map[string]crypto.PublicKey{"rsa": k.Public(t, "rsa"), "ec": k.Public(t, "ec")}
		for i := range kit.Count(3, 100) {
			cycle(t, k, public, i == 0)
		}
	})
}

// cycle is a program's life with the module, from loading it to letting go of it; its user may mistype the PIN once.
func cycle(t *testing.T, k *kit.Token, public map[string]crypto.PublicKey, mistypes bool) {
	t.Helper()
	p := pkcs11.New(kit.Module)
	if p == nil {
		t.Fatal("the module cannot be loaded")
	}
	defer p.Destroy()
	if err := p.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Finalize(); err != nil {
			t.Error(err)
		}
	}()
	session, err := p.OpenSession(slotOf(t, p, k), pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		t.Fatal(err)
	}
	if mistypes {
		if err := p.Login(session, pkcs11.CKU_USER, "wrong"); !errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_INCORRECT)) {
			t.Errorf("login with a wrong PIN: %v", err)
		}
	}
	if err := p.Login(session, pkcs11.CKU_USER, k.PIN); err != nil {
		t.Fatal(err)
	}
	if err := p.FindObjectsInit(session, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY)}); err != nil {
		t.Fatal(err)
	}
	keys, _, err := p.FindObjects(session, 10)
	if err = errors.Join(err, p.FindObjectsFinal(session)); err != nil || len(keys) != 2 {
		t.Fatalf("keys %v, %v", keys, err)
	}
	// One attribute that cannot be read makes the library give up on all.
	if _, err := p.GetAttributeValue(session, keys[0], []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_ID, nil), pkcs11.NewAttribute(pkcs11.CKA_LABEL, nil), pkcs11.NewAttribute(pkcs11.CKA_SUBJECT, nil),
		pkcs11.NewAttribute(pkcs11.CKA_ALWAYS_AUTHENTICATE, nil), pkcs11.NewAttribute(pkcs11.CKA_START_DATE, nil),
	}); err != nil {
		t.Error(err)
	}
	for _, key := range keys {
		signsWith(t, p, session, key, public)
	}
}

func slotOf(t *testing.T, p *pkcs11.Ctx, k *kit.Token) uint {
	t.Helper()
	slots, err := p.GetSlotList(true)
	if err != nil {
		t.Fatal(err)
	}
	for _, slot := range slots {
		if info, err := p.GetTokenInfo(slot); err == nil && info.SerialNumber == k.Serial {
			return slot
		}
	}
	t.Fatalf("no slot of %v has the token", slots)
	return 0
}

// signsWith signs with a key, and verifies with the public half that has its label.
func signsWith(t *testing.T, p *pkcs11.Ctx, session pkcs11.SessionHandle, key pkcs11.ObjectHandle, public map[string]crypto.PublicKey) {
	t.Helper()
	label, err := p.GetAttributeValue(session, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_LABEL, nil)})
	if err != nil {
		t.Fatal(err)
	}
	const text = "signed by miekg/pkcs11"
	digest := sha256.Sum256([]byte(text))
	sign := func(mechanism uint) []byte {
		t.Helper()
		if err := p.SignInit(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}, key); err != nil {
			t.Fatal(err)
		}
		signature, err := p.Sign(session, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	switch public := public[string(label[0].Value)].(type) {
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], sign(pkcs11.CKM_SHA256_RSA_PKCS)); err != nil {
			t.Error(err)
		}
	case *ecdsa.PublicKey:
		signature := sign(pkcs11.CKM_ECDSA_SHA256) // r and s
		r, s := new(big.Int).SetBytes(signature[:len(signature)/2]), new(big.Int).SetBytes(signature[len(signature)/2:])
		if !ecdsa.Verify(public, digest[:], r, s) {
			t.Error("the ECDSA signature is not good")
		}
	default:
		t.Errorf("a key is called %q", label[0].Value)
	}
}
