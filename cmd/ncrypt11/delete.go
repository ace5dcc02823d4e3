package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// deleteFlags are those of `delete` beyond what chooses objects.
type deleteFlags struct {
	session sessionFlags
	which   selection
	all     bool
	yes     bool
	soPIN   string
}

func (a *app) deleteCommand() *cobra.Command {
	var f deleteFlags
	cmd := &cobra.Command{
		Use:   "delete [URI]",
		Short: "Delete keys, certificates or a whole token",
		Long: "Deletes the objects that the flags or the URI choose, or with --all the token and everything in it. There is no way back. It asks first:\n" +
			"for a token it wants the token's label typed, or the security officer's PIN.",
		Example: `  ncrypt11 delete --label site
  ncrypt11 delete --token web --all`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.which.parse(args, &f.session); err != nil {
				return err
			}
			switch {
			case f.all && (!f.which.empty() || f.session.token.name == ""):
				return usagef("--all deletes a token: name it with --token, and nothing else")
			case f.all:
				return a.deleteToken(cmd, &f)
			case f.which.empty():
				return usagef("say what to delete: a URI, --label, --id or --type; or a whole token with --token and --all")
			}
			return a.withSession(cmd, &f.session, access{write: true, login: true}, func(s *session) error { return a.deleteObjects(s, &f) })
		},
	}
	f.session.register(a, cmd)
	f.which.register(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.all, "all", false, "delete the whole token")
	flags.BoolVar(&f.yes, "yes", false, "do not ask")
	flags.StringVar(&f.soPIN, "so-pin", "", "with --all: the security officer's `PIN`, in place of the question")
	return cmd
}

func (a *app) deleteObjects(s *session, f *deleteFlags) error {
	doomed, err := f.which.find(s)
	if err != nil {
		return err
	}
	if len(doomed) == 0 {
		return errors.New("there is no such object; see: ncrypt11 list --login")
	}
	if !f.yes {
		err := a.confirm("Delete these? Type yes", "yes", func() error { return printObjects(a.stderr, doomed) })
		if err != nil {
			return err
		}
	}
	for _, o := range doomed {
		if err := s.DestroyObject(o.handle); err != nil {
			return fmt.Errorf("%s: %w", o.URI, err)
		}
	}
	if a.json {
		return a.show(s, doomed)
	}
	for _, o := range doomed {
		fmt.Fprintln(a.stdout, "deleted", o.URI)
	}
	return nil
}

// deleteToken removes a token's files. The security officer's PIN is asked of nobody who owns the files, since they could remove them anyhow:
// what matters is that they mean this token.
func (a *app) deleteToken(cmd *cobra.Command, f *deleteFlags) error {
	return a.withToken(&f.session.token, func(p *token.Provider, chosen *present, _ []present) error {
		return a.deleteChosen(cmd, f, p, chosen)
	})
}

func (a *app) deleteChosen(cmd *cobra.Command, f *deleteFlags, p *token.Provider, chosen *present) error {
	var err error
	switch {
	case cmd.Flags().Changed("so-pin"):
		err = checkOfficer(p, chosen.slot, f.soPIN)
	case !f.yes:
		err = a.confirm(fmt.Sprintf("Delete token %s and all its keys? Type its label", chosen.name()), chosen.info.Label, func() error { return nil })
	}
	if err != nil {
		return err
	}
	if err := a.removeToken(chosen.info.SerialNumber); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]string{"token": chosen.info.Label, "serial": chosen.info.SerialNumber})
	}
	fmt.Fprintln(a.stdout, "deleted token", chosen.name())
	return nil
}

func checkOfficer(p *token.Provider, slot ck.SlotID, text string) error {
	pin := secret.Copy([]byte(text))
	defer pin.Close()
	return withWritable(p, slot, func(s *token.Session) error { return s.Login(ck.CKU_SO, pin) })
}

// confirm goes on when the answer is right. It shows what it is about first.
func (a *app) confirm(question, right string, show func() error) error {
	if !a.interactive() {
		return errors.New("nothing was deleted, because there is nobody to ask: add --yes")
	}
	if err := show(); err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "%s: ", question)
	answer, err := readLine(a.stdin)
	if err != nil {
		return err
	}
	defer answer.Close()
	if strings.TrimSpace(string(answer.Bytes())) != right {
		return errors.New("nothing was deleted")
	}
	return nil
}
