package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/term"
)

// writeWhole writes a file that is there whole and durable, or as it was before. Without a name it writes to standard output, where whoever reads has to see
// for himself that nothing is missing.
func (a *app) writeWhole(name string, mode os.FileMode, write func(io.Writer) error) error {
	if name == "" || name == "-" {
		return buffered(a.stdout, write)
	}
	unfinished := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+rand.Text())
	f, err := os.OpenFile(unfinished, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("%s: %w", name, errors.Unwrap(err))
	}
	err = buffered(f, write)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(unfinished, name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(unfinished))
	}
	return syncDir(filepath.Dir(name))
}

// onScreen says whether what is printed goes to a terminal.
func (a *app) onScreen() bool {
	printed, ok := a.stdout.(*checkedWriter)
	if !ok {
		return false
	}
	f, ok := printed.to.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// buffered has write write in large pieces.
func buffered(w io.Writer, write func(io.Writer) error) error {
	const piece = 1 << 16
	b := bufio.NewWriterSize(w, piece)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

// syncDir makes the names in a directory durable.
func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
