package wire_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
	"github.com/ncrypt11/ncrypt11/wire"
)

// home gives an environment of which NCRYPT11_HOME is all.
func home(t *testing.T) (dir string, getenv func(string) string) {
	dir = t.TempDir()
	return dir, func(name string) string {
		if name == "NCRYPT11_HOME" {
			return dir
		}
		return ""
	}
}

func TestPolicies(t *testing.T) {
	for policy, want := range map[string]error{
		store.PolicySoftware:     nil,
		store.PolicyVBSPreferred: nil,
		store.PolicyVBSRequired:  ck.CKR_FUNCTION_REJECTED,
	} {
		dir, getenv := home(t)
		p, err := wire.Provider(getenv)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Create(&token.Spec{Label: "t", Policy: policy}, secret.Copy([]byte("12345678")))
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", policy, err, want)
		}
		p.Close()
		if left, _ := filepath.Glob(filepath.Join(dir, "tokens", "*")); (len(left) != 0) != (want == nil) {
			t.Errorf("%s: on disk there is %v", policy, left)
		}
	}
}

// A program that has no descriptor left gets no token that is weaker for it.
func TestAGuardThatIsOnlyOutOfReachForNow(t *testing.T) {
	dir, getenv := home(t)
	wire.InHost = &wire.Host{KeepFD: func(int) bool { return false }}
	defer func() { wire.InHost = nil }()
	p, err := wire.Provider(getenv)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	_, err = p.Create(&token.Spec{Label: "t", Policy: store.PolicyVBSPreferred}, secret.Copy([]byte("12345678")))
	if !errors.Is(err, ck.CKR_HOST_MEMORY) {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "tokens", "*")); len(left) != 0 {
		t.Errorf("on disk there is %v", left)
	}
}

func TestBadConfiguration(t *testing.T) {
	dir, getenv := home(t)
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte("max_pin_failures = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := wire.Provider(getenv); !errors.Is(err, ck.CKR_GENERAL_ERROR) {
		t.Errorf("Provider = %v", err)
	}
}
