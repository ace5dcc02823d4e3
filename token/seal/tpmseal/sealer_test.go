package tpmseal_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/tpmseal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

func TestRoundTrip(t *testing.T) {
	r := newRig(t)
	for _, terms := range []*seal.Terms{nil, perBoot, forSome} {
		for _, auth := range []*secret.Bytes{nil, pin(""), pin("1234"), pin("1234\x00")} {
			blob := r.sealed(auth, terms)
			r.want(fmt.Sprint(terms), blob, auth, nil)
			said, err := r.Terms(blob)
			if want := cmpTerms(terms); err != nil || !reflect.DeepEqual(said, want) {
				t.Errorf("terms are %+v, %v, want %+v", said, err, want)
			}
		}
	}
}

func cmpTerms(t *seal.Terms) *seal.Terms {
	if t == nil {
		return &seal.Terms{}
	}
	return t
}

func TestPINOrNone(t *testing.T) {
	r := newRig(t)
	open, closed := r.sealed(nil, nil), r.sealed(pin(""), nil)
	spent := r.spent(func() {
		r.want("a PIN where there is none", open, pin("1234"), seal.ErrAuth)
		r.want("no PIN", closed, nil, seal.ErrAuth)
	})
	if len(spent) != 0 || r.soft.Failures() != 0 {
		t.Errorf("the TPM was asked: %v", spent)
	}
}

// A PIN whose hash has zeros is hashed by the TPM and by go-tpm in different ways, if nothing is done about it. One in nine has.
func TestZerosInHash(t *testing.T) {
	r := newRig(t)
	for i := range 40 {
		auth := pin(fmt.Sprint(i))
		r.want("PIN "+fmt.Sprint(i), r.sealed(auth, nil), auth, nil)
	}
	value := []byte{0, 1, 2, 0x80, 0xff, 0}
	if tpmseal.WithoutZeros(value); !bytes.Equal(value, []byte{1, 1, 2, 0x80, 0xff, 1}) {
		t.Errorf("zeros become %x", value)
	}
}

// What is forged with a right checksum is found before a PIN is tried, whatever it is.
func TestForged(t *testing.T) {
	r := newRig(t)
	blob := r.sealed(pin("1234"), forSome)
	shift := 2 * 5 // two principals are allowed
	plain := r.sealed(pin("1234"), nil)
	for _, test := range []struct {
		name string
		blob []byte
		want error
	}{
		{"magic", altered(plain, 0, 1), seal.ErrDamaged},
		{"version", altered(plain, 7, 1), seal.ErrDamaged},
		{"kind", altered(plain, atKind, 1), seal.ErrDamaged},
		{"unknown kind", altered(plain, atKind, 2), seal.ErrDamaged},
		{"scope", altered(blob, atFlags, 2), seal.ErrDamaged},
		{"unknown flag", altered(plain, atFlags, 4), seal.ErrDamaged},
		{"owner", altered(blob, atOwner+4, 1), seal.ErrDamaged},
		{"owner out of nothing", altered(plain, atOwner, 1), seal.ErrDamaged},
		{"allowed", altered(blob, atAllow+5, 1), seal.ErrDamaged},
		{"kind of an allowed one", altered(blob, atAllow+1, 8), seal.ErrDamaged},
		{"boot", altered(plain, atBoot, 1), seal.ErrDamaged},
		{"passes", altered(plain, atCost+3, 2), seal.ErrDamaged},
		{"passes without end", altered(plain, atCost, 0x80), seal.ErrDamaged},
		{"salt", altered(plain, atSalt, 1), seal.ErrDamaged},
		{"parent", altered(plain, atParent, 1), seal.ErrForeign},
		{"policy", altered(plain, atPolicy, 1), seal.ErrDamaged},
		{"unique", altered(plain, atUnique, 1), seal.ErrDamaged},
		{"size of the private area", altered(plain, atSize+1, 1), seal.ErrDamaged},
		{"private area", altered(plain, atSecret+40, 1), seal.ErrDamaged},
		{"private area of another", append(bytes.Clone(blob[:atSecret+shift]), plain[atSecret:]...), seal.ErrDamaged},
	} {
		r.want(test.name, test.blob, pin("1235"), test.want)
	}
	if n := r.soft.Failures(); n != 0 {
		t.Errorf("%d PINs were tried", n)
	}
	for _, at := range []int{atNonce(plain), len(plain) - tpmseal.ChecksumLen - 1} {
		r.want("what the TPM does not know", altered(plain, at, 1), pin("1234"), seal.ErrDamaged)
	}
	if _, err := r.Unseal(plain, pin("1234"), []byte("another token")); !errors.Is(err, seal.ErrDamaged) {
		t.Errorf("another context: %v", err)
	}
}

// Terms, salt and the rest stand in the object's Name. Who changes them and the policy that they hash to still cannot load it.
func TestForgedPolicy(t *testing.T) {
	r := newRig(t)
	mine, theirs := r.sealed(pin("1234"), nil), r.sealed(pin("1234"), &seal.Terms{Access: seal.Access{Owner: seal.Principal{Kind: seal.User, ID: 1}}})
	// Their terms and policy, my object.
	forged := bytes.Clone(theirs[:atUnique])
	forged = append(forged, mine[atUnique:len(mine)-tpmseal.ChecksumLen]...)
	err := r.want("my key under their terms", tpmseal.Checksummed(forged), pin("1234"), seal.ErrDamaged)
	if spent := r.tpm.Commands(); spent["TPM2_Unseal"] != 0 || spent["TPM2_Load"] != 1 {
		t.Errorf("it came to %v, %v", spent, err)
	}
}

