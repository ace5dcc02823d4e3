package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// TestSelfSignedOrNothing: where the certificate cannot be made, the key pair does not stay either.
func TestSelfSignedOrNothing(t *testing.T) {
	home := t.TempDir()
	a := &app{stdin: os.Stdin, stdout: io.Discard, stderr: os.Stderr, getenv: func(name string) string { return map[string]string{"NCRYPT11_HOME": home}[name] }}
	if code := a.run([]string{"init", "--label", "t", "--login", "none", "--policy", "software"}); code != exitOK {
		t.Fatal(code)
	}
	k, err := parseKind("p256")
	if err != nil {
		t.Fatal(err)
	}
	impossible := &certifyFlags{selfSigned: true, dns: []string{"é"}, days: 1} // check would have refused it
	err = a.withSession(a.generateCommand(), &sessionFlags{}, access{write: true}, func(s *session) error {
		_, err := impossible.generatePair(s, k, &keyFlags{label: "site"})
		if err == nil || strings.Contains(err.Error(), "CKR_") {
			t.Errorf("not the certificate's error: %v", err)
		}
		for _, class := range []ck.ObjectClass{ck.CKO_PRIVATE_KEY, ck.CKO_PUBLIC_KEY, ck.CKO_CERTIFICATE} {
			if left, err := s.find(withClass(nil, class)); err != nil || len(left) > 0 {
				t.Errorf("%v: %d left, %v", class, len(left), err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
