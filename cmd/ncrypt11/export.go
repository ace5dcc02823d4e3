package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// whyNot is why nothing secret is exported.
const whyNot = "private and secret keys stay in the token: neither this command nor any program is given them; --type public exports the public half of a pair"

func (a *app) exportCommand() *cobra.Command {
	var flags sessionFlags
	var which selection
	cmd := &cobra.Command{
		Use:   "export [URI]",
		Short: "Print certificates and public keys",
		Long: "Prints certificates and public keys as PEM, all or those that the flags and the URI choose. Private and secret keys are never printed. A PIN is needed\n" +
			"only for objects that are private.",
		Example: `  ncrypt11 export --label site --type cert >site.crt
  ncrypt11 export 'pkcs11:token=web;object=site;type=public'`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := which.parse(args, &flags); err != nil {
				return err
			}
			return a.withSession(cmd, &flags, access{}, func(s *session) error { return a.export(s, &which) })
		},
	}
	flags.register(a, cmd)
	which.register(cmd)
	return cmd
}

func (a *app) export(s *session, which *selection) error {
	switch which.class {
	case "private", "secret-key":
		return errors.New(whyNot)
	case "data":
		return usagef("--type data: only certificates and public keys are exported")
	}
	found, err := which.find(s)
	if err != nil {
		return err
	}
	var exported []*object
	for _, o := range found {
		if o.pem() != "" {
			exported = append(exported, o)
		}
	}
	switch {
	case len(exported) == 0 && len(found) > 0:
		return errors.New(whyNot)
	case len(exported) == 0:
		return errors.New("there is no such certificate or public key; see: ncrypt11 list")
	case a.json:
		return a.show(s, exported)
	}
	for _, o := range exported {
		fmt.Fprint(a.stdout, o.pem())
	}
	return nil
}

// pem is what an object is when it is exported; empty where that must not or cannot be.
func (o *object) pem() string {
	switch o.Type {
	case "cert":
		return o.Certificate
	case "public":
		return o.PublicKey
	}
	return ""
}
