package target_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/attest/softtpm"
	"github.com/ncrypt11/ncrypt11/inject/target"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// refused checks that an import fails so, and that nothing of it is left.
func (m *machine) refused(what string, p *inject.Package, o *target.ImportOptions, want error) {
	m.Helper()
	before := m.state()
	_, err := target.Import(m.Session, p, o)
	if !errors.Is(err, want) {
		m.Errorf("%s: %v, want %v", what, err, want)
	}
	if after := m.state(); after != before {
		m.Errorf("%s: the token had %s and has %s", what, before, after)
	}
}

// A package is imported once, whether its target is kept or not.
func TestReplay(t *testing.T) {
	for _, keep := range []bool{true, false} {
		m := newMachine(t)
		to := m.target(target.Options{})
		first := sealed(t, inject.SealOptions{}, []*inject.Key{keyOf(t, "first", some(t)["p256"])}, to)
		second := sealed(t, inject.SealOptions{}, []*inject.Key{keyOf(t, "second", some(t)["p256"])}, to)
		o := &target.ImportOptions{Keep: keep}
		if _, err := target.Import(m.Session, read(t, first), o); err != nil {
			t.Fatal(err)
		}
		m.refused("again", read(t, first), o, inject.ErrReplayed)
		if !keep {
			m.refused("one for the same target", read(t, second), o, inject.ErrOtherTarget)
			continue
		}
		if _, err := target.Import(m.Session, read(t, second), o); err != nil {
			t.Errorf("another for a target that was kept: %v", err)
		}
		if known := must(target.List(m.Session))(t); len(known) != 1 || known[0].ID != to.ID {
			t.Errorf("the token has the targets %v", known)
		}
		if err := target.Remove(m.Session, to.ID); err != nil || m.state() != "2 0 2 2" {
			t.Errorf("Remove: %v, the token has %s", err, m.state())
		}
	}
}

// Of programs that import one package at the same time, one does.
func TestImportsAtOnce(t *testing.T) {
	m := newMachine(t)
	to := m.target(target.Options{})
	var keys []*inject.Key
	for i := range 5 {
		keys = append(keys, keyOf(t, fmt.Sprint("key ", i), some(t)["p256"]))
	}
	whole := sealed(t, inject.SealOptions{}, keys, to)
	const programs = 4
	var sessions [programs]*token.Session
	for i := range sessions {
		sessions[i] = m.openIn(m.engine(), ck.CKU_USER)
	}
	var errs [programs]error
	var all sync.WaitGroup
	for i, s := range sessions {
		p := read(t, whole)
		all.Go(func() { _, errs[i] = target.Import(s, p, &target.ImportOptions{Keep: true}) })
	}
	all.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if !errors.Is(err, inject.ErrReplayed) {
			t.Error(err)
		}
	}
	if done != 1 || m.state() != "7 0 5 2" {
		t.Errorf("%d have imported it, and the token has %s", done, m.state())
	}
}

// Of two packages for one target that is not kept, one is taken: also if the other was begun before.
func TestTwoPackagesAtOnce(t *testing.T) {
	m := newMachine(t)
	to := m.target(target.Options{})
	first := read(t, sealed(t, inject.SealOptions{}, []*inject.Key{keyOf(t, "first", some(t)["p256"])}, to))
	second := read(t, sealed(t, inject.SealOptions{}, []*inject.Key{keyOf(t, "second", some(t)["p256"])}, to))
	between := func() {
		if _, err := target.Import(m.openIn(m.engine(), ck.CKU_USER), second, &target.ImportOptions{}); err != nil {
			t.Errorf("the second: %v", err)
		}
	}
	_, err := target.Import(m.Session, first, &target.ImportOptions{Opened: between})
	if !errors.Is(err, inject.ErrOtherTarget) || m.state() != "1 0 1 1" {
		t.Errorf("the first: %v, the token has %s", err, m.state())
	}
}

// Who may not import what.
func TestRefused(t *testing.T) {
	m, other := newMachine(t), newMachine(t)
	key := func() []*inject.Key { return []*inject.Key{keyOf(t, "key", some(t)["p256"])} }
	to := m.target(target.Options{Expires: time.Now().Add(2 * time.Hour)})
	whole := sealed(t, inject.SealOptions{}, key(), to)
	at := func(d time.Duration) *target.ImportOptions { return &target.ImportOptions{Now: time.Now().Add(d)} }

	other.refused("another token", read(t, whole), at(0), inject.ErrOtherTarget)
	m.refused("too late", read(t, whole), at(3*time.Hour), inject.ErrExpired)
	m.refused("too early", read(t, whole), at(-time.Hour), inject.ErrExpired)
	brief := sealed(t, inject.SealOptions{Expires: time.Now().Add(time.Minute)}, key(), to)
	m.refused("later than the package says", read(t, brief), at(time.Hour), inject.ErrExpired)
	m.refused("for another, too late", read(t, sealed(t, inject.SealOptions{}, key(), other.target(target.Options{}))), at(3*time.Hour), inject.ErrOtherTarget)

	*m.tpm = *must(softtpm.New())(t)
	m.refused("another TPM", read(t, whole), at(0), inject.ErrTampered)
}

