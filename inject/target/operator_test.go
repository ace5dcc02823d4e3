package target_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/target"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// handle finds the one private key of a type.
func (m *machine) handle(keyType ck.KeyType) ck.ObjectHandle {
	m.Helper()
	err := m.FindObjectsInit(attr.Template{{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PRIVATE_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(keyType))}})
	if err != nil {
		m.Fatal(err)
	}
	found := must(m.FindObjects(2))(m)
	if err := m.FindObjectsFinal(); err != nil || len(found) != 1 {
		m.Fatalf("%d keys of type %v, %v", len(found), keyType, err)
	}
	return found[0]
}

// short is a template for a key of one byte.
func short(t attr.Template) attr.Template {
	for i := range t {
		if t[i].Type == ck.CKA_VALUE_LEN {
			t[i].Value = attr.ULong(1)
		}
	}
	return t
}

// Who is logged in at the target and writes a program of his own gets nothing to read out of its keys.
func TestOperatorSeesNothing(t *testing.T) {
	m := newMachine(t)
	m.target(target.Options{})
	kem, x := m.handle(ck.CKK_ML_KEM), m.handle(ck.CKK_EC_MONTGOMERY)
	peer := must(ecdh.X25519().GenerateKey(rand.Reader))(t).PublicKey().Bytes()
	with := func(more ...attr.Attribute) attr.Template {
		return append(attr.Template{
			{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_GENERIC_SECRET))},
			{Type: ck.CKA_TOKEN, Value: attr.Bool(false)}, {Type: ck.CKA_VALUE_LEN, Value: attr.ULong(32)},
		}, more...)
	}
	flag := func(typ ck.AttributeType, v bool) attr.Attribute {
		return attr.Attribute{Type: typ, Value: attr.Bool(v)}
	}
	confining := []attr.Attribute{flag(ck.CKA_SENSITIVE, true), flag(ck.CKA_EXTRACTABLE, false), flag(ck.CKA_NCRYPT_CONFINING, true)}
	for name, tmpl := range map[string]attr.Template{
		"readable":             with(flag(ck.CKA_SENSITIVE, false), flag(ck.CKA_EXTRACTABLE, true)),
		"sensitive":            with(flag(ck.CKA_SENSITIVE, true), flag(ck.CKA_EXTRACTABLE, false), flag(ck.CKA_DERIVE, true)),
		"confining, to sign":   append(with(confining...), flag(ck.CKA_SIGN, true)),
		"confining, and short": short(with(append(confining, flag(ck.CKA_SIGN, false), flag(ck.CKA_VERIFY, false), flag(ck.CKA_DERIVE, true))...)),
	} {
		if _, err := m.DeriveKey(ck.Mechanism{Type: ck.CKM_ECDH1_DERIVE, Params: ck.ECDH1Params{KDF: ck.CKD_NULL, PublicData: peer}}, x, tmpl); err == nil {
			t.Errorf("agreed on a secret that is %s", name)
		}
		if _, err := m.DecapsulateKey(ck.Mechanism{Type: ck.CKM_ML_KEM}, kem, tmpl, make([]byte, 1088)); err == nil {
			t.Errorf("decapsulated a secret that is %s", name)
		}
	}
	for name, change := range map[string]attr.Attribute{
		"to sign":           flag(ck.CKA_SIGN, true),
		"to decrypt":        flag(ck.CKA_DECRYPT, true),
		"extractable":       flag(ck.CKA_EXTRACTABLE, true),
		"confining no more": flag(ck.CKA_NCRYPT_CONFINING, false),
		"more mechanisms":   {Type: ck.CKA_ALLOWED_MECHANISMS, Value: nil},
	} {
		for _, key := range []ck.ObjectHandle{kem, x} {
			if err := m.SetAttributes(key, attr.Template{change}); err == nil {
				t.Errorf("a target's key became a key %s", name)
			}
			if _, err := m.CopyObject(key, attr.Template{change}); err == nil {
				t.Errorf("a target's key was copied into a key %s", name)
			}
		}
	}
}

