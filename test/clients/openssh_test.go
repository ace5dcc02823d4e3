package clients_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSSHKeygen(t *testing.T) {
	newTokenWithKeys(t)
	contains(t, run(t, "ssh-keygen", "-D", module(t)), "ssh-rsa AAAA", "ecdsa-sha2-nistp256 AAAA")
}

// ssh-agent holds the token; ssh-keygen signs through it and verifies with the public key alone.
func TestSSHAgent(t *testing.T) {
	newTokenWithKeys(t)
	dir, err := os.MkdirTemp("", "agent-") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "socket")
	agent := program(t, "ssh-agent", "-D", "-a", socket, "-P", module(t))
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = agent.Process.Kill()
		_ = agent.Wait()
	})
	t.Setenv("SSH_AUTH_SOCK", socket)
	t.Setenv("SSH_ASKPASS", script(t, "echo "+pin))
	t.Setenv("SSH_ASKPASS_REQUIRE", "force")
	run(t, "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do [ -S \"$SSH_AUTH_SOCK\" ] && exit; sleep 0.2; done; exit 1")
	run(t, "ssh-add", "-s", module(t))
	keys := strings.Split(strings.TrimSpace(run(t, "ssh-add", "-L")), "\n")
	if len(keys) != 2 {
		t.Fatalf("%d keys in the agent, not 2: %q", len(keys), keys)
	}
	for _, key := range keys {
		public := file(t, "key.pub", key+"\n")
		message := file(t, "message", "signed through the agent")
		run(t, "ssh-keygen", "-Y", "sign", "-f", public, "-n", "test", message)
		signers := file(t, "signers", "someone "+key+"\n")
		verify := program(t, "ssh-keygen", "-Y", "verify", "-f", signers, "-I", "someone", "-n", "test", "-s", message+".sig")
		verify.Stdin = strings.NewReader("signed through the agent")
		if out, err := verify.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

func script(t *testing.T, command string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+command+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}
