package main

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/target"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

func (a *app) injectImportCommand() *cobra.Command {
	var flags sessionFlags
	var label string
	var keep bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Open a package in the token that it was sealed to",
		Long: "Brings all keys of a package into the token, or none: they are opened in the guard, and no program sees them. A package is taken once. The keys that it\n" +
			"was sealed to go, and with them every other package for them, unless they are to be kept.",
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.readPackage(args[0])
			if err != nil {
				return err
			}
			o := &target.ImportOptions{Keep: keep}
			if o.Rename, err = renaming(cmd, label, p); err != nil {
				return err
			}
			return a.withSession(cmd, &flags, access{write: true, login: true}, func(s *session) error { return a.openPackage(s, p, o) })
		},
	}
	flags.register(a, cmd)
	cmd.Flags().StringVar(&label, "label", "", "the `LABEL` of the key, where the package has one only (default: as the package says)")
	cmd.Flags().BoolVar(&keep, "keep-target", false, "keep the keys that the package was sealed to, for more packages")
	return cmd
}

// readPackage reads a package whole.
func (a *app) readPackage(name string) (*inject.Package, error) {
	f, err := a.openInput(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	if startsTarget(r) {
		return nil, fmt.Errorf("%s: it is a target file, which a server seals to; import takes the package that ncrypt11 inject seal wrote", name)
	}
	p, err := inject.ReadPackage(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// renaming is what --label does.
func renaming(cmd *cobra.Command, label string, p *inject.Package) (func(int, *inject.Meta) string, error) {
	switch {
	case !cmd.Flags().Changed("label"):
		return nil, nil
	case len(p.Keys) != 1:
		return nil, usagef("--label is for one key, and the package has %d", len(p.Keys))
	}
	return func(int, *inject.Meta) string { return label }, nil
}

func (a *app) openPackage(s *session, p *inject.Package, o *target.ImportOptions) error {
	bar := a.progress("importing", len(p.Keys))
	o.Opened = bar.step
	imported, err := target.Import(s.Session, p, o)
	bar.end()
	if err != nil {
		return importFailure(s, err)
	}
	handles := make([]ck.ObjectHandle, len(imported))
	for i := range imported {
		handles[i] = imported[i].Private
	}
	objects, err := s.objects(handles)
	if err != nil {
		return err
	}
	if len(p.Sender) == 0 {
		fmt.Fprintln(a.stderr, "Nobody signed the package: whoever had the target file may have sent keys that he knows. See ncrypt11 inject target --sender.")
	}
	return a.show(s, objects)
}

// importFailure adds what to do.
func importFailure(s *session, err error) error {
	if errors.Is(err, inject.ErrOtherTarget) {
		return fmt.Errorf("%w; token %s has other targets, or none: see ncrypt11 inject list", err, s.token.name())
	}
	return err
}
