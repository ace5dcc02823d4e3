package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/wire"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show tokens, what protects them, and where things are",
		Args:  arguments(cobra.NoArgs),
		RunE:  func(*cobra.Command, []string) error { return a.status() },
	}
}

// status is the JSON of `status`.
type status struct {
	Version       string        `json:"version"`
	Library       string        `json:"library,omitempty"` // the PKCS #11 module, where it is in a place it is installed to
	Configuration []string      `json:"configuration"`     // files that were read
	Directories   []directory   `json:"directories"`
	VBS           vbs           `json:"vbs"`
	Tokens        []tokenStatus `json:"tokens"`
	Problems      []string      `json:"problems"`
}

type directory struct {
	Path  string `json:"path"`
	Scope string `json:"scope"`
}

func (a *app) status() error {
	cfg, err := config.Load(a.getenv)
	if err != nil {
		return err
	}
	list, problems := storedTokens(cfg)
	s := status{
		Version: version(), Library: libraryPath(), Configuration: append([]string{}, cfg.Files...), VBS: vbsStatus(wire.Guards(cfg, a.getenv)),
		Tokens: []tokenStatus{}, Problems: []string{},
	}
	for _, dir := range cfg.TokenDirs {
		s.Directories = append(s.Directories, directory{dir.Path, string(dir.Scope)})
	}
	for _, err := range problems {
		s.Problems = append(s.Problems, oneLine(explain(err)))
	}
	if s.Tokens, err = a.tokenStatuses(list); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(s)
	}
	return a.printStatus(&s)
}

// tokenStatuses tells of each token on disk, in the order of slots.
func (a *app) tokenStatuses(list []stored) ([]tokenStatus, error) {
	p, err := a.provider()
	if err != nil {
		return nil, err
	}
	defer p.Close()
	cfg, err := config.Load(a.getenv)
	if err != nil {
		return nil, err
	}
	guards := wire.Guards(cfg, a.getenv)
	present, err := presentTokens(p)
	if err != nil {
		return nil, err
	}
	all := []tokenStatus{}
	for _, t := range list {
		all = append(all, statusOf(&t, present, guards))
	}
	return all, nil
}

func (a *app) printStatus(s *status) error {
	library := s.Library
	if library == "" {
		library = "libncrypt11.so is not installed beside this command"
	}
	fmt.Fprintf(a.stdout, "Version:        %s\nLibrary:        %s\nVBS:            %s\n", s.Version, library, s.VBS)
	for _, file := range s.Configuration {
		fmt.Fprintf(a.stdout, "Configuration:  %s\n", file)
	}
	for _, dir := range s.Directories {
		fmt.Fprintf(a.stdout, "%-15s %s\n", dir.Scope+" tokens:", dir.Path)
	}
	for _, problem := range s.Problems {
		fmt.Fprintf(a.stdout, "Problem:        %s\n", problem)
	}
	if len(s.Tokens) == 0 {
		fmt.Fprintln(a.stdout, "\nThere is no token. Make one with: ncrypt11 init --label NAME")
	}
	for i := range s.Tokens {
		fmt.Fprintln(a.stdout)
		s.Tokens[i].print(a.stdout)
	}
	return nil
}

// libraryPath finds the module: beside this command, as it is built, or in the library directory of the prefix that this command is in.
func libraryPath() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(self); err == nil {
		self = real
	}
	dir := filepath.Dir(self)
	for _, place := range []string{".", "../lib", "../lib/pkcs11", "../lib/*-linux-gnu*", "../lib/*-linux-gnu*/pkcs11", "../lib64", "../lib64/pkcs11"} {
		found, _ := filepath.Glob(filepath.Join(dir, place, "libncrypt11.so")) // the pattern is sound
		if len(found) > 0 {
			return found[0]
		}
	}
	return ""
}

func version() string {
	v := token.LibraryVersion
	return fmt.Sprintf("%d.%d", v.Major, v.Minor)
}

// vbs says whether keys can be isolated on this machine.
type vbs struct {
	Available bool   `json:"available"`
	Reason    string `json:"reason,omitempty"`
}

func (v vbs) String() string {
	if v.Available {
		return "available"
	}
	return strings.TrimSuffix("unavailable: "+v.Reason, ": ")
}