// A target may be made of keys that are there, if they were made for it. They stay when the target goes.
func TestTargetOfOtherKeys(t *testing.T) {
	m := newMachine(t)
	m.target(target.Options{Suite: inject.RSA})
	key := m.handle(ck.CKK_RSA)
	if err := m.SetAttributes(key, attr.Template{{Type: ck.CKA_ID, Value: []byte("own")}}); err != nil {
		t.Fatal(err)
	}
	to := m.target(target.Options{Suite: inject.RSA, Keys: []ck.ObjectHandle{key}})
	whole := sealed(t, inject.SealOptions{}, []*inject.Key{keyOf(t, "key", some(t)["p256"])}, to)
	if _, err := target.Import(m.Session, read(t, whole), &target.ImportOptions{}); err != nil {
		t.Error(err)
	}
	if m.state() != "2 0 1 2" { // the key and the imported one; the note and the first target
		t.Errorf("the token has %s", m.state())
	}

	_, weak, err := m.GenerateKeyPair(ck.Mechanism{Type: ck.CKM_RSA_PKCS_KEY_PAIR_GEN}, attr.Template{{Type: ck.CKA_MODULUS_BITS, Value: attr.ULong(3072)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	made := must(target.Make(m.Session, &target.Options{Suite: inject.RSA, Keys: []ck.ObjectHandle{weak}, Expires: time.Now().Add(time.Hour)}))(t)
	if _, err := made.Check(m.tpm.Trust(), time.Now(), nil); err == nil {
		t.Error("keys can be sealed to any key")
	}
}

// In a token whose names are unique, a package may not bring a name twice, nor one that is there.
func TestNamesThatAreTaken(t *testing.T) {
	m := newMachineOf(t, token.Spec{Policy: store.PolicyVBSRequired, UniqueNames: true})
	to := m.target(target.Options{})
	pair := func(a, b string) *inject.Package {
		return read(t, sealed(t, inject.SealOptions{}, []*inject.Key{keyOf(t, a, some(t)["p256"]), keyOf(t, b, some(t)["p256"])}, to))
	}
	m.refused("a name twice", pair("one", "ONE"), &target.ImportOptions{Keep: true}, token.ErrNameTaken)
	if _, err := target.Import(m.Session, pair("one", "two"), &target.ImportOptions{Keep: true}); err != nil {
		t.Fatal(err)
	}
	m.refused("a name that is there", pair("three", "two"), &target.ImportOptions{Keep: true}, token.ErrNameTaken)
	renamed := &target.ImportOptions{Rename: func(i int, k *inject.Meta) string { return fmt.Sprint("new ", i, k.Label) }}
	imported, err := target.Import(m.Session, pair("three", "two"), renamed)
	if err != nil || imported[1].Label != "new 1two" {
		t.Errorf("under other names: %v, %v", imported, err)
	}
}

// Where the keys are in software, nobody can vouch for them.
func TestSoftware(t *testing.T) {
	m := newMachineOf(t, token.Spec{Policy: store.PolicySoftware})
	before := m.state()
	if _, err := target.Make(m.Session, &target.Options{Expires: time.Now().Add(time.Hour)}); ck.Code(err) != ck.CKR_FUNCTION_REJECTED || m.state() != before {
		t.Errorf("%v, the token had %s and has %s", err, before, m.state())
	}
}

// Who can write a token's files, and has no login, writes what a target is to be: one that takes packages from anybody. What he writes is no target.
func TestTargetsOfStrangers(t *testing.T) {
	m := newMachine(t)
	to := m.target(target.Options{Sender: make([]byte, 32)})
	anybodys := *to
	anybodys.Sender = nil
	file := must(anybodys.Encode())(t)
	must(m.CreateObject(attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_DATA))}, {Type: ck.CKA_TOKEN, Value: attr.Bool(true)}, {Type: ck.CKA_PRIVATE, Value: attr.Bool(false)},
		{Type: ck.CKA_APPLICATION, Value: []byte("ncrypt11 inject target")}, {Type: ck.CKA_LABEL, Value: fmt.Appendf(nil, "%x", to.ID)}, {Type: ck.CKA_VALUE, Value: file},
	}))(t)
	whole := sealed(t, inject.SealOptions{}, []*inject.Key{keyOf(t, "key", some(t)["p256"])}, to)
	m.refused("nobody's", read(t, whole), &target.ImportOptions{}, inject.ErrSender)
	if known := must(target.List(m.Session))(t); len(known) != 1 || len(known[0].Sender) == 0 {
		t.Errorf("the token has %d targets", len(known))
	}
}

// A package may give a key the target's own id. It stays when the target goes.
func TestKeyOfTheTargetsID(t *testing.T) {
	m := newMachine(t)
	to := m.target(target.Options{})
	key := keyOf(t, "key", some(t)["p256"])
	key.ID = to.ID[:]
	if _, err := target.Import(m.Session, read(t, sealed(t, inject.SealOptions{}, []*inject.Key{key}, to)), &target.ImportOptions{Keep: true}); err != nil {
		t.Fatal(err)
	}
	if err := target.Remove(m.Session, to.ID); err != nil || m.state() != "1 0 1 1" {
		t.Errorf("Remove: %v, the token has %s", err, m.state())
	}
}
