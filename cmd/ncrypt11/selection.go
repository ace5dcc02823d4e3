package main

import (
	"encoding/hex"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/p11uri"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// selection chooses objects of a token. What is given empty chooses what is empty: a script whose variable is not set must not mean everything.
type selection struct {
	label, id, typ string

	flags    *pflag.FlagSet
	template attr.Template
	class    string // the type that was chosen, by a flag or in the URI; empty: all
}

func (f *selection) register(cmd *cobra.Command) {
	f.flags = cmd.Flags()
	f.flags.StringVar(&f.label, "label", "", "objects with this `LABEL`")
	f.flags.StringVar(&f.id, "id", "", "objects with this id, in `HEX`")
	f.flags.StringVar(&f.typ, "type", "", "objects of this `TYPE`: private, public, secret-key, cert or data")
	complete(cmd, "type", classNames)
}

// parse reads the flags and the URI, if there is one, which may choose the token as well.
func (f *selection) parse(args []string, flags *sessionFlags) error {
	if len(args) == 1 {
		return f.parseURI(args[0], flags)
	}
	id, err := parseID(f.id)
	if err != nil {
		return err
	}
	if f.flags.Changed("label") {
		f.add(ck.CKA_LABEL, []byte(f.label))
	}
	if f.flags.Changed("id") {
		f.add(ck.CKA_ID, id)
	}
	if f.flags.Changed("type") {
		return f.addType(f.typ)
	}
	return nil
}

func (f *selection) parseURI(text string, flags *sessionFlags) error {
	if !p11uri.Is(text) {
		return usagef("%q is not a PKCS #11 URI; choose by label with --label %q", text, text)
	}
	u, err := p11uri.Parse(text)
	if err != nil {
		return usagef("%s: %v", shownName(text), err)
	}
	if f.flags.Changed("label") || f.flags.Changed("id") || f.flags.Changed("type") {
		return usagef("give a URI or --label, --id and --type, not both")
	}
	flags.token.uri = u
	if flags.token.name == "" {
		flags.token.name = text
	}
	if label, ok := u.Path[p11uri.Object]; ok {
		f.add(ck.CKA_LABEL, []byte(label))
	}
	if id, ok := u.Path[p11uri.ID]; ok {
		f.add(ck.CKA_ID, []byte(id))
	}
	if typ, ok := u.Path[p11uri.Type]; ok {
		return f.addType(typ)
	}
	return nil
}

func (f *selection) add(typ ck.AttributeType, value []byte) {
	f.template = append(f.template, attr.Attribute{Type: typ, Value: value})
}

func (f *selection) addType(name string) error {
	for _, c := range classes {
		if c.name == name {
			f.class = name
			f.add(ck.CKA_CLASS, attr.ULong(uint(c.class)))
			return nil
		}
	}
	return unknown("type", name, nil, "ncrypt11 help list")
}

// empty says that everything is chosen.
func (f *selection) empty() bool { return len(f.template) == 0 }

// find gives what the selection finds in the token.
func (f *selection) find(s *session) ([]*object, error) {
	handles, err := s.find(f.template)
	if err != nil {
		return nil, err
	}
	return s.objects(handles)
}

func parseID(text string) ([]byte, error) {
	id, err := hex.DecodeString(text)
	if err != nil {
		return nil, usagef("--id %q is not an even number of hexadecimal digits", text)
	}
	return id, nil
}
