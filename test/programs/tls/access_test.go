package tls_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// A worker needs the guard's socket and nothing else: it has no way to the PIN's file, the TPM, what the guard keeps, or a file of the token's that
// not everybody may read.
func TestWorkersHaveTheSocketOnly(t *testing.T) {
	for _, spec := range []kit.Spec{{NoPIN: true}, {}} {
		t.Run(map[bool]string{true: "without a PIN", false: "with a PIN"}[spec.NoPIN], func(t *testing.T) {
			spec.Allow = []string{"user:" + workers}
			k := kit.NewToken(t, spec, true)
			kit.Row(t, k, "nginx", "nginx-light", "its workers can get at the guard's socket and at nothing that is not everybody's")
			s := newSite(t, k, "nginx")
			startNginx(t, s)
			s.handshakes(t, 80) // each worker has used the key
			for _, pid := range kit.Children(pidIn(t, nginxPID)) {
				unprivileged(t, pid)
				nothingLeftOpen(t, pid)
			}
			closed := []string{"/var/lib/ncrypt11-guard", "/var/log/ncrypt11", kit.TPMSocket, "/dev/tpm0", "/dev/tpmrm0", "/etc/ssl/private/ncrypt11.pin"}
			for _, path := range closed {
				if out := kit.Shell(t, workers, "for how in r w x; do ! test -$how "+path+" || echo $how; done"); out != "" {
					t.Errorf("%s can get at %s: %s", workers, path, out)
				}
			}
			const find = "find /var/lib/ncrypt11 /run/ncrypt11 "
			if out := kit.Shell(t, workers, find+"-readable ! -perm -o+r"); out != "" {
				t.Errorf("%s can read what not everybody can:\n%s", workers, out)
			}
			if out := kit.Shell(t, workers, find+"-writable ! -path "+kit.GuardSocket); out != "" {
				t.Errorf("%s can change:\n%s", workers, out)
			}
		})
	}
}

// Workers that use a token in software can read it, and not change it, nor has their master left it open for them to change.
func TestWorkersOnlyRead(t *testing.T) {
	k := kit.NewToken(t, kit.Spec{}, false)
	kit.Row(t, k, "nginx", "nginx-light", "its workers cannot change a token in software")
	s := newSite(t, k, "nginx")
	startNginx(t, s)
	s.handshakes(t, 80)
	for _, pid := range kit.Children(pidIn(t, nginxPID)) {
		unprivileged(t, pid)
		nothingLeftOpen(t, pid)
	}
	if out := kit.Shell(t, workers, "find /var/lib/ncrypt11 -writable"); out != "" {
		t.Errorf("%s can change:\n%s", workers, out)
	}
}

// unprivileged fails where a process has another identity than the workers' user, or a capability.
func unprivileged(t *testing.T, pid int) {
	t.Helper()
	account := kit.Lookup(t, workers)
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	status := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		status[name] = strings.Join(strings.Fields(value), " ")
	}
	own := func(id uint32) string { return strings.TrimSpace(strings.Repeat(fmt.Sprint(id, " "), 4)) }
	for name, want := range map[string]string{
		"Uid": own(account.UID), "Gid": own(account.GID), "Groups": fmt.Sprint(account.GID), "CapEff": "0000000000000000", "CapPrm": "0000000000000000",
	} {
		if status[name] != want {
			t.Errorf("worker %d: %s is %q, not %q", pid, name, status[name], want)
		}
	}
}

// nothingLeftOpen fails where a worker has something open that its user may not open so, but for what nginx itself leaves it.
func nothingLeftOpen(t *testing.T, pid int) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		descriptor := filepath.Join(dir, e.Name())
		target, err := os.Readlink(descriptor)
		if err != nil || !filepath.IsAbs(target) || target == "/dev/null" || strings.HasPrefix(target, "/var/log/nginx/") {
			continue // closed by now; a socket, an event or the like; what it logs to
		}
		info, err := os.Lstat(descriptor) // its mode says how it was opened (proc_pid_fd(5))
		if err != nil {
			continue
		}
		for bit, how := range map[os.FileMode]string{0o400: "-r", 0o200: "-w"} {
			if _, err := kit.Try(t, workers, "test", how, target); err != nil && info.Mode()&bit != 0 {
				t.Errorf("worker %d has %s open, for which test %s fails as %s", pid, target, how, workers)
			}
		}
	}
}
