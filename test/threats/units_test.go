package threats_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// installed are the files of `make install`, and their modes.
var installed = map[string]fs.FileMode{
	"/opt/n11/bin/ncrypt11":                              0o755,
	"/opt/n11/lib/libncrypt11.so":                        0o755,
	"/opt/n11/lib/systemd/system/ncrypt11-guard.service": 0o644,
	"/opt/n11/lib/systemd/system/ncrypt11-guard.socket":  0o644,
	"/opt/n11/lib/sysusers.d/ncrypt11.conf":              0o644,
	"/opt/n11/lib/tmpfiles.d/ncrypt11.conf":              0o644,
	"/opt/n11/share/man/man1/ncrypt11.1":                 0o644,
	"/opt/n11/share/p11-kit/modules/ncrypt11.module":     0o644,
	"/opt/n11/include/ncrypt11/p11.h":                    0o644,
}

// TestUnits installs what was built into an empty directory. systemd understands the units, and finds the service as shut off as it can be; what the table counts on is there.
func TestUnits(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd on this machine that could read its units")
	}
	dir := t.TempDir()
	output(t, "make", "-C", root, "-o", "build", "install", "DESTDIR="+dir, "PREFIX=/opt/n11")
	for path, mode := range installed {
		if info, err := os.Stat(dir + path); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	units := filepath.Join(dir, "/opt/n11/lib/systemd/system")
	service, socket := filepath.Join(units, "ncrypt11-guard.service"), filepath.Join(units, "ncrypt11-guard.socket")
	text, err := os.ReadFile(service)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"ExecStart=/opt/n11/bin/ncrypt11 guard", "User=ncrypt11", "LimitMEMLOCK=infinity", "LimitCORE=0", "NoNewPrivileges=yes", "CapabilityBoundingSet="} {
		if !strings.Contains(string(text), "\n"+line+"\n") {
			t.Errorf("the service does not say %s", line)
		}
	}
	here := strings.ReplaceAll(string(text), "/opt/n11/bin", dir+"/opt/n11/bin") // systemd looks whether the program is there
	if err := os.WriteFile(service, []byte(here), 0o644); err != nil {
		t.Fatal(err)
	}
	if said := output(t, "systemd-analyze", "verify", "--man=no", service, socket); said != "" {
		t.Errorf("systemd-analyze verify: %s", said)
	}
	output(t, "systemd-analyze", "security", "--offline=yes", "--threshold=15", service) // tenths, of 10 at the worst
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
