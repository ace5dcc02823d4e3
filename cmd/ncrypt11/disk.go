package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// stored is a token as it lies on disk.
type stored struct {
	store.Entry
	scope  config.Scope
	header *store.Header // nil where Err says why
}

// storedTokens looks into all directories of tokens. A directory that cannot be read is in problems.
func storedTokens(cfg *config.Config) (list []stored, problems []error) {
	for _, dir := range cfg.TokenDirs {
		entries, err := store.List(dir.Path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		for _, e := range entries {
			t := stored{Entry: e, scope: dir.Scope}
			if t.Err == nil {
				t.header, t.Err = readHeader(e.Path)
			}
			list = append(list, t)
		}
	}
	return list, problems
}

func readHeader(path string) (*store.Header, error) {
	st, err := store.Open(path)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	return st.Header()
}

// storedToken is the token with this serial number.
func storedToken(getenv func(string) string, serial string) (*stored, error) {
	cfg, err := config.Load(getenv)
	if err != nil {
		return nil, err
	}
	list, _ := storedTokens(cfg) // what is wrong with others is not to be told now
	for i := range list {
		if list[i].Serial == serial {
			return &list[i], list[i].Err
		}
	}
	return nil, fmt.Errorf("there is no token of serial number %s", serial)
}

// removeToken removes the token with this serial number from the disk. It vanishes at once, under a name that nobody takes for a token, and
// then file by file.
func (a *app) removeToken(serial string) error {
	t, err := storedToken(a.getenv, serial)
	if t == nil {
		return err
	}
	doomed := filepath.Join(filepath.Dir(t.Path), ".deleted-"+serial)
	if err := os.Rename(t.Path, doomed); err != nil {
		return err
	}
	return os.RemoveAll(doomed)
}

// shareToken lets those whom a machine's token allows read it, and says where they still cannot.
func (a *app) shareToken(serial string) error {
	t, err := storedToken(a.getenv, serial)
	if err != nil {
		return err
	}
	if err := store.Share(t.Path); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		fmt.Fprintf(a.stderr, "Others will not trust the token, because it is not root's: make a machine's token as root.\n")
	}
	if dir := a.root.closedAbove(t.Path); dir != "" {
		fmt.Fprintf(a.stderr, "Others cannot reach the token: they may not pass %s.\n", dir)
	}
	return nil
}
