package main

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// typist sits at a terminal and types a line as soon as there is a question.
type typist struct {
	t              *testing.T
	terminal, keys *os.File
	line           string
}

func (p *typist) Write(question []byte) (int, error) {
	if string(question) == "\n" { // what the prompt ends with
		return 1, nil
	}
	if echoes(p.t, p.terminal) {
		p.t.Errorf("at %q the terminal shows what is typed", question)
	}
	if _, err := p.keys.WriteString(p.line + "\n"); err != nil {
		p.t.Error(err)
	}
	return len(question), nil
}

func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// openTerminal gives both ends of a terminal: that of who sits there, and that of the program.
func openTerminal(t *testing.T) (keys, terminal *os.File) {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	if err := unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keys, terminal
}

// A fast typist, or a paste, must not be seen either.
func TestPromptShowsNothing(t *testing.T) {
	keys, terminal := openTerminal(t)
	a := &app{stdin: terminal, stderr: &typist{t, terminal, keys, "geheim"}}
	pin, err := a.prompt("PIN")
	if err != nil {
		t.Fatal(err)
	}
	defer pin.Close()
	if !pin.Equal([]byte("geheim")) {
		t.Error("it is not what was typed")
	}
	if !echoes(t, terminal) {
		t.Error("the terminal stays without an echo")
	}
}
