package inject_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

func same(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

// Every target of a package opens it, each by its own suite, and the sender wipes what he sealed.
func TestRoundTrip(t *testing.T) {
	a, b := newMachine(t), newMachine(t)
	hybrid, byRSA := a.checked(inject.About{Suite: inject.Hybrid, Label: "a"}), b.checked(inject.About{Suite: inject.RSA, Label: "b"})
	keys, plain := someKeys(t, 3)
	whole := sealed(t, inject.SealOptions{}, keys, hybrid, byRSA)
	for _, k := range keys {
		if k.Plain.Len() != 0 {
			t.Errorf("%s was not wiped", k.Label)
		}
	}
	for name, to := range map[string]struct {
		*machine
		*inject.Target
	}{"hybrid": {a, hybrid}, "RSA": {b, byRSA}} {
		if got, err := to.open(whole, to.Target, now); err != nil || !same(got, plain) {
			t.Errorf("%s: %v, or other keys", name, err)
		}
	}
	for _, part := range plain {
		if bytes.Contains(whole, part[36:68]) {
			t.Error("a key is in the package as it is")
		}
	}
	p := must(inject.ReadPackage(bytes.NewReader(whole)))(t)
	if !p.Made.Equal(now) || !p.Expires.Equal(now.Add(24*time.Hour)) || len(p.Targets) != 2 || len(p.Sender) != 0 ||
		p.Keys[2].Label != "key 2" || p.Keys[2].KeyType != ck.CKK_EC {
		t.Errorf("%+v", p)
	}
	if _, err := a.open(whole, b.checked(inject.About{Suite: inject.RSA}), now); !errors.Is(err, inject.ErrOtherTarget) {
		t.Errorf("a target that is not among them: %v", err)
	}
	if _, err := a.open(whole, a.checked(inject.About{Suite: inject.Hybrid, ID: hybrid.ID, Label: "other"}), now); !errors.Is(err, inject.ErrOtherTarget) {
		t.Errorf("one of the same id: %v", err)
	}
}

// None of a target's secrets can be missing: whose private keys leaked still needs the TPM, and the other way round.
func TestEverySecretCounts(t *testing.T) {
	m := newMachine(t)
	for suite, without := range map[inject.Suite][]func(*machine, *machine){
		inject.Hybrid: {func(m, o *machine) { m.kem = o.kem }, func(m, o *machine) { m.x = o.x }, func(m, o *machine) { m.tpm = o.tpm }},
		inject.RSA:    {func(m, o *machine) { m.rsa = o.rsa }, func(m, o *machine) { m.tpm = o.tpm }},
	} {
		to := m.checked(inject.About{Suite: suite})
		keys, plain := someKeys(t, 1)
		whole := sealed(t, inject.SealOptions{}, keys, to)
		for i, take := range without {
			lacking := *m
			take(&lacking, newMachine(t))
			if _, err := lacking.open(whole, to, now); !errors.Is(err, inject.ErrTampered) {
				t.Errorf("%s without its secret %d: %v", suite, i, err)
			}
		}
		if got, err := m.open(whole, to, now); err != nil || !same(got, plain) {
			t.Errorf("%s: %v", suite, err)
		}
	}
}

// Whatever byte is changed, no key comes out; and also if who changed it makes the digest fit, unless that byte was another target's.
func TestEveryByte(t *testing.T) {
	for suite, step := range map[inject.Suite]int{inject.Hybrid: 1, inject.RSA: 29} { // RSA takes its time, and only a few bytes are its own
		m := newMachine(t)
		to, by := m.checked(inject.About{Suite: suite}), newMachine(t).checked(inject.About{Suite: inject.RSA})
		keys, _ := someKeys(t, 2)
		whole := sealed(t, inject.SealOptions{}, keys, to, by)
		l := layoutOf(whole)
		for at := 0; at < len(whole); at += step {
			_, err := m.open(flipped(whole, at), to, now)
			wantRefused(t, at, l, err)
		}
		keys, _ = someKeys(t, 2)
		whole = sealed(t, inject.SealOptions{}, keys, to)
		l = layoutOf(whole)
		for at := l.keys[0]; at < l.trailer; at += step {
			if _, err := m.open(redigested(flipped(whole, at), l), to, now); !errors.Is(err, inject.ErrTampered) && !errors.Is(err, inject.ErrMalformed) {
				t.Errorf("%s: byte %d, with the digest: %v", suite, at, err)
			}
		}
	}
}

func flipped(whole []byte, at int) []byte {
	bad := bytes.Clone(whole)
	bad[at] ^= 1 << (at % 8)
	return bad
}

// wantRefused checks that a change was noticed, by an error that says what the byte is.
func wantRefused(t *testing.T, at int, l layout, err error) {
	t.Helper()
	allowed := []error{inject.ErrTampered, inject.ErrMalformed}
	switch {
	case at < l.header:
		allowed = []error{inject.ErrMalformed}
	case at < l.keys[0]: // a target's id, suite or statement; the times
		allowed = append(allowed, inject.ErrOtherTarget, inject.ErrExpired)
	case at >= l.trailer && at < l.trailer+32:
		allowed = []error{inject.ErrTampered}
	}
	if !slices.ContainsFunc(allowed, func(one error) bool { return errors.Is(err, one) }) {
		t.Errorf("byte %d: %v", at, err)
	}
}

// A package that is cut off, or goes on, is none.
func TestCutOff(t *testing.T) {
	m := newMachine(t)
	to := m.checked(inject.About{Suite: inject.Hybrid})
	keys, _ := someKeys(t, 2)
	whole := sealed(t, inject.SealOptions{Sender: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)}, keys, to)
	for n := range whole {
		if _, err := m.open(whole[:n], to, now); !errors.Is(err, inject.ErrMalformed) {
			t.Fatalf("%d bytes of it: %v", n, err)
		}
	}
	if _, err := m.open(append(whole[:len(whole):len(whole)], 0), to, now); !errors.Is(err, inject.ErrMalformed) {
		t.Errorf("with a byte more: %v", err)
	}
}

