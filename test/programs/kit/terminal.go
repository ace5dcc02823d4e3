package kit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Answer is what somebody types when a program at a terminal asks a question.
type Answer struct{ Question, Line string }

// Type runs a command at a terminal of its own, as somebody who sits there would, and types each answer as soon as its question is there, one after the
// other. It gives what was on the screen, and how the command ended. A question that never came is an error.
func Type(t testing.TB, cmd *exec.Cmd, answers ...Answer) (string, error) {
	t.Helper()
	keys, terminal, err := openTerminal()
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	if c := cmd.SysProcAttr.Credential; c != nil { // as a login would
		if err := terminal.Chown(int(c.Uid), -1); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.Env = append(cmd.Env, "TERM=xterm")
	cmd.SysProcAttr.Setpgid = false // it leads a group as it leads the session
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
	err = cmd.Start()
	terminal.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(patience, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }).Stop()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	screen := ""
	for seen, buffer := 0, make([]byte, 4096); ; {
		n, errRead := keys.Read(buffer) // it ends when the last program at the terminal does
		screen += string(buffer[:n])
		if len(answers) > 0 && strings.Contains(screen[seen:], answers[0].Question) {
			seen = len(screen)
			awaitHidden(keys)
			if _, err := keys.WriteString(answers[0].Line + "\r"); err != nil {
				t.Error(err)
			}
			answers = answers[1:]
		}
		if errRead != nil {
			break
		}
	}
	err = <-ended
	if len(answers) > 0 {
		err = errors.Join(err, fmt.Errorf("it never asked %q", answers[0].Question))
	}
	return screen, err
}

// awaitHidden waits until what is typed is not shown. A program that asks for a secret throws away what was typed before; one that shows it is not
// waited for for ever.
func awaitHidden(keys *os.File) {
	raw, err := keys.SyscallConn()
	if err != nil {
		return
	}
	shown := true
	for deadline := time.Now().Add(5 * time.Second); shown && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		err := raw.Control(func(fd uintptr) {
			settings, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
			shown = err == nil && settings.Lflag&unix.ECHO != 0
		})
		if err != nil {
			return
		}
	}
}

// openTerminal makes a terminal. What is written to keys is typed there, and what is read from it is shown there.
func openTerminal() (keys, terminal *os.File, err error) {
	keys, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	raw, err := keys.SyscallConn()
	if err != nil {
		return nil, nil, errors.Join(err, keys.Close())
	}
	var number int
	var errNumber error
	err = raw.Control(func(fd uintptr) {
		if errNumber = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); errNumber == nil {
			number, errNumber = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err = errors.Join(err, errNumber); err == nil {
		terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		return nil, nil, errors.Join(err, keys.Close())
	}
	return keys, terminal, nil
}
