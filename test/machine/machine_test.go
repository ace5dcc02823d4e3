package machine

import (
	"net"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m, "bookworm", nil) }

// What tests may rely on.
func TestInside(t *testing.T) {
	Need(t)
	if name, err := os.Hostname(); err != nil || name != "machine" {
		t.Errorf("the host's name is %q, %v", name, err)
	}
	if text, err := os.ReadFile("/etc/os-release"); err != nil || !strings.Contains(string(text), "VERSION_CODENAME=bookworm") {
		t.Errorf("another Debian, %v:\n%s", err, text)
	}
	for _, file := range []string{"/usr/bin/ncrypt11", "/usr/lib/x86_64-linux-gnu/libncrypt11.so", "/usr/share/p11-kit/modules/ncrypt11.module"} {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{User, "ncrypt11"} {
		if _, err := user.Lookup(name); err != nil {
			t.Error(err)
		}
	}
	if listener, err := net.Listen("tcp", "127.0.0.1:443"); err != nil {
		t.Error(err)
	} else {
		listener.Close()
	}
	if interfaces, err := net.Interfaces(); err != nil || len(interfaces) != 1 {
		t.Errorf("the interfaces are %v, %v: there should be a loopback and nothing else", interfaces, err)
	}
	if out, err := exec.Command("ncrypt11", "version").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if err := os.WriteFile("/etc/written", nil, 0o600); err != nil {
		t.Error(err)
	}
}