// Keys that change places, are missing, or are there twice.
func TestMovedKeys(t *testing.T) {
	m := newMachine(t)
	to := m.checked(inject.About{Suite: inject.Hybrid})
	keys, _ := someKeys(t, 3)
	whole := sealed(t, inject.SealOptions{}, keys, to)
	other, _ := someKeys(t, 3)
	foreign := sealed(t, inject.SealOptions{}, other, to)
	l, f := layoutOf(whole), layoutOf(foreign)
	key := func(i int) []byte { return whole[l.keys[i]:l.keys[i+1]] }
	for name, order := range map[string][][]byte{
		"swapped": {key(1), key(0), key(2)},
		"rotated": {key(2), key(0), key(1)},
		"dropped": {key(0), key(2)},
		"twice":   {key(0), key(0), key(2)},
		"more":    {key(0), key(1), key(2), key(2)},
		"foreign": {key(0), foreign[f.keys[1]:f.keys[2]], key(2)},
	} {
		for _, recount := range []bool{false, true} {
			bad := slices.Concat(whole[:l.keys[0]], slices.Concat(order...), whole[l.trailer:])
			if recount {
				binary.BigEndian.PutUint32(bad[l.header+32:], uint32(len(order)))
			}
			moved := layoutOf(slices.Concat(bad, make([]byte, 4096)))
			moved.trailer = len(bad) - 34
			_, err := m.open(redigested(bad, moved), to, now)
			if !errors.Is(err, inject.ErrTampered) && !errors.Is(err, inject.ErrMalformed) {
				t.Errorf("%s, counted anew: %v: %v", name, recount, err)
			}
		}
	}
}

