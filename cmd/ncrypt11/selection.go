package main

import (
	"encoding/hex"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/p11uri"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// selection chooses objects of a token.
type selection struct {
	label, id, typ string

	template attr.Template
}

func (f *selection) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.label, "label", "", "objects with this `LABEL`")
	flags.StringVar(&f.id, "id", "", "objects with this id, in `HEX`")
	flags.StringVar(&f.typ, "type", "", "objects of this `TYPE`: private, public, secret-key, cert or data")
	complete(cmd, "type", classNames)
}

// parse reads the flags and the URI, if there is one, which may choose the token as well.
func (f *selection) parse(args []string, flags *sessionFlags) error {
	label, hasLabel := f.label, f.label != ""
	id, err := parseID(f.id)
	if err != nil {
		return err
	}
	if len(args) == 1 {
		if !p11uri.Is(args[0]) {
			return usagef("%q is not a PKCS #11 URI; choose by label with --label %q", args[0], args[0])
		}
		u, err := p11uri.Parse(args[0])
		if err != nil {
			return usagef("%s: %v", shownName(args[0]), err)
		}
		if f.label != "" || f.id != "" || f.typ != "" {
			return usagef("give a URI or --label, --id and --type, not both")
		}
		flags.token.uri = u
		if flags.token.name == "" {
			flags.token.name = args[0]
		}
		label, hasLabel = u.Path[p11uri.Object]
		id, f.typ = []byte(u.Path[p11uri.ID]), u.Path[p11uri.Type]
	}
	if hasLabel {
		f.add(ck.CKA_LABEL, []byte(label))
	}
	if len(id) > 0 {
		f.add(ck.CKA_ID, id)
	}
	return f.addType()
}

func (f *selection) add(typ ck.AttributeType, value []byte) {
	f.template = append(f.template, attr.Attribute{Type: typ, Value: value})
}

func (f *selection) addType() error {
	if f.typ == "" {
		return nil
	}
	for _, c := range classes {
		if c.name == f.typ {
			f.add(ck.CKA_CLASS, attr.ULong(uint(c.class)))
			return nil
		}
	}
	return unknown("type", f.typ, nil, "ncrypt11 help list")
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
