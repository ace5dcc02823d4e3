package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/config"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show tokens, what protects them, and where things are",
		Long: "Shows the guard that isolates keys, its TPM, what else protects this machine's memory, and each token. It starts no guard; `ncrypt11 doctor` does, and\n" +
			"says what to do about what it finds.",
		Args: arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return a.status() },
	}
}

// status is the JSON of `status`.
type status struct {
	Version       string        `json:"version"`
	Library       string        `json:"library,omitempty"` // the PKCS #11 module, where it is in a place it is installed to
	Configuration []string      `json:"configuration"`     // files that were read
	Directories   []directory   `json:"directories"`
	VBS           vbs           `json:"vbs"`
	Guard         *guardStatus  `json:"guard"`
	Machine       machine       `json:"machine"`
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
	s, err := a.survey(cfg, findGuard(cfg, a.getenv))
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(s)
	}
	return a.printStatus(s)
}

// survey puts together what is to be known where this is the guard.
func (a *app) survey(cfg *config.Config, g *guardStatus) (*status, error) {
	list, problems := storedTokens(cfg)
	s := &status{
		Version: version(), Library: a.library, Configuration: append([]string{}, cfg.Files...), VBS: vbsOf(cfg, g), Guard: g,
		Machine: a.root.machine(&cfg.Guard), Problems: []string{},
	}
	for _, dir := range cfg.TokenDirs {
		s.Directories = append(s.Directories, directory{dir.Path, string(dir.Scope)})
	}
	for _, err := range problems {
		s.Problems = append(s.Problems, oneLine(explain(err)))
	}
	var err error
	s.Tokens, err = a.tokenStatuses(list, s)
	return s, err
}

// tokenStatuses tells of each token on disk, in the order of slots.
func (a *app) tokenStatuses(list []stored, s *status) ([]tokenStatus, error) {
	p, err := a.provider()
	if err != nil {
		return nil, err
	}
	defer p.Close()
	present, err := presentTokens(p)
	if err != nil {
		return nil, err
	}
	all := []tokenStatus{}
	for _, t := range list {
		all = append(all, a.statusOf(&t, present, s))
	}
	return all, nil
}

func (a *app) printStatus(s *status) error {
	library := s.Library
	if library == "" {
		library = libraryName + " is not installed beside this command"
	}
	fmt.Fprintf(a.stdout, "Version:        %s\nLibrary:        %s\nVBS:            %s\n", s.Version, library, display(s.VBS.String()))
	for _, file := range s.Configuration {
		fmt.Fprintf(a.stdout, "Configuration:  %s\n", file)
	}
	for _, dir := range s.Directories {
		fmt.Fprintf(a.stdout, "%-15s %s\n", dir.Scope+" tokens:", dir.Path)
	}
	for _, problem := range s.Problems {
		fmt.Fprintf(a.stdout, "Problem:        %s\n", problem)
	}
	p := &printer{a.stdout, 13}
	s.Guard.print(p, s.VBS.State == vbsStartable)
	s.Machine.print(p)
	if len(s.Tokens) == 0 {
		fmt.Fprintln(a.stdout, "\nThere is no token. Make one with: ncrypt11 init --label NAME")
	}
	for i := range s.Tokens {
		fmt.Fprintln(a.stdout)
		s.Tokens[i].print(a.stdout)
	}
	return nil
}

func (m *machine) print(p *printer) {
	p.heading("Machine")
	p.line("TPM", m.TPM.words())
	p.line("Secure Boot", m.SecureBoot)
	p.line("Lockdown", m.Lockdown)
	p.line("Yama ptrace", m.PtraceScope)
	if len(m.Swap) == 0 {
		p.line("Swap", "none")
	}
	for _, s := range m.Swap {
		p.line("Swap", display(s.Name)+": "+swapWords[s.Protection])
	}
	p.line("Core dumps", display(m.CorePattern))
	p.line("Memlock", m.Memlock)
}

var swapWords = map[string]string{
	swapEncrypted: "encrypted", swapMemory: "compressed memory, not a disk", factUnknown: "not known to be encrypted",
}

func (d *tpmDevice) words() string {
	switch {
	case d.Device == "" && d.Setting == "":
		return "none"
	case d.Device == "":
		return display(d.Setting)
	case d.Usable:
		return d.Device
	}
	return d.Device + ", which this user may not open"
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
		found, _ := filepath.Glob(filepath.Join(dir, place, libraryName)) // the pattern is sound
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