// What the sender signed is checked before anything else is done.
func TestSender(t *testing.T) {
	m := newMachine(t)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	for name, sender := range map[string]crypto.Signer{
		"Ed25519": ed, "P-256": must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t), "RSA": must(rsa.GenerateKey(rand.Reader, 2048))(t),
	} {
		spki := must(pubkey.SPKI(sender.Public()))(t)
		to := m.checked(inject.About{Suite: inject.Hybrid, Sender: inject.Fingerprint(spki)})
		keys, plain := someKeys(t, 2)
		whole := sealed(t, inject.SealOptions{Sender: sender}, keys, to)
		if got, err := m.open(whole, to, now); err != nil || !same(got, plain) {
			t.Errorf("%s: %v", name, err)
		}
		l := layoutOf(whole)
		for at := 0; at < len(whole); at += 5 {
			bad := bytes.Clone(whole)
			bad[at] ^= 4
			if _, err := inject.ReadPackage(bytes.NewReader(bad)); !errors.Is(err, inject.ErrTampered) && !errors.Is(err, inject.ErrMalformed) {
				t.Errorf("%s: byte %d: %v", name, at, err)
			}
			if at >= l.keys[0] && at < l.trailer {
				if _, err := inject.ReadPackage(bytes.NewReader(redigested(bad, l))); !errors.Is(err, inject.ErrTampered) && !errors.Is(err, inject.ErrMalformed) {
					t.Errorf("%s: byte %d, with the digest: %v", name, at, err)
				}
			}
		}
		keys, _ = someKeys(t, 1)
		if _, err := m.open(sealed(t, inject.SealOptions{}, keys, to), to, now); !errors.Is(err, inject.ErrSender) {
			t.Errorf("%s: nobody's: %v", name, err)
		}
	}
	for name, sender := range map[string]crypto.Signer{"P-384": must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))(t), "RSA 1024": weak(t)} {
		keys, _ := someKeys(t, 1)
		_, err := inject.Seal(new(bytes.Buffer), []*inject.Target{m.checked(inject.About{Suite: inject.Hybrid})}, 1, each(keys), &inject.SealOptions{Sender: sender, Made: now})
		if !errors.Is(err, inject.ErrMalformed) {
			t.Errorf("%s signs: %v", name, err)
		}
	}
}

func weak(t *testing.T) *rsa.PrivateKey {
	t.Setenv("GODEBUG", "rsa1024min=0")
	return must(rsa.GenerateKey(rand.Reader, 1024))(t)
}

// A package that nobody would read is not written.
func TestTooMuch(t *testing.T) {
	m := newMachine(t)
	var targets []*inject.Target
	for range inject.MaxTargets {
		targets = append(targets, m.checked(inject.About{Suite: inject.Hybrid}))
	}
	some, _ := someKeys(t, 1)
	const each = 16 << 10
	count, written := inject.MaxPackage/(each*len(targets))+1, 0
	keys := func(yield func(*inject.Key, error) bool) {
		for range count {
			if !yield(&inject.Key{Meta: some[0].Meta, Plain: secret.New(each)}, nil) {
				return
			}
		}
	}
	_, err := inject.Seal(counting(func(n int) { written += n }), targets, count, keys, &inject.SealOptions{Made: now})
	if err == nil || written > inject.MaxPackage {
		t.Errorf("%d bytes were written: %v", written, err)
	}
}

// counting is a writer that says how much was written.
type counting func(n int)

func (c counting) Write(p []byte) (int, error) {
	c(len(p))
	return len(p), nil
}

// Times, by the clock of who opens.
func TestTimes(t *testing.T) {
	m := newMachine(t)
	to := m.checked(inject.About{Suite: inject.Hybrid})
	keys, _ := someKeys(t, 1)
	whole := sealed(t, inject.SealOptions{Expires: now.Add(time.Hour)}, keys, to)
	for d, want := range map[time.Duration]error{
		-6 * time.Minute: inject.ErrExpired, -5 * time.Minute: nil, 0: nil, time.Hour - time.Second: nil, time.Hour: inject.ErrExpired, 48 * time.Hour: inject.ErrExpired,
	} {
		if _, err := m.open(whole, to, now.Add(d)); !errors.Is(err, want) {
			t.Errorf("after %v: %v", d, err)
		}
	}
}