// Every flipped byte and every cut is damage, and nobody asks the TPM.
func TestTorn(t *testing.T) {
	r := newRig(t)
	blob := r.sealed(pin("1234"), forSome)
	spent := r.spent(func() {
		for i := range blob {
			bad := bytes.Clone(blob)
			bad[i] ^= 1
			r.want("flipped", bad, pin("1234"), seal.ErrDamaged)
			r.want("cut", blob[:i], pin("1234"), seal.ErrDamaged)
		}
		r.want("a byte more", append(bytes.Clone(blob), 0), pin("1234"), seal.ErrDamaged)
	})
	if len(spent) != 0 {
		t.Errorf("the TPM was asked: %v", spent)
	}
}

func TestOtherTPM(t *testing.T) {
	r := newRig(t)
	closed, open, fleeting := r.sealed(pin("1234"), nil), r.sealed(nil, nil), r.sealed(nil, perBoot)
	want := func(what string, owner, null error) {
		t.Helper()
		r.want(what, closed, pin("1234"), owner)
		r.want(what, open, nil, owner)
		r.want(what, fleeting, nil, null)
	}
	want("the same TPM", nil, nil)
	r.soft.Reset()
	want("after a reboot", nil, seal.ErrDead)
	r.soft.Clear()
	want("after TPM2_Clear", seal.ErrForeign, seal.ErrDead)
	closed, open = r.sealed(pin("1234"), nil), r.sealed(nil, nil)
	r.soft.Replace()
	want("another TPM", seal.ErrForeign, seal.ErrDead)
}

// In another boot the TPM is not even asked: it may have been handed through to this machine and not been reset.
func TestOtherBoot(t *testing.T) {
	r := newRig(t)
	blob := r.sealed(pin("1234"), perBoot)
	other := tpmseal.New(r.tpm, cheap, tpmseal.WithBoot([16]byte{1}))
	spent := r.spent(func() { wantFrom(t, other, "another boot", blob, pin("1234"), seal.ErrDead) })
	if len(spent) != 0 {
		t.Errorf("the TPM was asked: %v", spent)
	}
	r.want("this boot", blob, pin("1234"), nil)
}

func TestRefused(t *testing.T) {
	r := newRig(t)
	for name, terms := range map[string]*seal.Terms{
		"too many":        {Access: seal.Access{Allow: make([]seal.Principal, seal.MaxAllowed+1)}},
		"unknown owner":   {Access: seal.Access{Owner: seal.Principal{Kind: 9}}},
		"nobody's number": {Access: seal.Access{Owner: seal.Principal{ID: 1}}},
		"unknown allowed": {Access: seal.Access{Allow: []seal.Principal{{}}}},
	} {
		if _, err := r.Seal(secret.Copy(master), nil, context, terms); err == nil {
			t.Errorf("%s: sealed", name)
		}
	}
	for _, n := range []int{0, 1025} {
		if _, err := r.Seal(secret.New(n), nil, context, nil); err == nil {
			t.Errorf("%d bytes were sealed", n)
		}
	}
	full := &seal.Terms{Access: seal.Access{Allow: principals(seal.MaxAllowed)}}
	long, err := r.Seal(secret.New(1024), pin("1"), context, full)
	if err != nil || len(long) > 4096 {
		t.Fatalf("the longest is %d bytes, %v", len(long), err)
	}
	if got, err := r.Unseal(long, pin("1"), context); err != nil || got.Len() != 1024 {
		t.Fatal(err)
	}
}

func principals(n int) []seal.Principal {
	list := make([]seal.Principal, n)
	for i := range list {
		list[i] = seal.Principal{Kind: seal.User, ID: uint32(i)}
	}
	return list
}

// A login is one TPM2_Unseal and what is needed for it.
func TestCommands(t *testing.T) {
	r := newRig(t)
	blob := r.sealed(pin("1234"), nil)
	unseal := func() { r.want("unseal", blob, pin("1234"), nil) }
	want := func(what string, want map[string]uint64) {
		t.Helper()
		if got := r.spent(unseal); !maps.Equal(got, want) {
			t.Errorf("%s takes %v, want %v", what, got, want)
		}
	}
	unseal() // the TPM's tolerance is asked for once
	want("a login", map[string]uint64{"TPM2_ReadPublic": 1, "TPM2_CreatePrimary": 1, "TPM2_Load": 1, "TPM2_StartAuthSession": 1, "TPM2_Unseal": 1, "TPM2_FlushContext": 2})
	keepSRK(r)
	want("a login under a persistent storage key", map[string]uint64{"TPM2_ReadPublic": 1, "TPM2_Load": 1, "TPM2_StartAuthSession": 1, "TPM2_Unseal": 1, "TPM2_FlushContext": 1})
}

func BenchmarkUnseal(b *testing.B) {
	for name, test := range map[string]struct {
		auth  *secret.Bytes
		terms *seal.Terms
	}{"PIN": {pin("1234"), nil}, "open": {nil, nil}, "per-boot": {nil, perBoot}} {
		b.Run(name, func(b *testing.B) {
			soft := swtpm.Start(b)
			soft.Tolerate(20, 1000)
			tpm, err := tpmseal.Open(soft.Address())
			if err != nil {
				b.Fatal(err)
			}
			s := tpmseal.New(tpm, cheap, tpmseal.WithTries(tpmseal.FileTries(b.TempDir()), limit))
			blob, err := s.Seal(secret.Copy(master), test.auth, context, test.terms)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				wantFrom(b, s, name, blob, test.auth, nil)
			}
		})
	}
}
