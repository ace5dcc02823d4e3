// Package snippet says how a program is set up to use a key in a token. There is a file for each program in programs: a header, then sections with
// what goes into which file and what is to be run, as templates (text/template) that are filled in with Data.
package snippet

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/template"
)

//go:embed programs
var programs embed.FS

// parts are sections that more than one program needs: {{template "NAME.txt" .}}.
//
//go:embed parts
var parts embed.FS

// Program is one that can be set up.
type Program struct {
	Name    string
	Summary string // what it will do with the key, in some words
	Token   Need   // whether it has to be told of a token; without a line in the header, only of its key's
	Key     Need   // whether it has to be told of a key
	PIN     PIN    // how it gets the token's PIN
	text    string // the sections
}

// Need says whether something is needed.
type Need string

// The needs.
const (
	Needed   Need = "needed"
	Optional Need = "optional"
	None     Need = "none"
)

// PIN says how a program gets a PIN.
type PIN string

// The ways to get a PIN.
const (
	FromFile PIN = "file"  // nobody is there to type it
	Asked    PIN = "asked" // the program asks for it
)

// Data is what templates are filled in with.
type Data struct {
	Module          string // path of the PKCS #11 module
	Home            string // NCRYPT11_HOME, where it is set
	Token           Token
	Key             Key
	PINFile         string // path of a file with the PIN; empty where the token has none, or the program asks
	CertificateFile string // path of a PEM file: where the key's certificate is for programs that read it from a file
	OpenSSLProvider bool   // OpenSSL has the provider pkcs11 here
}

// Token is the token; all empty where the program need not be told of one.
type Token struct {
	Label, Serial, URI string
	Slot               uint // the slot it is in, as long as it exists
	Login              bool // it has a PIN
	Isolated           bool // its keys are in a guard; of a token in software, whoever is to use the keys must read the files
	Ed25519            bool // it has such a key; known where the program is told of a key
	Path               string
}

// Readers is a token, and the group of those who must be able to read it: parts/readers.txt says how.
type Readers struct {
	Token
	Group string
}

// Readers names a group that a server's workers are in.
func (t Token) Readers(group string) Readers { return Readers{t, group} }

// Key is the key; all empty where the program need not be told of one.
type Key struct {
	Name        string // of letters, digits, '-' and '_', for the names of files
	Label       string
	ID          string // hexadecimal
	Kind        string // RSA-2048, P-256, ...
	URI         string // of all objects that belong to it
	Private     string // URI of the private key
	Certificate string // URI of its certificate; empty where the token has none
	PublicKey   string // PEM
}

// WithPIN adds to a URI where the PIN is (RFC 7512, section 2.4), if there is one in a file.
func (d *Data) WithPIN(uri string) string {
	if d.PINFile == "" {
		return uri
	}
	return uri + "?pin-source=file:" + d.PINFile
}

// Action is what is to be done with a section.
type Action string

// The actions.
const (
	File Action = "file" // make this file, with this text
	Add  Action = "add"  // add this text to that file
	Run  Action = "run"  // run these commands in a shell
)

// Section is a piece of what is to be done.
type Section struct {
	Action Action `json:"action"`
	Where  string `json:"where"`          // the file; of commands who runs them: root or user
	Note   string `json:"note,omitempty"` // what else is to be said, like which part of the file is meant
	Text   string `json:"text"`           // ends with a newline
}

// Programs gives all programs, by name.
func Programs() []Program {
	files, err := fs.Glob(programs, "programs/*.txt")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	list := make([]Program, len(files))
	for i, file := range files {
		if list[i], err = parse(file); err != nil {
			panic(err) // a test reads them all
		}
	}
	return list
}

// parse reads a program's file.
func parse(file string) (Program, error) {
	text, err := programs.ReadFile(file)
	if err != nil {
		return Program{}, err
	}
	header, sections, ok := strings.Cut(string(text), "\n\n")
	if !ok {
		return Program{}, fmt.Errorf("%s has no header", file)
	}
	p := Program{Name: strings.TrimSuffix(path.Base(file), ".txt"), text: sections}
	for line := range strings.Lines(header) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "summary":
			p.Summary = value
		case "token":
			p.Token = Need(value)
		case "key":
			p.Key = Need(value)
		case "pin":
			p.PIN = PIN(value)
		default:
			return Program{}, fmt.Errorf("%s: %q is not of a header", file, line)
		}
	}
	if p.Summary == "" || !slices.Contains([]Need{Needed, Optional, None}, p.Key) || !slices.Contains([]PIN{FromFile, Asked}, p.PIN) {
		return Program{}, fmt.Errorf("%s: the header needs a summary, key and pin", file)
	}
	return p, nil
}

// mark begins the first line of a section: "== ACTION WHERE", or "== ACTION WHERE -- NOTE".
const mark = "== "

// Sections fills in the program's sections.
func (p *Program) Sections(d *Data) ([]Section, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	t, err := template.New(p.Name).Option("missingkey=error").Funcs(template.FuncMap{"shell": shell}).ParseFS(parts, "parts/*.txt")
	if err != nil {
		return nil, err
	}
	if _, err := t.Parse(p.text); err != nil {
		return nil, err
	}
	var filled strings.Builder
	if err := t.Execute(&filled, d); err != nil {
		return nil, err
	}
	var sections []Section
	for line := range strings.Lines(filled.String()) {
		head, isHead := strings.CutPrefix(line, mark)
		switch {
		case isHead:
			s, err := heading(strings.TrimSpace(head))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.Name, err)
			}
			sections = append(sections, s)
		case len(sections) > 0:
			sections[len(sections)-1].Text += line
		case strings.TrimSpace(line) != "":
			return nil, fmt.Errorf("%s: %q is in no section", p.Name, line)
		}
	}
	for i := range sections {
		sections[i].Text = strings.Trim(sections[i].Text, "\n") + "\n"
	}
	return sections, nil
}

func heading(line string) (Section, error) {
	line, note, _ := strings.Cut(line, " -- ")
	action, where, _ := strings.Cut(line, " ")
	s := Section{Action: Action(action), Where: where, Note: note}
	if !slices.Contains([]Action{File, Add, Run}, s.Action) || where == "" {
		return s, fmt.Errorf("%q heads no section", line)
	}
	return s, nil
}