// What Seal does not seal.
func TestSealRefuses(t *testing.T) {
	m := newMachine(t)
	to := m.checked(inject.About{Suite: inject.Hybrid})
	for name, test := range map[string]struct {
		targets []*inject.Target
		count   int
		spoil   func(k *inject.Key)
		o       inject.SealOptions
	}{
		"no target":              {nil, 1, nil, inject.SealOptions{}},
		"one that was not tried": {[]*inject.Target{m.target(inject.About{Suite: inject.Hybrid}, nil)}, 1, nil, inject.SealOptions{}},
		"one target twice":       {[]*inject.Target{to, to}, 1, nil, inject.SealOptions{}},
		"no keys":                {[]*inject.Target{to}, 0, nil, inject.SealOptions{}},
		"too few keys":           {[]*inject.Target{to}, 2, nil, inject.SealOptions{}},
		"expired":                {[]*inject.Target{to}, 1, nil, inject.SealOptions{Expires: now.Add(-time.Hour)}},
		"target expired":         {[]*inject.Target{to}, 1, nil, inject.SealOptions{Made: now.Add(25 * time.Hour)}},
		"an empty key":           {[]*inject.Target{to}, 1, func(k *inject.Key) { k.Plain.Close() }, inject.SealOptions{}},
		"a huge key":             {[]*inject.Target{to}, 1, func(k *inject.Key) { k.Plain = secret.New(17 << 10) }, inject.SealOptions{}},
		"no class":               {[]*inject.Target{to}, 1, func(k *inject.Key) { k.Class = 0 }, inject.SealOptions{}},
		"no use":                 {[]*inject.Target{to}, 1, func(k *inject.Key) { k.Usage = 0 }, inject.SealOptions{}},
		"no text":                {[]*inject.Target{to}, 1, func(k *inject.Key) { k.Label = "\xff" }, inject.SealOptions{}},
	} {
		keys, _ := someKeys(t, 1)
		if test.spoil != nil {
			test.spoil(keys[0])
		}
		if test.o.Made.IsZero() {
			test.o.Made = now
		}
		if _, err := inject.Seal(new(bytes.Buffer), test.targets, test.count, each(keys), &test.o); err == nil {
			t.Errorf("%s: it was sealed", name)
		}
	}
	failing := errors.New("the disk")
	_, err := inject.Seal(new(bytes.Buffer), []*inject.Target{to}, 1, func(yield func(*inject.Key, error) bool) { yield(nil, failing) }, &inject.SealOptions{Made: now})
	if !errors.Is(err, failing) {
		t.Errorf("keys that cannot be read: %v", err)
	}
}

// A package may say that much is there. It gets as much memory as there is something to read.
func TestMemory(t *testing.T) {
	m := newMachine(t)
	keys, _ := someKeys(t, 1)
	whole := sealed(t, inject.SealOptions{}, keys, m.checked(inject.About{Suite: inject.Hybrid}))
	l := layoutOf(whole)
	for name, change := range map[string]func(b []byte) []byte{
		"a long header": func(b []byte) []byte { binary.BigEndian.PutUint32(b[l.header-4:], 260<<10); return b[:l.header+20] },
		"many keys": func(b []byte) []byte {
			binary.BigEndian.PutUint32(b[l.header+32:], inject.MaxKeys)
			return b[:l.trailer]
		},
		"a long key": func(b []byte) []byte { binary.BigEndian.PutUint32(b[l.keys[0]:], 20<<10); return b[:l.keys[0]+20] },
	} {
		bad := change(bytes.Clone(whole))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := inject.ReadPackage(bytes.NewReader(bad))
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, inject.ErrMalformed) || taken > 64<<10 {
			t.Errorf("%s: %v, and %d bytes of memory for %d", name, err, taken, len(bad))
		}
	}
}
