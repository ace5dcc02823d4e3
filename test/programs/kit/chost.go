package kit

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/machine"
)

// CHost compiles a program in C that uses the module, and has what is in host/host.h, and gives its path. The arguments are further ones of the compiler.
func CHost(t testing.TB, source string, args ...string) string {
	t.Helper()
	repository, err := machine.Repository()
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs(source)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(Dir(t, "root"), strings.TrimSuffix(filepath.Base(source), ".c"))
	line := []string{
		"-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-pthread",
		"-I", repository, "-I", filepath.Join(repository, "test/programs/kit/host"), "-o", program, here,
	}
	Run(t, "root", "gcc", append(line, args...)...)
	return program
}

// SignerLabel is the label of the key that programs in C sign with.
const SignerLabel = "signer"

// Record is a file that programs in C append their signatures to.
type Record struct {
	Path   string
	public *ecdsa.PublicKey
}

// NewRecord makes the key that programs in C sign with, and an empty record that the token's owner may write.
func NewRecord(t testing.TB, k *Token) *Record {
	t.Helper()
	k.Generate(t, "p256", SignerLabel)
	r := &Record{Path: filepath.Join(Dir(t, k.Owner), "record"), public: k.PublicKey(t, SignerLabel)}
	Write(t, k.Owner, r.Path, "")
	return r
}

// PublicKey is that of a P-256 key in the token.
func (k *Token) PublicKey(t testing.TB, label string) *ecdsa.PublicKey {
	t.Helper()
	public, ok := k.Public(t, label).(*ecdsa.PublicKey)
	if !ok {
		t.Fatalf("%s is no EC key", label)
	}
	return public
}

// Args are the arguments of a program in C, see host/host.h.
func (r *Record) Args(k *Token, mode string, count int) []string {
	return []string{Module, k.Label, k.PIN, r.Path, mode, strconv.Itoa(count)}
}

// Signatures verifies all that was recorded, empties the record, and gives how many signatures each role has made. The first half of a signature
// follows from the random number it was made with: processes that share their random numbers since a fork would give the private key away.
func (r *Record) Signatures(t testing.TB) map[string]int {
	t.Helper()
	file, err := os.Open(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	made, seen := make(map[string]int), make(map[string]bool)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 || !r.Verify(fields[1], fields[2]) {
			t.Fatalf("not a good signature: %s", lines.Text())
		}
		if seen[fields[2][:64]] {
			t.Fatalf("a random number was used twice: %s", lines.Text())
		}
		seen[fields[2][:64]] = true
		made[fields[0]]++
	}
	if err := os.Truncate(r.Path, 0); err != nil {
		t.Fatal(err)
	}
	return made
}

// Verify verifies the signature of a text, as hexadecimal digits, with the public key alone.
func (r *Record) Verify(text, digits string) bool {
	signature, err := hex.DecodeString(digits)
	if err != nil || len(signature) != 64 {
		return false
	}
	digest := sha256.Sum256([]byte(text))
	return ecdsa.Verify(r.public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}
