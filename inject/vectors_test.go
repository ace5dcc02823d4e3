package inject_test

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/attest/softtpm"
)

var update = flag.Bool("update", false, "make the vectors anew: for a new version of a format only")

// vector is a target with its secrets, and what a package for it has. It is for other implementations too; FORMAT.md says how the values come about.
type vector struct {
	TPM    string   // the private keys of a TPM of software (softtpm.Load)
	MLKEM  string   `json:",omitempty"` // the seed
	X25519 string   `json:",omitempty"` // the private key
	RSA    string   `json:",omitempty"` // PKCS #8
	Steps  []string // what the target finds, in this order: its secrets, the credential's, what each combination gives; the last is the key
	Keys   []string // the plaintexts
}

func path(suite inject.Suite, what string) string {
	return filepath.Join("testdata", string(suite)+what)
}

// known is the machine and the target of the vectors.
func known(t testing.TB, suite inject.Suite) (*machine, *inject.Target) {
	t.Helper()
	v := readVector(t, suite)
	m := &machine{TB: t, tpm: must(softtpm.Load(unhex(t, v.TPM)))(t)}
	if suite == inject.Hybrid {
		m.kem = must(mlkem.NewDecapsulationKey768(unhex(t, v.MLKEM)))(t)
		m.x = must(ecdh.X25519().NewPrivateKey(unhex(t, v.X25519)))(t)
	} else {
		key := must(x509.ParsePKCS8PrivateKey(unhex(t, v.RSA)))(t).(*rsa.PrivateKey)
		m.rsa = func() *rsa.PrivateKey { return key }
	}
	return m, must(inject.ParseTarget(must(os.ReadFile(path(suite, ".target.json")))(t)))(t)
}

func readVector(t testing.TB, suite inject.Suite) *vector {
	t.Helper()
	var v vector
	if err := json.Unmarshal(must(os.ReadFile(path(suite, ".vector.json")))(t), &v); err != nil {
		t.Fatal(err)
	}
	return &v
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	return must(hex.DecodeString(s))(t)
}

// The packages of before are opened as they were, step by step.
func TestVectors(t *testing.T) {
	for _, suite := range inject.Suites() {
		if *update {
			makeVector(t, suite)
		}
		v := readVector(t, suite)
		m, to := known(t, suite)
		if _, err := to.Check(m.tpm.Trust(), now, []byte("nonce")); err != nil {
			t.Errorf("%s: the target: %v", suite, err)
		}
		keys, err := m.open(must(os.ReadFile(path(suite, ".package")))(t), to, now)
		if err != nil {
			t.Errorf("%s: %v", suite, err)
			continue
		}
		wantHex(t, string(suite)+", steps", m.keys, v.Steps)
		wantHex(t, string(suite)+", keys", keys, v.Keys)
	}
}

func wantHex(t *testing.T, what string, got [][]byte, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d, want %d", what, len(got), len(want))
	}
	for i := range got {
		if hex.EncodeToString(got[i]) != want[i] {
			t.Errorf("%s, %d: %x, want %s", what, i, got[i], want[i])
		}
	}
}

// makeVector writes the files.
func makeVector(t *testing.T, suite inject.Suite) {
	m := newMachine(t)
	v := &vector{TPM: hex.EncodeToString(must(m.tpm.Keys())(t))}
	if suite == inject.Hybrid {
		v.MLKEM, v.X25519 = hex.EncodeToString(m.kem.Bytes()), hex.EncodeToString(m.x.Bytes())
	} else {
		v.RSA = hex.EncodeToString(must(x509.MarshalPKCS8PrivateKey(m.rsa()))(t))
	}
	to := m.checked(inject.About{Suite: suite, Label: "a token", Serial: "0123456789abcdef"})
	keys, _ := someKeys(t, 2)
	whole := sealed(t, inject.SealOptions{}, keys, to)
	plain, err := m.open(whole, to, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range m.keys {
		v.Steps = append(v.Steps, hex.EncodeToString(step))
	}
	for _, key := range plain {
		v.Keys = append(v.Keys, hex.EncodeToString(key))
	}
	files := map[string][]byte{".package": whole, ".target.json": must(to.Encode())(t), ".vector.json": append(must(json.MarshalIndent(v, "", "  "))(t), '\n')}
	for what, content := range files {
		if err := os.WriteFile(path(suite, what), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
