package inject_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/inject"
)

// seeds are the files of testdata that a format is tried with.
func seeds(f *testing.F, pattern string) {
	f.Helper()
	names := must(filepath.Glob(filepath.Join("testdata", pattern)))(f)
	if len(names) == 0 {
		f.Fatalf("no %s", pattern)
	}
	for _, name := range names {
		f.Add(must(os.ReadFile(name))(f))
	}
}

// FuzzTarget reads target files. What is read is written in the same way.
func FuzzTarget(f *testing.F) {
	seeds(f, "*.target.json")
	f.Add([]byte(`{"ncrypt11-target":1,"suite":"rsa-oaep-3072-aes256gcm","id":"AAAAAAAAAAAAAAAAAAAAAA==","label":"","serial":"","statement":"","attestation":{}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		to, err := inject.ParseTarget(in)
		if err != nil {
			return
		}
		if out := must(to.Encode())(t); !sameButWhite(in, out) {
			t.Errorf("%s came back as %s", in, out)
		}
	})
}

// FuzzPackage reads packages, and opens those that are of sound form, which nobody can forge.
func FuzzPackage(f *testing.F) {
	seeds(f, "*.package")
	m, to := known(f, inject.Hybrid)
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := inject.ReadPackage(bytes.NewReader(in))
		if err != nil {
			return
		}
		if len(p.Keys) == 0 || len(p.Targets) == 0 || !p.Made.Before(p.Expires) {
			t.Errorf("%+v", p)
		}
		opener := *m
		opener.TB = t
		if keys, err := opener.open(in, to, now); err == nil && len(keys) != 2 {
			t.Errorf("a forged package with %d keys", len(keys))
		}
	})
}
