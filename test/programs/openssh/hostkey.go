package openssh

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// HostKey has sshd show its host by a key of the machine's token, with a PIN from a file and without one. The user trusts that key only.
func HostKey(t *testing.T) {
	kit.EachLogin(t, kit.Spec{}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenSSH", server, "sshd: "+algorithms(t)+" host keys, through HostKeyAgent")
		pinFile := filepath.Join(kit.Dir(t, "root"), "pin")
		if err := os.WriteFile(pinFile, []byte(k.PIN), 0o600); err != nil {
			t.Fatal(err)
		}
		id := home(t, "id_ed25519", "")
		os.Remove(id)
		kit.Run(t, kit.User, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", id)
		authorize(t, kit.Run(t, kit.User, "cat", id+".pub"))
		for _, x := range some(t) {
			k.Generate(t, x.kind, x.kind)
			t.Run(x.kind, func(t *testing.T) { hostKey(t, k, x.kind, pinFile) })
		}
	})
}

func hostKey(t *testing.T, k *kit.Token, label, pinFile string) {
	public := "/etc/ssh/ncrypt11-" + label + ".pub"
	for _, s := range k.Config(t, "sshd", label, "--pin-file", pinFile) {
		switch {
		case strings.HasSuffix(s.Where, ".service"):
			startUnit(t, s.Text)
		case !strings.Contains(s.Text, "systemctl"): // which would start what the test starts
			kit.Apply(t, kit.User, []kit.Section{s})
		}
	}
	key := kit.Run(t, "root", "cat", public)
	home(t, "known_hosts", "localhost "+key)
	sshd := startServer(t)
	for range kit.Count(2, 100) {
		kit.Contains(t, kit.Run(t, kit.User, "ssh", "-o", "BatchMode=yes", login[1], login[2]), loggedIn)
	}
	home(t, "known_hosts", "localhost "+kit.Run(t, "root", "cat", "/etc/ssh/ssh_host_ed25519_key.pub"))
	if out, err := kit.Try(t, kit.User, "ssh", "-o", "BatchMode=yes", login[1], login[2]); err == nil {
		t.Errorf("a login to a host with another key: %s", out)
	}
	_ = sshd.Stop(t, syscall.SIGTERM) // which is how it ends
}

// startUnit starts a service until the test ends, as systemd would from its unit.
func startUnit(t *testing.T, unit string) {
	t.Helper()
	settings := map[string]string{}
	for line := range strings.Lines(unit) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			settings[name] = value
		}
	}
	dir := filepath.Join("/run", settings["RuntimeDirectory"])
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, name := range []string{"ExecStart", "ExecStartPost"} {
		cmd := kit.Command(t, "root", "sh", "-c", settings[name]) // the shell's quotes are systemd's here
		cmd.Env = append(cmd.Env, settings["Environment"])
		cmd.SysProcAttr.Setpgid, cmd.SysProcAttr.Setsid = false, true // no terminal
		out := run(t, cmd)
		if _, pid, ok := strings.Cut(out, "SSH_AGENT_PID="); ok {
			pid, _, _ = strings.Cut(pid, ";")
			t.Cleanup(func() { kit.Run(t, "root", "kill", pid) })
		}
	}
}
