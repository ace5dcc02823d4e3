package openssh

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

const sshAddress = "127.0.0.1:22"

// serve starts sshd as Debian has it set up, and has the user trust its host keys.
func serve(t *testing.T) {
	t.Helper()
	startServer(t)
	files, err := filepath.Glob("/etc/ssh/ssh_host_*_key.pub")
	if err != nil || len(files) == 0 {
		t.Fatalf("sshd has no host keys: %v", err)
	}
	var known strings.Builder
	for _, file := range files {
		known.WriteString("localhost " + kit.Run(t, "root", "cat", file))
	}
	home(t, "known_hosts", known.String())
}

func startServer(t *testing.T) *kit.Daemon {
	t.Helper()
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // RuntimeDirectory= of ssh.service
		t.Fatal(err)
	}
	sshd := kit.Start(t, kit.Command(t, "root", "/usr/sbin/sshd", "-D", "-e"))
	kit.Await(t, sshAddress, sshd)
	return sshd
}

// authorize has the user's account take these keys and no others.
func authorize(t *testing.T, lines ...string) {
	t.Helper()
	home(t, "authorized_keys", strings.Join(lines, ""))
}

// login is what the user runs to see that a login works, and what it then prints.
var login = []string{"ssh", "localhost", "echo $USER at $(hostname)"}

const loggedIn = kit.User + " at machine"
