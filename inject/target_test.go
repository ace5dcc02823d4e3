package inject_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/inject/attest/softtpm"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

var someAbout = inject.About{Suite: inject.Hybrid, Label: "a <token>", Serial: "0123456789abcdef", Sender: bytes.Repeat([]byte{3}, 32)}

// What a guard may say of a target's keys, and what it must not.
func TestCheck(t *testing.T) {
	m := newMachine(t)
	other := newMachine(t)
	key := func(change func(p *guard.Policy)) func(*guard.Statement) {
		return func(s *guard.Statement) { change(s.Keys[1].Policy) }
	}
	for name, test := range map[string]struct {
		change func(*guard.Statement)
		after  time.Duration
		want   error
	}{
		"all is well":           {nil, 0, nil},
		"to the last second":    {nil, 24*time.Hour - time.Second, nil},
		"a clock that is ahead": {func(s *guard.Statement) { s.Made = now.Add(5 * time.Minute) }, 0, nil},
		"expired":               {nil, 24 * time.Hour, inject.ErrExpired},
		"from the future":       {func(s *guard.Statement) { s.Made = now.Add(6 * time.Minute) }, 0, inject.ErrExpired},
		"another context":       {func(s *guard.Statement) { s.Asked.Context = make([]byte, 32) }, 0, inject.ErrTampered},
		"another nonce":         {func(s *guard.Statement) { s.Asked.Nonce = []byte("nonces") }, 0, inject.ErrNonce},
		"no nonce":              {func(s *guard.Statement) { s.Asked.Nonce = nil }, 0, inject.ErrNonce},
		"extractable":           {key(func(p *guard.Policy) { p.Extractable, p.Confining = true, false }), 0, inject.ErrUnfit},
		"not sensitive":         {key(func(p *guard.Policy) { p.Sensitive, p.Confining = false, false }), 0, inject.ErrUnfit},
		"not confined":          {key(func(p *guard.Policy) { p.Confined = false }), 0, inject.ErrUnfit},
		"not confining":         {key(func(p *guard.Policy) { p.Confining = false }), 0, inject.ErrUnfit},
		"without a login":       {key(func(p *guard.Policy) { p.Private = false }), 0, inject.ErrUnfit},
		"a use more":            {key(func(p *guard.Policy) { p.Usage |= guard.UseUnwrap }), 0, inject.ErrUnfit},
		"a use less":            {key(func(p *guard.Policy) { p.Usage = 0 }), 0, inject.ErrUnfit},
		"all mechanisms":        {key(func(p *guard.Policy) { p.Allowed = nil }), 0, inject.ErrUnfit},
		"a mechanism more":      {key(func(p *guard.Policy) { p.Allowed = append(p.Allowed, ck.CKM_HKDF_DERIVE) }), 0, inject.ErrUnfit},
		"another type":          {key(func(p *guard.Policy) { p.KeyType = ck.CKK_EC }), 0, inject.ErrUnfit},
		"a secret key":          {key(func(p *guard.Policy) { p.Class = ck.CKO_SECRET_KEY }), 0, inject.ErrUnfit},
		"the keys swapped":      {func(s *guard.Statement) { s.Keys[0], s.Keys[1] = s.Keys[1], s.Keys[0] }, 0, inject.ErrUnfit},
		"one key twice":         {func(s *guard.Statement) { s.Keys[1].Public = s.Keys[0].Public }, 0, inject.ErrMalformed},
		"an RSA key":            {func(s *guard.Statement) { s.Keys[1].Public = m.spkis(inject.RSA)[0] }, 0, inject.ErrMalformed},
		"no key":                {func(s *guard.Statement) { s.Keys[1].Public = []byte("none") }, 0, inject.ErrMalformed},
	} {
		id, err := m.target(someAbout, test.change).Check(m.tpm.Trust(), now.Add(test.after), []byte("nonce"))
		if !errors.Is(err, test.want) || (test.want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if id == nil {
			t.Errorf("%s: the identity is not given", name)
		}
	}
	to := m.target(someAbout, nil)
	if id, err := to.Check(other.tpm.Trust(), now, nil); !errors.Is(err, inject.ErrUntrusted) || id == nil {
		t.Errorf("another TPM's: %v, %v", id, err)
	}
	if id, err := to.Check(attest.Trust{}, now, nil); !errors.Is(err, inject.ErrUntrusted) || id == nil {
		t.Errorf("trusting nobody: %v, %v", id, err)
	}
	for name, change := range map[string]func(t *inject.Target){
		"label":  func(t *inject.Target) { t.Label += "x" },
		"serial": func(t *inject.Target) { t.Serial = "" },
		"sender": func(t *inject.Target) { t.Sender = nil },
		"id":     func(t *inject.Target) { t.ID[15]++ },
	} {
		changed := m.target(someAbout, nil)
		if change(changed); check(m, changed) == nil || !errors.Is(check(m, changed), inject.ErrTampered) {
			t.Errorf("another %s: %v", name, check(m, changed))
		}
	}
	forged := m.target(someAbout, nil)
	forged.Attestation = must(must(softtpm.New())(t).Attest(forged.Statement))(t)
	if err := check(m, forged); !errors.Is(err, inject.ErrUntrusted) {
		t.Errorf("a TPM of a forger's own: %v", err)
	}
}

func check(m *machine, t *inject.Target) error {
	_, err := t.Check(m.tpm.Trust(), now, nil)
	return err
}

// A fingerprint of the attestation key does not do. Who carries the target file could put an endorsement key of his own into it, and be the TPM that the package takes.
func TestEndorsementKeyOfAnother(t *testing.T) {
	m := newMachine(t)
	to, own := m.target(someAbout, nil), must(newMachine(t).tpm.Attest([]byte("any")))(t)
	var unknown *attest.UntrustedError
	if _, err := to.Check(attest.Trust{}, now, nil); !errors.As(err, &unknown) {
		t.Fatal(err)
	}
	known := attest.Trust{Fingerprints: [][32]byte{unknown.Identity.AKFingerprint}}
	exchanged := *to.Attestation
	exchanged.EKPublic, exchanged.EKCertificates = own.EKPublic, own.EKCertificates
	for name, a := range map[string]*seal.Attestation{"its own": to.Attestation, "another's": &exchanged} {
		carried := must(inject.NewTarget(to.About, to.Statement, a))(t)
		if _, err := carried.Check(known, now, nil); !errors.Is(err, inject.ErrUntrusted) {
			t.Errorf("%s endorsement key, and a fingerprint of the attestation key: %v", name, err)
		}
	}
}

// A target that is changed after its check is not the one that passed.
func TestCheckIsForgotten(t *testing.T) {
	m := newMachine(t)
	to := m.checked(someAbout)
	if check(newMachine(t), to) == nil {
		t.Fatal("another TPM's target")
	}
	keys, _ := someKeys(t, 1)
	if _, err := inject.Seal(new(bytes.Buffer), []*inject.Target{to}, 1, each(keys), &inject.SealOptions{Made: now}); err == nil {
		t.Error("keys were sealed to a target that has failed a check")
	}
}

// A target file says everything once, in one way.
func TestTargetFile(t *testing.T) {
	m := newMachine(t)
	to := m.target(someAbout, nil)
	file := must(to.Encode())(t)
	again := must(inject.ParseTarget(file))(t)
	if check(m, again) != nil || !bytes.Equal(must(again.Encode())(t), file) {
		t.Error("it does not come back as it was")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, file); err != nil {
		t.Fatal(err)
	}
	if _, err := inject.ParseTarget(compact.Bytes()); err != nil {
		t.Errorf("other white space: %v", err)
	}
	text := string(file)
	replace := func(old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("no %q in it", old)
		}
		return strings.Replace(text, old, new, 1)
	}
	for name, bad := range map[string]string{
		"nothing":              "",
		"null":                 "null",
		"a list":               "[" + text + "]",
		"two":                  text + text,
		"something after it":   text + "0",
		"a field more":         replace(`"serial"`, `"colour": "red", "serial"`),
		"a field twice":        replace(`"serial"`, `"label": "a <token>", "serial"`),
		"another, then right":  replace(`"serial"`, `"Label": "other", "serial"`),
		"other capitals":       replace(`"serial"`, `"Serial"`),
		"another order":        strings.Replace(replace(`  "label": "a <token>",`, ""), `"statement"`, `"label": "a <token>", "statement"`, 1),
		"another version":      replace(`"ncrypt11-target": 1`, `"ncrypt11-target": 2`),
		"no version":           replace(`"ncrypt11-target": 1,`, ""),
		"another suite":        replace(string(inject.Hybrid), "rot13"),
		"a suite of less keys": replace(string(inject.Hybrid), string(inject.RSA)),
		"a short id":           replace(`"id": "`, `"id": "AAAA`),
		"escapes":              replace("<", `\u003c`),
		"no base64":            replace(`"statement": "`, `"statement": "*`),
		"white space within":   replace(`"statement": "`, `"statement": "\n`),
		"a short sender":       replace(`"sender": "AwMD`, `"sender": "`),
		"no attestation":       text[:strings.Index(text, `"attestation"`)] + `"attestation": {}}`,
		"huge":                 text + strings.Repeat(" ", inject.MaxTargetFile),
		"a long label":         replace("a <token>", strings.Repeat("a", 300)),
	} {
		if _, err := inject.ParseTarget([]byte(bad)); !errors.Is(err, inject.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for at := range file {
		bad := bytes.Clone(file)
		bad[at] ^= 1
		if changed, err := inject.ParseTarget(bad); err == nil && check(m, changed) == nil && !sameButWhite(bad, file) {
			t.Errorf("byte %d: %q was changed", at, file[at])
		}
	}
}

func sameButWhite(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}
