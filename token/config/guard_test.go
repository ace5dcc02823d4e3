package config

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

func TestGuard(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		want Guard
	}{
		"home of its own": {map[string]string{"NCRYPT11_HOME": "/srv/n", "XDG_RUNTIME_DIR": "/run/u"},
			Guard{Sockets: []string{"/srv/n/guard.sock"}, Own: "/srv/n/guard.sock", State: "/srv/n/guard"}},
		"user": {map[string]string{"HOME": "/home/u", "XDG_RUNTIME_DIR": "/run/u"},
			Guard{Sockets: []string{MachineSocket, "/run/u/ncrypt11/guard.sock"}, Own: "/run/u/ncrypt11/guard.sock", State: "/home/u/.local/state/ncrypt11/guard"}},
		"no home": {map[string]string{"XDG_RUNTIME_DIR": "/run/u"},
			Guard{Sockets: []string{MachineSocket, "/run/u/ncrypt11/guard.sock"}}},
		"off":   {map[string]string{"NCRYPT11_HOME": "/n", "NCRYPT11_GUARD": "none"}, Guard{Off: true, Sockets: []string{"/n/guard.sock"}, Own: "/n/guard.sock", State: "/n/guard"}},
		"named": {map[string]string{"NCRYPT11_HOME": "/n", "NCRYPT11_GUARD": "vsock:3:9"}, Guard{Address: "vsock:3:9", Sockets: []string{"/n/guard.sock"}, Own: "/n/guard.sock", State: "/n/guard"}},
		"TPM":   {map[string]string{"NCRYPT11_HOME": "/n", "NCRYPT11_TPM": "swtpm:unix:/s"}, Guard{TPM: "swtpm:unix:/s", Sockets: []string{"/n/guard.sock"}, Own: "/n/guard.sock", State: "/n/guard"}},
	} {
		c, err := Load(env(test.env))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(c.Guard, test.want) {
			t.Errorf("%s: %+v, want %+v", name, c.Guard, test.want)
		}
	}
}

func TestGuardRefuses(t *testing.T) {
	for _, bad := range []map[string]string{
		{"NCRYPT11_GUARD": "unix:relative"}, {"NCRYPT11_GUARD": "vsock:x:1"}, {"NCRYPT11_GUARD": "tcp:1.2.3.4:5"}, {"NCRYPT11_TPM": "tpmrm0"},
	} {
		if _, err := Load(env(bad)); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

func TestGuardSettings(t *testing.T) {
	for text, good := range map[string]bool{
		"min_isolation = \"service\"\nguard_idle = \"90s\"\nguard_program = \"/usr/bin/ncrypt11\"\nlog_uses = true\n": true,
		"min_isolation = \"enclave\"\n": false, "guard_idle = \"soon\"\n": false, "guard_idle = \"1ms\"\n": false, "guard_program = \"ncrypt11\"\n": false,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(env(map[string]string{"NCRYPT11_HOME": dir}))
		if (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && (c.Idle() != 90*time.Second || c.MinIsolation != "service" || !c.LogUses) {
			t.Errorf("%q became %+v", text, c.Settings)
		}
	}
}

// What the machine's file asks for, a user's does not take back.
func TestIsolationOnlyGrows(t *testing.T) {
	for _, test := range []struct{ machine, user, want string }{
		{"service", "process", "service"}, {"process", "vm", "vm"}, {"", "service", "service"}, {"service", "", "service"},
	} {
		var c Config
		for i, level := range []string{test.machine, test.user} {
			file := filepath.Join(t.TempDir(), "config.toml")
			text := ""
			if level != "" {
				text = "min_isolation = \"" + level + "\"\n"
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := c.read(file); err != nil {
				t.Fatal(i, err)
			}
		}
		if c.MinIsolation != test.want {
			t.Errorf("%q and then %q: %q", test.machine, test.user, c.MinIsolation)
		}
	}
	var c Config
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte("min_isolation = \"none\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.MinIsolation = "service"
	if err := c.read(file); err != nil || c.check() == nil {
		t.Errorf("nonsense after something sound: %v", err)
	}
}
