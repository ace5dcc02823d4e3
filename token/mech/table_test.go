package mech_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

var update = flag.Bool("update", false, "write testdata instead of comparing with it")

// list writes what C_GetMechanismList and C_GetMechanismInfo say, one mechanism a line, and which keys each takes.
func list() string {
	var b strings.Builder
	for _, row := range mech.All() {
		var keys []string
		for _, keyType := range row.KeyTypes {
			keys = append(keys, keyType.String())
		}
		fmt.Fprintf(&b, "%v min=%d max=%d flags=%#010x %s\n", row.Type, row.Min, row.Max, uint(row.Flags), strings.Join(keys, ","))
	}
	return b.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the mechanisms are no longer those of %s (go test -update writes it):\n%s", file, got)
	}
}

func TestMechanismList(t *testing.T) { golden(t, "testdata/mechanisms.txt", list()) }

// TestMechanismListFIPS runs itself where Go is told to refuse what FIPS 140-3 does not approve.
func TestMechanismListFIPS(t *testing.T) {
	const child = "NCRYPT11_TEST_LIST"
	if os.Getenv(child) != "" {
		for _, row := range mech.All() {
			if row.Hash != 0 {
				row.Hash.Sum(nil, nil) // panics where Go refuses the hash
			}
		}
		fmt.Print(list(), "end\n")
		os.Exit(0)
	}
	command := exec.Command(os.Args[0], "-test.run=^TestMechanismListFIPS$")
	command.Env = append(os.Environ(), child+"=1", "GODEBUG=fips140=only")
	out, err := command.CombinedOutput()
	got, whole := strings.CutSuffix(string(out), "end\n")
	if err != nil || !whole {
		t.Fatalf("%v: %s", err, out)
	}
	golden(t, "testdata/mechanisms_fips.txt", got)
}

func TestTableIsSound(t *testing.T) {
	all := mech.All()
	if !slices.IsSortedFunc(all, func(a, b *mech.Row) int {
		if a.Type < b.Type {
			return -1
		}
		return 1 // equal numbers count as unsorted
	}) {
		t.Error("rows are out of order, or two have one number")
	}
	for _, row := range all {
		if mech.Lookup(row.Type) != row {
			t.Errorf("Lookup(%v) gives another row", row.Type)
		}
		if row.Primitive == mech.NoPrimitive || row.Flags == 0 || row.Min > row.Max {
			t.Errorf("%v is unfinished: %+v", row.Type, row)
		}
		digest := row.Primitive == mech.Digest
		if digest != (len(row.KeyTypes) == 0) || digest != (row.Max == 0) || digest != row.Serves(mech.OpDigest) {
			t.Errorf("%v: key types %v, sizes to %d", row.Type, row.KeyTypes, row.Max)
		}
		generates := row.Serves(mech.OpGenerate) || row.Serves(mech.OpGenerateKeyPair)
		if generates && (row.MultiPart || row.Params != mech.NoParams) {
			t.Errorf("%v generates, in parts or with a parameter", row.Type)
		}
		for _, pair := range [][2]mech.Op{
			{mech.OpEncrypt, mech.OpDecrypt}, {mech.OpSign, mech.OpVerify}, {mech.OpSignRecover, mech.OpVerifyRecover}, {mech.OpWrap, mech.OpUnwrap},
		} {
			if row.Serves(pair[0]) != row.Serves(pair[1]) && row.Type < ck.CKM_NCRYPT_IMPORT_BLOB { // ncrypt11's own only bring keys in
				t.Errorf("%v serves but one of %v", row.Type, pair)
			}
		}
	}
	if mech.Lookup(ck.CKM_DES3_CBC) != nil {
		t.Error("a row for DES3")
	}
}

// pkcs11js tells block ciphers from key wraps by exactly these flags.
func TestECBFlags(t *testing.T) {
	if got := mech.Lookup(ck.CKM_AES_ECB).Flags; got != ck.CKF_ENCRYPT|ck.CKF_DECRYPT {
		t.Errorf("CKM_AES_ECB has flags %#x", uint(got))
	}
}

func TestOps(t *testing.T) {
	flags := map[ck.Flags]mech.Op{}
	for op := mech.OpEncrypt; op <= mech.OpDerive; op++ {
		if other, twice := flags[op.Flag()]; twice || op.Flag() == 0 {
			t.Errorf("ops %d and %d have one flag", op, other)
		}
		flags[op.Flag()] = op
		keyed := op.TakesClass(ck.CKO_PUBLIC_KEY) || op.TakesClass(ck.CKO_PRIVATE_KEY)
		if keyed != (op.Attribute() != 0) || keyed != op.TakesClass(ck.CKO_SECRET_KEY) || op.TakesClass(ck.CKO_DATA) {
			t.Errorf("op %d: attribute %v", op, op.Attribute())
		}
		if keyed && op.TakesClass(ck.CKO_PUBLIC_KEY) == op.TakesClass(ck.CKO_PRIVATE_KEY) {
			t.Errorf("op %d takes both halves of a pair, or neither", op)
		}
	}
	for _, op := range []mech.Op{0, 200} {
		if op.Flag() != 0 || op.Attribute() != 0 || op.TakesClass(ck.CKO_SECRET_KEY) {
			t.Errorf("op %d does something", op)
		}
	}
}
