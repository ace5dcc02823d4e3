package target_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/attest/softtpm"
	"github.com/ncrypt11/ncrypt11/inject/target"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/seal/pinhash"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// chip seals by a PIN, and vouches as a TPM does.
type chip struct {
	*pinseal.Sealer
	*softtpm.TPM
}

// machine is a computer with a guard, and a token.
type machine struct {
	testing.TB
	home  string
	tpm   *softtpm.TPM
	level guard.Level
	slot  ck.SlotID
	fails *int   // how many keys the guard still unwraps; nil: all
	step  string // which of the guard's functions fails; "": none
	*token.Provider
	*token.Session
}

const pin = "123456"

func newMachine(t testing.TB) *machine {
	t.Helper()
	return newMachineOf(t, token.Spec{Policy: store.PolicyVBSRequired})
}

func newMachineOf(t testing.TB, spec token.Spec) *machine {
	t.Helper()
	m := &machine{TB: t, home: t.TempDir(), tpm: must(softtpm.New())(t), level: guard.Process}
	if spec.Label = "target"; spec.Policy == store.PolicySoftware {
		m.level = guard.Software
	}
	m.Provider = m.engine()
	m.slot = must(m.Provider.Create(&spec, secret.Copy([]byte(pin))))(t)
	officer := m.open(ck.CKU_SO)
	if err := officer.InitPIN(secret.Copy([]byte(pin))); err != nil {
		t.Fatal(err)
	}
	if err := officer.Close(); err != nil {
		t.Fatal(err)
	}
	m.Session = m.open(ck.CKU_USER)
	return m
}

// engine is a program on the machine.
func (m *machine) engine() *token.Provider {
	m.Helper()
	cfg := must(config.Load(func(name string) string { return map[string]string{"NCRYPT11_HOME": m.home}[name] }))(m)
	p := must(token.New(cfg, func(*store.Header) (guard.Keys, error) {
		keys := local.For(local.Client{Level: m.level, MaxKeys: 50}, chip{pinseal.New(pinseal.WithCost(pinhash.Cost{Passes: 1, KiB: 8, Threads: 1})), m.tpm})
		return &failing{keys, m}, nil
	}))(m)
	m.Cleanup(p.Close)
	return p
}

// failing is a guard that can be told to fail.
type failing struct {
	*local.Keys
	m *machine
}

func (f *failing) Unwrap(v guard.Vault, by guard.Ref, s *mech.Scheme, wrapped []byte, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
	if f.m.fails != nil {
		if *f.m.fails--; *f.m.fails < 0 {
			return nil, ck.CKR_DEVICE_ERROR
		}
	}
	return f.Keys.Unwrap(v, by, s, wrapped, spec, p)
}

func (m *machine) open(user ck.UserType) *token.Session {
	m.Helper()
	return m.openIn(m.Provider, user)
}

func (m *machine) openIn(p *token.Provider, user ck.UserType) *token.Session {
	m.Helper()
	h := must(p.OpenSession(m.slot, ck.CKF_SERIAL_SESSION|ck.CKF_RW_SESSION))(m)
	s := must(p.Session(h))(m)
	if err := s.Login(user, secret.Copy([]byte(pin))); err != nil {
		m.Fatal(err)
	}
	return s
}

// target makes one that a server has checked.
func (m *machine) target(o target.Options) *inject.Target {
	m.Helper()
	if o.Expires.IsZero() {
		o.Expires = time.Now().Add(time.Hour)
	}
	made := must(target.Make(m.Session, &o))(m)
	t := must(inject.ParseTarget(must(made.Encode())(m)))(m)
	if _, err := t.Check(m.tpm.Trust(), time.Now(), o.Nonce); err != nil {
		m.Fatal(err)
	}
	return t
}

// count is how many objects there are of a class, whoever keeps them.
func (m *machine) count(class ck.ObjectClass) int {
	m.Helper()
	s := m.Session
	if err := s.FindObjectsInit(attr.Template{{Type: ck.CKA_CLASS, Value: attr.ULong(uint(class))}}); err != nil {
		m.Fatal(err)
	}
	found := must(s.FindObjects(1 << 20))(m)
	if err := s.FindObjectsFinal(); err != nil {
		m.Fatal(err)
	}
	return len(found)
}

// state is what is in the token: its keys, public keys and data.
func (m *machine) state() string {
	return fmt.Sprint(m.count(ck.CKO_PRIVATE_KEY), m.count(ck.CKO_SECRET_KEY), m.count(ck.CKO_PUBLIC_KEY), m.count(ck.CKO_DATA))
}

// some are keys of every kind, by their labels.
func some(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"p256": must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t), "ed25519": ed}
}

// keyOf is a key for a package.
func keyOf(t testing.TB, label string, private crypto.Signer) *inject.Key {
	t.Helper()
	meta := must(inject.Describe(private.Public()))(t)
	meta.Label, meta.ID = label, []byte(label)
	return &inject.Key{Meta: meta, Plain: secret.From(must(x509.MarshalPKCS8PrivateKey(private))(t))}
}

func each(keys ...*inject.Key) iter.Seq2[*inject.Key, error] {
	return func(yield func(*inject.Key, error) bool) {
		for _, k := range keys {
			if !yield(k, nil) {
				return
			}
		}
	}
}

// sealed is a package for targets.
func sealed(t testing.TB, o inject.SealOptions, keys []*inject.Key, targets ...*inject.Target) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := inject.Seal(&out, targets, len(keys), each(keys...), &o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func read(t testing.TB, b []byte) *inject.Package {
	t.Helper()
	return must(inject.ReadPackage(bytes.NewReader(b)))(t)
}
