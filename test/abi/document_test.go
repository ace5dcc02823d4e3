package abi_test

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// docs/NCRYPT.md names everything of ncrypt11's own that p11.h has, and nothing else.
func TestNCryptDocument(t *testing.T) {
	const names = `CK[AMR]_NCRYPT_\w+|CK_NCRYPT_STATE_\w+`
	defined := found(t, "../../p11.h", `#define (`+names+`)`)
	explained := found(t, "../../docs/NCRYPT.md", `\b(`+names+`)\b`)
	for _, name := range defined {
		if !slices.Contains(explained, name) {
			t.Errorf("%s is not explained", name)
		}
	}
	for _, name := range explained {
		if !slices.Contains(defined, name) {
			t.Errorf("%s is not in p11.h", name)
		}
	}
}

// found gives what the first group of a pattern matches in a file.
func found(t *testing.T, path, pattern string) (all []string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(content), -1) {
		all = append(all, match[1])
	}
	if len(all) == 0 {
		t.Fatalf("%s has nothing like %s", path, pattern)
	}
	return all
}
