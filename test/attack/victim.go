package attack

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// A victim is a program that holds a random secret, tells it in a form that is no copy of it, and waits until its input ends.
const (
	greeting = "holding"
	mask     = 0xa5
)

// Hold is the victim's part.
func Hold(secret []byte) {
	masked := make([]byte, len(secret))
	for i := range secret {
		masked[i] = secret[i] ^ mask
	}
	fmt.Printf("%s %x\n", greeting, masked)
	_, _ = io.Copy(io.Discard, onlyReader{os.Stdin})
}

// onlyReader hides that a file can be copied by system calls that a confined program does not have.
type onlyReader struct{ io.Reader }

// Victim is a program under attack.
type Victim struct {
	PID    int
	Secret []byte
	stop   io.Closer
	cmd    *exec.Cmd
	errors bytes.Buffer
	once   sync.Once
	ended  error
}

// StartVictim starts a program that calls Hold, and ends it with the test.
func StartVictim(t testing.TB, cmd *exec.Cmd) *Victim {
	t.Helper()
	v := &Victim{cmd: cmd}
	cmd.Stderr = &v.errors
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	v.PID, v.stop = cmd.Process.Pid, stdin
	t.Cleanup(func() { _ = v.End() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	text, ok := strings.CutPrefix(strings.TrimSpace(line), greeting+" ")
	if err != nil || !ok {
		t.Fatalf("the victim does not start: %q, %v, %v\n%s", line, err, v.End(), v.errors.String())
	}
	if v.Secret, err = hex.DecodeString(text); err != nil {
		t.Fatal(err)
	}
	for i := range v.Secret {
		v.Secret[i] ^= mask
	}
	return v
}

// End ends the victim's input and waits for it.
func (v *Victim) End() error {
	_ = v.stop.Close()
	return v.Wait()
}

// Wait waits for the victim's end, once.
func (v *Victim) Wait() error {
	v.once.Do(func() { v.ended = v.cmd.Wait() })
	return v.ended
}

// Stderr is what the victim has written to its standard error. It has ended.
func (v *Victim) Stderr() string { return v.errors.String() }
