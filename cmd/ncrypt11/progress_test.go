package main

import (
	"bytes"
	"os"
	"testing"
)

// TestProgress: a long command shows how far it is to who sits at a terminal, and to nobody else.
func TestProgress(t *testing.T) {
	screen, terminal := openTerminal(t)
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, test := range []struct {
		name  string
		to    *os.File
		steps int
		shown bool
	}{
		{"at a terminal", terminal, worthABar, true},
		{"done at once", terminal, worthABar - 1, false},
		{"into a file", file, worthABar, false},
	} {
		bar := (&app{stderr: test.to}).progress("sealing", test.steps)
		for range test.steps {
			bar.step()
		}
		bar.end()
		if got := bar.bar != nil; got != test.shown {
			t.Errorf("%s: a bar: %v", test.name, got)
		}
	}
	terminal.Close()
	shown := make([]byte, 1<<16)
	n, _ := screen.Read(shown)                                                                       // an error comes with what was there
	if !bytes.Contains(shown[:n], []byte("sealing")) || !bytes.HasSuffix(shown[:n], []byte(" \r")) { // and the line is free again
		t.Errorf("the terminal has %q", shown[:n])
	}
	if info, err := file.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("the file has %d bytes (%v)", info.Size(), err)
	}
}
