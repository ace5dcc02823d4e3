package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func env(m map[string]string) Getenv { return func(name string) string { return m[name] } }

func TestDirectories(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		want []Dir
	}{
		"home of its own": {map[string]string{"NCRYPT11_HOME": "/srv/n", "HOME": "/home/u"}, []Dir{{"/srv/n/tokens", User}, {"/srv/n/machine", Machine}}},
		"XDG":             {map[string]string{"XDG_DATA_HOME": "/data", "HOME": "/home/u"}, []Dir{{"/data/ncrypt11/tokens", User}, {"/var/lib/ncrypt11/tokens", Machine}}},
		"HOME":            {map[string]string{"HOME": "/home/u"}, []Dir{{"/home/u/.local/share/ncrypt11/tokens", User}, {"/var/lib/ncrypt11/tokens", Machine}}},
		"relative XDG":    {map[string]string{"XDG_DATA_HOME": "data", "HOME": "/home/u"}, []Dir{{"/home/u/.local/share/ncrypt11/tokens", User}, {"/var/lib/ncrypt11/tokens", Machine}}},
		"no user":         {nil, []Dir{{"/var/lib/ncrypt11/tokens", Machine}}},
	} {
		c, err := Load(env(test.env))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(c.TokenDirs) != len(test.want) {
			t.Fatalf("%s: %v, want %v", name, c.TokenDirs, test.want)
		}
		for i := range test.want {
			if c.TokenDirs[i] != test.want[i] {
				t.Errorf("%s: %v, want %v", name, c.TokenDirs[i], test.want[i])
			}
		}
	}
}

func TestFile(t *testing.T) {
	for name, test := range map[string]struct{ file, wantErr string }{
		"good":            {"max_pin_failures = 5\nstrict_so_login = true\n", ""},
		"unknown setting": {"max_pin_failures = 5\nmax_pins = 3\n", `config.toml: line 2: unknown setting "max_pins"`},
		"bad syntax":      {"max_pin_failures = \n", "config.toml: line 1"},
		"out of range":    {"max_pin_failures = 1000\n", "must be between 3 and 100"},
	} {
		home := t.TempDir()
		if err := os.WriteFile(filepath.Join(home, "config.toml"), []byte(test.file), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(env(map[string]string{"NCRYPT11_HOME": home}))
		switch {
		case test.wantErr == "" && (err != nil || c.MaxPINFailures != 5 || !c.StrictSOLogin):
			t.Errorf("%s: %+v, %v", name, c, err)
		case test.wantErr != "" && (err == nil || !strings.Contains(err.Error(), test.wantErr)):
			t.Errorf("%s: error %v, want %q", name, err, test.wantErr)
		}
	}
}

func TestRelativeHomeIsRefused(t *testing.T) {
	if _, err := Load(env(map[string]string{"NCRYPT11_HOME": "here"})); err == nil {
		t.Fatal("accepted")
	}
}

// The module is loaded into daemons too.
func TestHomeThatIsNoDirectory(t *testing.T) {
	c, err := Load(env(map[string]string{"HOME": "/dev/null"}))
	if err != nil || len(c.Files) != 0 {
		t.Fatalf("%+v, %v", c, err)
	}
}
