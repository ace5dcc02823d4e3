package wrapping_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// attacked is our module with a wrapped key that somebody has altered.
type attacked struct {
	*token
	t          *testing.T
	m          *mechanism
	p          *payload
	unwrapping pkcs11.ObjectHandle
}

// attacks are the mechanisms that are attacked: one of each kind.
func attacks() []*mechanism {
	names := []string{
		"RSA PKCS #1 v1.5", "RSA-OAEP SHA-256, label", "AES-KW 256", "AES-KWP 256", "AES-KW-PAD 128", "AES-CBC-PAD 256", "AES-GCM 256",
		"RSA-AES SHA-256", "ECDH-AES SHA-256",
	}
	return slices.DeleteFunc(mechanisms(), func(m *mechanism) bool { return !slices.Contains(names, m.name) })
}

// authentic says whether the mechanism notices every change. RSA by PKCS #1 v1.5 must not say that it did, and AES-CBC cannot.
func (m *mechanism) authentic() bool { return m.typ != ck.CKM_RSA_PKCS && m.typ != ck.CKM_AES_CBC_PAD }

// refusals are what C_UnwrapKey answers for a wrapped key that is none (v3.2, section 5.18.4).
var refusals = []error{pkcs11.Error(pkcs11.CKR_WRAPPED_KEY_INVALID), pkcs11.Error(pkcs11.CKR_WRAPPED_KEY_LEN_RANGE)}

// count is how many objects there are, of the token and of the session.
func (tok *token) count(t testing.TB) int {
	t.Helper()
	must(t, tok.FindObjectsInit(tok.h, nil))
	found, _, err := tok.FindObjects(tok.h, 1<<16)
	must(t, err)
	must(t, tok.FindObjectsFinal(tok.h))
	return len(found)
}

// each tries every altered form of every key by every mechanism, and sees that nothing is left.
func each(t *testing.T, run func(a *attacked, wrapped []byte)) {
	us, keys := ours(t, newFixtures(t)), payloads(t)
	for _, m := range attacks() {
		t.Run(m.name, func(t *testing.T) {
			unwrapping, err := us.unwrapping(m)
			must(t, err)
			defer func() { must(t, us.DestroyObject(us.h, unwrapping)) }()
			for _, p := range keys {
				if !m.takes(p) {
					continue
				}
				wrapped, err := us.wrap(m, p)
				must(t, err)
				before := us.count(t)
				run(&attacked{us, t, m, p, unwrapping}, wrapped)
				if after := us.count(t); after != before {
					t.Errorf("%s: %d objects, before %d", p.name, after, before)
				}
			}
		})
	}
}

// refused has an altered key refused. Where the mechanism cannot tell, another key is as good an answer, but never the same.
func (a *attacked) refused(what string, at int, template []*pkcs11.Attribute, wrapped []byte) {
	a.t.Helper()
	key, err := a.unwrapUnder(a.m, a.unwrapping, template, wrapped)
	if err != nil {
		if !slices.ContainsFunc(refusals, func(refusal error) bool { return errors.Is(err, refusal) }) {
			a.t.Errorf("%s, %s %d: %v", a.p.name, what, at, err)
		}
		return
	}
	if a.m.authentic() {
		a.t.Errorf("%s, %s %d: it is a key", a.p.name, what, at)
	}
	if parts, err := a.parts(a.p, key); a.p.private == nil && (err != nil || a.p.same(parts) == nil) {
		a.t.Errorf("%s, %s %d: it is the same key, %v", a.p.name, what, at, err)
	}
	must(a.t, a.DestroyObject(a.h, key))
}

// places are those in n bytes that are tried: all of them where there is time, else the ends and some between.
func places(n int) (all []int) {
	const ends, step = 40, 17
	for i := range n {
		if os.Getenv("NCRYPT11_LONG") != "" || i < ends || i >= n-ends || i%step == 0 {
			all = append(all, i)
		}
	}
	return all
}

func TestTruncated(t *testing.T) {
	each(t, func(a *attacked, wrapped []byte) {
		for _, n := range places(len(wrapped)) {
			if n == 0 {
				continue // the client cannot ask for that
			}
			a.refused("cut to", n, a.p.described(), wrapped[:n])
		}
	})
}

func TestFlipped(t *testing.T) {
	each(t, func(a *attacked, wrapped []byte) {
		for _, i := range places(len(wrapped)) {
			for _, bit := range []byte{1, 0x80} {
				altered := bytes.Clone(wrapped)
				altered[i] ^= bit
				a.refused("altered at", i, a.p.described(), altered)
			}
		}
	})
}

func TestExtended(t *testing.T) {
	each(t, func(a *attacked, wrapped []byte) {
		for _, n := range []int{1, 7, 8, 15, 16, 24, 32, 256, 4096, 1 << 20} {
			a.refused("with zeros behind,", n, a.p.described(), append(bytes.Clone(wrapped), make([]byte, n)...))
			a.refused("with noise behind,", n, a.p.described(), append(bytes.Clone(wrapped), random(n)...))
			a.refused("with zeros before,", n, a.p.described(), append(make([]byte, n), wrapped...))
		}
		a.refused("twice", 0, a.p.described(), append(bytes.Clone(wrapped), wrapped...))
	})
}