// A target that names its sender takes packages of nobody else.
func TestSender(t *testing.T) {
	for name, sender := range map[string]crypto.Signer{
		"ECDSA": must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t), "RSA": must(rsa.GenerateKey(rand.Reader, 2048))(t), "Ed25519": some(t)["ed25519"],
	} {
		m := newMachine(t)
		to := m.target(target.Options{Sender: inject.Fingerprint(must(pubkey.SPKI(sender.Public()))(t))})
		key := func() []*inject.Key { return []*inject.Key{keyOf(t, "key", some(t)["p256"])} }
		m.refused(name+": nobody", read(t, sealed(t, inject.SealOptions{}, key(), to)), &target.ImportOptions{}, inject.ErrSender)
		m.refused(name+": another", read(t, sealed(t, inject.SealOptions{Sender: some(t)["ed25519"]}, key(), to)), &target.ImportOptions{}, inject.ErrSender)
		if _, err := target.Import(m.Session, read(t, sealed(t, inject.SealOptions{Sender: sender}, key(), to)), &target.ImportOptions{}); err != nil {
			t.Errorf("%s: the sender himself: %v", name, err)
		}
	}
}

// One key that cannot be taken in, and none is.
func TestAllOrNothing(t *testing.T) {
	m := newMachine(t)
	to := m.target(target.Options{})
	for what, spoil := range map[string]func(k *inject.Key){
		"another's public half": func(k *inject.Key) { k.Meta.Public = keyOf(t, "", some(t)["p256"]).Meta.Public },
		"another type":          func(k *inject.Key) { k.Meta.KeyType, k.Meta.Public = ck.CKK_RSA, nil },
		"no key":                func(k *inject.Key) { k.Plain.Bytes()[0]++ },
	} {
		keys := []*inject.Key{keyOf(t, "first", some(t)["p256"]), keyOf(t, "second", some(t)["p256"]), keyOf(t, "third", some(t)["p256"])}
		spoil(keys[1])
		before := m.state()
		_, err := target.Import(m.Session, read(t, sealed(t, inject.SealOptions{}, keys, to)), &target.ImportOptions{})
		if err == nil || !strings.Contains(err.Error(), "key 2") {
			t.Errorf("%s: %v", what, err)
		}
		if m.state() != before {
			t.Errorf("%s: the token had %s, and has %s", what, before, m.state())
		}
	}
	keys := []*inject.Key{keyOf(t, "first", some(t)["p256"]), keyOf(t, "second", some(t)["p256"])}
	p := read(t, redigested(sealed(t, inject.SealOptions{}, keys, to), func(b []byte) { b[len(b)-40]++ }))
	m.refused("the last was altered", p, &target.ImportOptions{}, inject.ErrTampered)
}

// A guard that ends within an import has brought nothing in, and the package is still good.
func TestGuardThatEnds(t *testing.T) {
	m := newMachine(t)
	to := m.target(target.Options{})
	var keys []*inject.Key
	for i := range 4 {
		keys = append(keys, keyOf(t, fmt.Sprint("key ", i), some(t)["p256"]))
	}
	p := read(t, sealed(t, inject.SealOptions{}, keys, to))
	for n := range 4 {
		m.fails = &n
		m.refused(fmt.Sprint("after ", n), p, &target.ImportOptions{}, ck.CKR_DEVICE_ERROR)
	}
	m.fails = nil
	if imported, err := target.Import(m.Session, p, &target.ImportOptions{}); err != nil || len(imported) != 4 || m.state() != "4 0 4 1" {
		t.Errorf("%v, the token has %s", err, m.state())
	}
}

// redigested changes a package for one target that nobody signed, and makes the digest fit again.
func redigested(whole []byte, change func(b []byte)) []byte {
	b := bytes.Clone(whole)
	change(b)
	const before = len("ncrypt11 package 1\n")
	const digest, signature = sha256.Size, 2
	start, end := before+4+int(binary.BigEndian.Uint32(whole[before:])), len(b)-digest-signature
	sum := sha256.Sum256(b[start:end])
	copy(b[end:], sum[:])
	return b
}

// Whatever byte is changed, nothing is imported. Package inject tries every one, here is that the guard notices.
func TestTampered(t *testing.T) {
	for _, suite := range inject.Suites() {
		m := newMachine(t)
		to := m.target(target.Options{Suite: suite})
		whole := sealed(t, inject.SealOptions{}, []*inject.Key{keyOf(t, "key", some(t)["p256"])}, to)
		for at := 0; at < len(whole)-34; at += 41 { // what comes then is made to fit
			p, err := inject.ReadPackage(bytes.NewReader(redigested(whole, func(b []byte) { b[at] ^= 0x20 })))
			if err != nil {
				continue
			}
			before := m.state()
			if _, err := target.Import(m.Session, p, &target.ImportOptions{}); err == nil || m.state() != before {
				t.Fatalf("%s: byte %d: %v, the token had %s and has %s", suite, at, err, before, m.state())
			}
		}
		if _, err := target.Import(m.Session, read(t, whole), &target.ImportOptions{}); err != nil {
			t.Error(err)
		}
	}
}

// There may be more keys than a guard holds at a time.
func TestManyKeys(t *testing.T) {
	m := newMachine(t)
	to := m.target(target.Options{})
	var keys []*inject.Key
	for i := range 120 {
		keys = append(keys, keyOf(t, fmt.Sprint("key ", i), some(t)["ed25519"]))
	}
	imported, err := target.Import(m.Session, read(t, sealed(t, inject.SealOptions{}, keys, to)), &target.ImportOptions{})
	if err != nil || len(imported) != 120 || m.state() != "120 0 120 1" {
		t.Fatalf("%d, %v, the token has %s", len(imported), err, m.state())
	}
}
