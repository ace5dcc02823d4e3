package openssh

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// RunningAgent is an ssh-agent of the user's.
type RunningAgent struct{ socket string }

// StartAgent starts one that has no keys yet.
func StartAgent(t *testing.T) *RunningAgent {
	t.Helper()
	a := &RunningAgent{filepath.Join(kit.Dir(t, kit.User), "agent")}
	daemon := kit.Start(t, kit.Command(t, kit.User, "ssh-agent", "-D", "-a", a.socket))
	kit.Eventually(t, "ssh-agent listens", func() bool {
		if daemon.Ended() {
			t.Fatal("ssh-agent has ended")
		}
		conn, err := net.Dial("unix", a.socket)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return a
}

// Command is one of the user's, who has the agent.
func (a *RunningAgent) Command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := kit.Command(t, kit.User, name, args...)
	cmd.Env = append(cmd.Env, "SSH_AUTH_SOCK="+a.socket)
	return cmd
}

// Add gives the agent the token's keys, as the snippet has it, with the PIN from a program like those of desktops.
func (a *RunningAgent) Add(t *testing.T, k *kit.Token) {
	t.Helper()
	run(t, askpass(t, a.Command(t, "sh", "-c", section(t, k.Config(t, "ssh", ""), "ssh-add -s").Text), k.PIN))
}

// Keys are the lines of ssh-add -L.
func (a *RunningAgent) Keys(t *testing.T) []string {
	t.Helper()
	out, _ := kit.Output(a.Command(t, "ssh-add", "-L")) // it fails where the agent has no keys
	var keys []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, " AAAA") {
			keys = append(keys, line)
		}
	}
	return keys
}

// Agent logs in through an agent: with each key, many times at once, and no longer when the agent has been told to forget the token.
func Agent(t *testing.T) {
	kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenSSH", client, "ssh-agent: logs in with keys of ssh-add -s, PIN from SSH_ASKPASS; ssh-add -e and -s again")
		generateAll(t, k)
		serve(t)
		a := StartAgent(t)
		a.Add(t, k)
		keys := a.Keys(t)
		if len(keys) != len(kinds(t)) {
			t.Fatalf("the agent has %d keys, not %d: %q", len(keys), len(kinds(t)), keys)
		}
		for _, key := range keys {
			authorize(t, key)
			kit.Contains(t, run(t, a.Command(t, login[0], login[1:]...)), loggedIn)
		}
		a.logins(t, kit.Count(8, 200), 4)

		run(t, a.Command(t, "ssh-add", "-e", kit.Module))
		if keys := a.Keys(t); len(keys) > 0 {
			t.Errorf("the agent has still %q", keys)
		}
		if out, err := kit.Output(a.Command(t, "ssh", "-o", "BatchMode=yes", login[1], login[2])); err == nil {
			t.Errorf("a login without the keys: %s", out)
		}
		a.Add(t, k)
		kit.Contains(t, run(t, a.Command(t, login[0], login[1:]...)), loggedIn)
	})
}

// logins makes n logins, some at a time.
func (a *RunningAgent) logins(t *testing.T, n, atATime int) {
	t.Helper()
	commands := make(chan *exec.Cmd, n)
	for range n {
		commands <- a.Command(t, login[0], login[1:]...)
	}
	close(commands)
	var people sync.WaitGroup
	for range atATime {
		people.Go(func() {
			for cmd := range commands {
				if out, err := kit.Output(cmd); err != nil || !strings.Contains(out, loggedIn) {
					t.Errorf("%v: %v\n%s", cmd.Args, err, out)
				}
			}
		})
	}
	people.Wait()
}

// AgentAtTerminal has the PIN typed.
func AgentAtTerminal(t *testing.T) {
	kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenSSH", client, "ssh-add -s: PIN typed at a terminal")
		k.Generate(t, "p256", "p256")
		a := StartAgent(t)
		out, err := kit.Type(t, a.Command(t, "ssh-add", "-s", kit.Module), kit.Answer{Question: "Enter passphrase for PKCS#11", Line: k.PIN})
		if err != nil {
			t.Fatalf("ssh-add -s: %v\n%s", err, out)
		}
		if keys := a.Keys(t); len(keys) != 1 {
			t.Errorf("the agent has %q", keys)
		}
	})
}

// Sign signs a file through the agent, and verifies the signature with the public key alone.
func Sign(t *testing.T) {
	kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenSSH", client, "ssh-keygen -Y sign: signs files with "+algorithms(t)+" keys, through ssh-agent")
		generateAll(t, k)
		a := StartAgent(t)
		a.Add(t, k)
		dir := kit.Dir(t, kit.User)
		message := filepath.Join(dir, "message")
		kit.Write(t, kit.User, message, "signed through the agent\n")
		for _, key := range a.Keys(t) {
			public, signers := filepath.Join(dir, "key.pub"), filepath.Join(dir, "signers")
			kit.Write(t, kit.User, public, key)
			kit.Write(t, kit.User, signers, "someone "+key)
			run(t, a.Command(t, "ssh-keygen", "-Y", "sign", "-f", public, "-n", "file", message))
			verify := "ssh-keygen -Y verify -f " + signers + " -I someone -n file -s " + message + ".sig"
			kit.Contains(t, kit.Shell(t, kit.User, verify+" <"+message), "Good \"file\" signature")
			if out, err := kit.Try(t, kit.User, "sh", "-c", "echo changed | "+verify); err == nil {
				t.Errorf("another text has that signature: %s", out)
			}
			if err := os.Remove(message + ".sig"); err != nil {
				t.Error(err)
			}
		}
	})
}
