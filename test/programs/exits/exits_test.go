// Package exits_test starts programs that use the installed module, again and again, and sees each end: by itself, and as it should.
package exits_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) {
	if args := os.Getenv(goHostVariable); args != "" {
		goHost(strings.Fields(args))
	}
	kit.Main(m, "bookworm")
}

// times is how often each program is started.
func times() int { return kit.Count(5, 200) }

// A client is a program that is started and ends.
type client struct {
	name  string // as people call it, where it differs from what it is in the table of tests
	pkg   string
	args  []string
	env   []string
	code  int            // how it ends
	sig   syscall.Signal // or by which signal
	print string         // what it prints when it has used the token
}

// repeat starts a client so many times. Each has kit.Command's time to end.
func repeat(t *testing.T, k *kit.Token, c *client) {
	t.Helper()
	for i := range times() {
		cmd := kit.Command(t, k.Owner, c.args[0], c.args[1:]...)
		cmd.Env = append(cmd.Env, c.env...)
		out, err := kit.Output(cmd)
		if problem := c.judge(out, err); problem != nil {
			t.Fatalf("%s, time %d: %v\n%s", strings.Join(c.args, " "), i+1, problem, out)
		}
	}
}

// judge says what is wrong with an end.
func (c *client) judge(out string, err error) error {
	code, sig := 0, syscall.Signal(0)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		status := exit.Sys().(syscall.WaitStatus)
		code = max(0, status.ExitStatus())
		if status.Signaled() {
			sig = status.Signal()
		}
	case err != nil:
		return err
	}
	if code != c.code || sig != c.sig {
		return fmt.Errorf("it ended with %d and signal %d, not with %d and signal %d", code, sig, c.code, c.sig)
	}
	if !strings.Contains(out, c.print) {
		return fmt.Errorf("it did not print %q", c.print)
	}
	return nil
}

// row records that the client was started so many times.
func row(t *testing.T, k *kit.Token, program, pkg, how string) {
	t.Helper()
	if how != "" {
		how = ", " + how
	}
	kit.Row(t, k, program, pkg, fmt.Sprintf("started and ended %d times%s", times(), how))
}
