package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// maxLine bounds a line with a secret in it: the longest PIN has 255 bytes, passphrases may be longer.
const maxLine = 4096

// pinFlags are the ways to give the user's PIN.
type pinFlags struct {
	value string
	file  string
	stdin bool
}

func (f *pinFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.value, "pin", "", "the user's `PIN` (others can see it in the list of processes)")
	flags.StringVar(&f.file, "pin-file", "", "read the PIN from the first line of `FILE`")
	flags.BoolVar(&f.stdin, "pin-stdin", false, "read the PIN from a line of standard input")
	atMostOne(cmd, "pin", "pin-file", "pin-stdin")
}

func (f *pinFlags) given(flags *pflag.FlagSet) bool {
	return flags.Changed("pin") || f.file != "" || f.stdin
}

// read gives the PIN from where the flags say, or nil where they say nothing.
func (f *pinFlags) read(flags *pflag.FlagSet, stdin io.Reader) (*secret.Bytes, error) {
	switch {
	case f.stdin:
		pin, err := readLine(stdin)
		if err != nil {
			return nil, fmt.Errorf("--pin-stdin: %w", err)
		}
		return pin, nil
	case f.file != "":
		return readLineOf(f.file)
	case flags.Changed("pin"):
		return secret.Copy([]byte(f.value)), nil
	}
	return nil, nil
}

// readLineOf reads the first line of a file.
func readLineOf(name string) (*secret.Bytes, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	line, err := readLine(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return line, nil
}

// readLine reads up to the end of the line and not a byte further: what follows is for the next reader. No copy of the line is left behind.
func readLine(r io.Reader) (*secret.Bytes, error) {
	line := secret.New(maxLine)
	defer line.Close()
	buf := line.Bytes()
	for n := range buf {
		_, err := io.ReadFull(r, buf[n:n+1])
		switch {
		case err == nil && buf[n] == '\n', err == io.EOF && n > 0:
			return secret.Copy(bytes.TrimSuffix(buf[:n], []byte("\r"))), nil
		case err == io.EOF:
			return nil, errors.New("there is no line to read")
		case err != nil:
			return nil, err
		}
	}
	return nil, fmt.Errorf("a line of more than %d bytes", maxLine)
}

// checkLength refuses a new PIN that the token would.
func checkLength(pin *secret.Bytes, info *ck.TokenInfo) error {
	if n := uint(pin.Len()); n < info.MinPINLen || n > info.MaxPINLen {
		return fmt.Errorf("a PIN has %d to %d bytes, not %d", info.MinPINLen, info.MaxPINLen, n)
	}
	return nil
}

// interactive says whether there is someone to ask.
func (a *app) interactive() bool { return term.IsTerminal(int(a.stdin.Fd())) }

// prompt asks for a secret without showing it, not even where it is typed before the question stands there.
func (a *app) prompt(what string) (*secret.Bytes, error) {
	fd := int(a.stdin.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer restoreOnInterrupt(fd, state)()
	if err := echoOff(fd); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer func() { _ = term.Restore(fd, state) }()
	fmt.Fprintf(a.stderr, "%s: ", what)
	typed, err := term.ReadPassword(fd)
	fmt.Fprintln(a.stderr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return secret.From(typed), nil
}

// echoOff keeps what was typed already, as term.ReadPassword does.
func echoOff(fd int) error {
	state, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	state.Lflag &^= unix.ECHO
	return unix.IoctlSetTermios(fd, unix.TCSETS, state)
}

// promptTwice asks for a secret that is being set.
func (a *app) promptTwice(what string) (*secret.Bytes, error) {
	first, err := a.prompt(what)
	if err != nil {
		return nil, err
	}
	second, err := a.prompt(what + " again")
	if err != nil {
		first.Close()
		return nil, err
	}
	defer second.Close()
	if !first.Equal(second.Bytes()) {
		first.Close()
		return nil, errors.New("the two are not the same")
	}
	return first, nil
}

// restoreOnInterrupt gives the terminal its echo back when Ctrl-C ends the program in the middle of a prompt. The result ends the watch.
func restoreOnInterrupt(fd int, state *term.State) (stop func()) {
	const interrupted = 128 + 2 // as a shell reports SIGINT
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt)
	go func() {
		select {
		case <-signals:
			_ = term.Restore(fd, state)
			os.Exit(interrupted)
		case <-done:
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}
