package tpmseal

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/pinhash"
)

// made up blobs, as Seal would write them.
func madeUp(pin bool, terms *seal.Terms) *blob {
	b := &blob{terms: terms, parent: [32]byte{1}, nonce: [12]byte{4}}
	b.object = object{pin: pin, policy: [32]byte{2}, unique: [32]byte{3}, private: []byte("private")}
	if pin {
		b.cost, b.salt = pinhash.Default, [32]byte{5}
	}
	if terms.PerBoot {
		b.boot = [16]byte{6}
	}
	b.head = b.appendHead(nil)
	b.ciphertext = bytes.Repeat([]byte{7}, 48)
	return b
}

func (b *blob) encoded() []byte { return appendChecksum(append(b.appendHead(nil), b.ciphertext...)) }

var someTerms = []*seal.Terms{
	{},
	{PerBoot: true},
	{PerBoot: true, Access: seal.Access{Machine: true}},
	{Access: seal.Access{Owner: seal.Principal{Kind: seal.User, ID: 0}}},
	{Access: seal.Access{Owner: seal.Principal{Kind: seal.VM, ID: 1 << 31}, Allow: []seal.Principal{{Kind: seal.Group, ID: 7}, {Kind: seal.User, ID: 7}}}},
}

func TestParse(t *testing.T) {
	for _, terms := range someTerms {
		for _, pin := range []bool{false, true} {
			b := madeUp(pin, terms)
			got, err := parse(b.encoded())
			if err != nil || !reflect.DeepEqual(got, b) {
				t.Errorf("%+v comes back as %+v, %v", b, got, err)
			}
		}
	}
}

// The bytes of version 1. They never change.
func TestVersion1(t *testing.T) {
	const want = "4e313154504d0001" + "01" + "00" + "0000000000" + "00" + "00000000000000000000000000000000" +
		"00000002" + "00004c00" + "01" + "0500000000000000000000000000000000000000000000000000000000000000" +
		"0100000000000000000000000000000000000000000000000000000000000000" +
		"0200000000000000000000000000000000000000000000000000000000000000" +
		"0300000000000000000000000000000000000000000000000000000000000000" +
		"0007" + "70726976617465" + "040000000000000000000000"
	b := madeUp(true, &seal.Terms{})
	if got := hex.EncodeToString(b.head); got != want {
		t.Errorf("the head is\n%s, want\n%s", got, want)
	}
	policy := b.policy([]byte("context"))
	if got := hex.EncodeToString(policy[:]); got != "2d9fb8a2be1a71e9210c01942acc33993e8899a82ee756c0bb68cc36fc0ddd47" {
		t.Errorf("the policy is %s", got)
	}
	if other := b.policy([]byte("contexT")); other == policy {
		t.Error("the policy does not depend on the context")
	}
}

// What is not as Seal would have written it is damage.
func TestInconsistent(t *testing.T) {
	for name, change := range map[string]func(b *blob){
		"boot without need":         func(b *blob) { b.boot[3] = 1 },
		"no private area":           func(b *blob) { b.object.private = nil },
		"private area too long":     func(b *blob) { b.object.private = make([]byte, maxPrivate+1) },
		"no master key":             func(b *blob) { b.ciphertext = b.ciphertext[:tagLen] },
		"master key too long":       func(b *blob) { b.ciphertext = make([]byte, maxMaster+tagLen+1) },
		"cost out of bounds":        func(b *blob) { b.object.pin, b.cost.KiB = true, 1<<31 },
		"no cost":                   func(b *blob) { b.object.pin = true },
		"salt without a PIN":        func(b *blob) { b.salt[0] = 1 },
		"owner of an unknown kind":  func(b *blob) { b.terms = &seal.Terms{Access: seal.Access{Owner: seal.Principal{Kind: 4}}} },
		"owner of no kind":          func(b *blob) { b.terms = &seal.Terms{Access: seal.Access{Owner: seal.Principal{ID: 1}}} },
		"allowed of an unknown one": func(b *blob) { b.terms = &seal.Terms{Access: seal.Access{Allow: []seal.Principal{{}}}} },
		"too many allowed": func(b *blob) {
			b.terms = &seal.Terms{Access: seal.Access{Allow: make([]seal.Principal, seal.MaxAllowed+1)}}
		},
	} {
		b := madeUp(false, &seal.Terms{})
		change(b)
		if got, err := parse(b.encoded()); err != seal.ErrDamaged {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// There is one encoding of each blob.
func FuzzParse(f *testing.F) {
	for _, terms := range someTerms {
		for _, pin := range []bool{false, true} {
			sealed := madeUp(pin, terms).encoded()
			f.Add(sealed[:len(sealed)-checksumLen])
		}
	}
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		sealed := appendChecksum(bytes.Clone(body))
		b, err := parse(sealed)
		if err != nil {
			return
		}
		if !bytes.Equal(b.encoded(), sealed) || !bytes.Equal(b.head, b.appendHead(nil)) || len(sealed) > maxBlob {
			t.Fatalf("%x is written as %x", sealed, b.encoded())
		}
	})
}
