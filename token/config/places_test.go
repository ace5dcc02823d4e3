package config

import (
	"slices"
	"testing"
)

func TestLogDirs(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"home of its own": {map[string]string{"NCRYPT11_HOME": "/srv/n", "XDG_STATE_HOME": "/state", "HOME": "/home/u"}, []string{"/srv/n/log"}},
		"XDG":             {map[string]string{"XDG_STATE_HOME": "/state", "HOME": "/home/u"}, []string{"/state/ncrypt11", "/var/log/ncrypt11"}},
		"HOME":            {map[string]string{"HOME": "/home/u"}, []string{"/home/u/.local/state/ncrypt11", "/var/log/ncrypt11"}},
		"relative XDG":    {map[string]string{"XDG_STATE_HOME": "state", "HOME": "/home/u"}, []string{"/home/u/.local/state/ncrypt11", "/var/log/ncrypt11"}},
		"no user":         {nil, []string{"/var/log/ncrypt11"}},
	} {
		c, err := Load(env(test.env))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := c.LogDirs(); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestFailureFile(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		want string
	}{
		"home of its own": {map[string]string{"NCRYPT11_HOME": "/srv/n", "XDG_RUNTIME_DIR": "/run/u"}, "/srv/n/log/last-error"},
		"relative home":   {map[string]string{"NCRYPT11_HOME": "n", "XDG_RUNTIME_DIR": "/run/u"}, ""},
		"XDG":             {map[string]string{"XDG_RUNTIME_DIR": "/run/u", "HOME": "/home/u"}, "/run/u/ncrypt11/last-error"},
	} {
		if got := FailureFile(env(test.env)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
