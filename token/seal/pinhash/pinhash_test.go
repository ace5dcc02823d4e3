package pinhash_test

import (
	"encoding/hex"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/seal/pinhash"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

func TestBounds(t *testing.T) {
	for _, test := range []struct {
		cost pinhash.Cost
		want bool
	}{
		{pinhash.Default, true},
		{pinhash.Cost{Passes: 1, KiB: 8, Threads: 1}, true},
		{pinhash.Cost{Passes: 3, KiB: 64 << 10, Threads: 4}, true}, // RFC 9106, section 4
		{pinhash.Cost{Passes: 4, KiB: 128 << 10, Threads: 16}, true},
		{pinhash.Cost{}, false},
		{pinhash.Cost{Passes: 0, KiB: 8, Threads: 1}, false},
		{pinhash.Cost{Passes: 65, KiB: 8, Threads: 1}, false},
		{pinhash.Cost{Passes: 1, KiB: 8, Threads: 0}, false},
		{pinhash.Cost{Passes: 1, KiB: 7, Threads: 1}, false},
		{pinhash.Cost{Passes: 1, KiB: 15, Threads: 2}, false},
		{pinhash.Cost{Passes: 1, KiB: 1024, Threads: 17}, false},
		{pinhash.Cost{Passes: 1, KiB: 128<<10 + 1, Threads: 1}, false},
		{pinhash.Cost{Passes: 5, KiB: 128 << 10, Threads: 1}, false},
	} {
		if got := test.cost.OK(); got != test.want {
			t.Errorf("%+v: OK is %v", test.cost, got)
		}
		if back := pinhash.Parse([pinhash.CostLen]byte(test.cost.Append(nil))); back != test.cost {
			t.Errorf("%+v comes back as %+v", test.cost, back)
		}
	}
}

// The value is what the reference implementation's argon2 program prints for
// `echo -n 1234 | argon2 saltsaltsaltsalt -id -t 2 -k 1024 -p 1 -l 32 -r`.
func TestHash(t *testing.T) {
	got := pinhash.Cost{Passes: 2, KiB: 1024, Threads: 1}.Hash(secret.Copy([]byte("1234")), []byte("saltsaltsaltsalt"))
	defer got.Close()
	if want := "30ccdb91c69a017f99cb3d88509842255b88d3912fbbbd50c938984829032065"; hex.EncodeToString(got.Bytes()) != want {
		t.Errorf("%x, want %s", got.Bytes(), want)
	}
}
