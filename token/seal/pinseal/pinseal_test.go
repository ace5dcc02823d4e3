package pinseal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

var (
	cheap   = pinseal.WithCost(pinseal.Cost{Passes: 1, KiB: 8, Threads: 1})
	context = []byte("token 0123456789abcdef user")
	master  = bytes.Repeat([]byte{0x5a}, 32)
)

func pin(s string) *secret.Bytes { return secret.Copy([]byte(s)) }

func sealed(t testing.TB, auth *secret.Bytes) []byte {
	t.Helper()
	blob, err := pinseal.New(cheap).Seal(secret.Copy(master), auth, context, nil)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

func TestUnseal(t *testing.T) {
	underPIN, open := sealed(t, pin("1234")), sealed(t, nil)
	for _, test := range []struct {
		name    string
		blob    []byte
		auth    *secret.Bytes
		context []byte
		want    error
	}{
		{"right PIN", underPIN, pin("1234"), context, nil},
		{"wrong PIN", underPIN, pin("1235"), context, seal.ErrAuth},
		{"PIN with a NUL", underPIN, pin("1234\x00"), context, seal.ErrAuth},
		{"empty PIN", underPIN, pin(""), context, seal.ErrAuth},
		{"no PIN", underPIN, nil, context, seal.ErrAuth},
		{"other context", underPIN, pin("1234"), []byte("token 0123456789abcdef so"), seal.ErrDamaged},
		{"open", open, nil, context, nil},
		{"open, with a PIN", open, pin("1234"), context, seal.ErrAuth},
		{"empty PIN is a PIN", sealed(t, pin("")), pin(""), context, nil},
		{"empty PIN is not no PIN", sealed(t, pin("")), nil, context, seal.ErrAuth},
		{"nothing", nil, nil, context, seal.ErrDamaged},
	} {
		got, err := pinseal.New().Unseal(test.blob, test.auth, test.context)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if test.want == nil && !got.Equal(master) {
			t.Errorf("%s: another master key", test.name)
		}
	}
}

// Every flipped byte and every cut is damage, never a wrong PIN.
func TestDamage(t *testing.T) {
	blob := sealed(t, pin("1234"))
	s := pinseal.New(cheap)
	for i := range blob {
		bad := bytes.Clone(blob)
		bad[i] ^= 1
		for _, bad := range [][]byte{bad, blob[:i]} {
			if _, err := s.Unseal(bad, pin("1234"), context); !errors.Is(err, seal.ErrDamaged) {
				t.Fatalf("damage at %d: %v", i, err)
			}
		}
	}
	if _, err := s.Unseal(append(blob, 0), pin("1234"), context); !errors.Is(err, seal.ErrDamaged) {
		t.Fatalf("a byte more: %v", err)
	}
}

func TestFreshEachTime(t *testing.T) {
	if bytes.Equal(sealed(t, pin("1"))[18:], sealed(t, pin("1"))[18:]) {
		t.Fatal("two sealings are the same")
	}
}

func TestCostOutOfBounds(t *testing.T) {
	for _, cost := range []pinseal.Cost{
		{}, {Passes: 1, KiB: 8}, {Passes: 0, KiB: 8, Threads: 1}, {Passes: 65, KiB: 8, Threads: 1},
		{Passes: 1, KiB: 7, Threads: 1}, {Passes: 1, KiB: 15, Threads: 2}, {Passes: 1, KiB: 128<<10 + 1, Threads: 1},
		{Passes: 1, KiB: 1024, Threads: 17}, {Passes: 5, KiB: 128 << 10, Threads: 1},
	} {
		if _, err := pinseal.New(pinseal.WithCost(cost)).Seal(secret.Copy(master), pin("1"), context, nil); err == nil {
			t.Errorf("%+v was taken", cost)
		}
	}
}

// A forged file with a right checksum must not be able to ask for gigabytes or minutes.
func TestHostileCost(t *testing.T) {
	for _, cost := range [][3]uint32{{1, 1 << 31, 1}, {1 << 31, 8, 1}, {64, 128 << 10, 1}, {1, 1 << 20, 1}, {1, 8, 255}, {0, 0, 0}} {
		blob := sealed(t, pin("1"))
		binary.BigEndian.PutUint32(blob[9:], cost[0])
		binary.BigEndian.PutUint32(blob[13:], cost[1])
		blob[17] = byte(cost[2])
		blob = pinseal.Checksummed(blob[:len(blob)-16], context)
		if _, err := pinseal.New().Unseal(blob, pin("1"), context); !errors.Is(err, seal.ErrDamaged) {
			t.Errorf("%v: %v", cost, err)
		}
	}
}

func TestMasterLength(t *testing.T) {
	for _, n := range []int{0, 1025} {
		if _, err := pinseal.New(cheap).Seal(secret.New(n), nil, context, nil); err == nil {
			t.Errorf("%d bytes were sealed", n)
		}
	}
}

func FuzzUnseal(f *testing.F) {
	f.Add(sealed(f, nil))
	f.Add(sealed(f, pin("1234"))[:80])
	s := pinseal.New(cheap)
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := s.Unseal(pinseal.Checksummed(bytes.Clone(body), context), nil, context); err == nil {
			t.Fatal("a forged blob was opened")
		}
	})
}

func BenchmarkUnseal(b *testing.B) {
	s := pinseal.New()
	blob, _ := s.Seal(secret.Copy(master), pin("1234"), context, nil)
	for b.Loop() {
		if _, err := s.Unseal(blob, pin("1234"), context); err != nil {
			b.Fatal(err)
		}
	}
}
