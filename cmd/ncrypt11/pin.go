package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// pinChange are the flags of `pin`.
type pinChange struct {
	token  tokenFlag
	old    pinFlags
	fresh  string // --new-pin
	file   string // --new-pin-file
	unlock bool
	soPIN  string
}

func (a *app) pinCommand() *cobra.Command {
	var f pinChange
	cmd := &cobra.Command{
		Use:   "pin",
		Short: "Change the user's PIN, or unlock it",
		Long: "Changes the user's PIN, which takes the old one. With --unlock the security officer sets a new one: where the old one is forgotten, or locked\n" +
			"after too many wrong ones. The keys stay as they are. PINs that are not given are asked for.",
		Example: `  ncrypt11 pin --token web
  ncrypt11 pin --token web --unlock`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd.Flags()); err != nil {
				return err
			}
			return a.changePIN(cmd.Flags(), &f)
		},
	}
	f.token.register(a, cmd)
	f.old.register(cmd)
	flags := cmd.Flags()
	flags.Lookup("pin-stdin").Usage = "read the PIN from a line of standard input, and the new one from the next unless it is given otherwise"
	flags.StringVar(&f.fresh, "new-pin", "", "the new `PIN`")
	flags.StringVar(&f.file, "new-pin-file", "", "read the new PIN from the first line of `FILE`")
	flags.BoolVar(&f.unlock, "unlock", false, "set a new PIN without the old one, as the security officer: the PIN that is asked for or read is the officer's")
	flags.StringVar(&f.soPIN, "so-pin", "", "with --unlock: the security officer's `PIN`")
	atMostOne(cmd, "new-pin", "new-pin-file")
	atMostOne(cmd, "so-pin", "pin-file", "pin-stdin")
	return cmd
}

// check refuses flags that are the other way's.
func (f *pinChange) check(flags *pflag.FlagSet) error {
	switch {
	case f.unlock && flags.Changed("pin"):
		return usagef("--unlock takes the security officer's PIN, --so-pin, and not the user's")
	case !f.unlock && flags.Changed("so-pin"):
		return usagef("--so-pin is for --unlock")
	}
	return nil
}

func (a *app) changePIN(flags *pflag.FlagSet, f *pinChange) error {
	return a.withToken(&f.token, func(p *token.Provider, chosen *present, _ []present) error {
		return a.changePINOf(flags, f, p, chosen)
	})
}

func (a *app) changePINOf(flags *pflag.FlagSet, f *pinChange, p *token.Provider, chosen *present) error {
	if !chosen.needsLogin() {
		return fmt.Errorf("token %s has no user PIN: it was made with --login none", chosen.name())
	}
	old, err := a.oldPIN(flags, f, chosen)
	if err != nil {
		return err
	}
	defer old.Close()
	pin, err := a.newPIN(flags, f, chosen)
	if err != nil {
		return err
	}
	defer pin.Close()
	if f.unlock {
		err = setUserPIN(p, chosen.slot, old, pin)
	} else {
		err = replaceUserPIN(p, chosen.slot, old, pin)
	}
	if err != nil {
		return err
	}
	return a.showChangedPIN(chosen)
}

// oldPIN is what the change takes: the user's PIN, or the security officer's.
func (a *app) oldPIN(flags *pflag.FlagSet, f *pinChange, of *present) (*secret.Bytes, error) {
	if flags.Changed("so-pin") {
		return secret.Copy([]byte(f.soPIN)), nil
	}
	pin, err := f.old.read(flags, a.stdin)
	if err == nil && pin == nil && !f.unlock {
		pin, err = pinOfURI(f.token.name)
	}
	if err != nil || pin != nil {
		return pin, err
	}
	prompt, given := "PIN of ", "--pin-stdin, --pin-file or --pin"
	if f.unlock {
		prompt, given = "Security officer's PIN of ", "--pin-stdin, --pin-file or --so-pin"
	}
	if !a.interactive() {
		return nil, fmt.Errorf("a PIN is needed: give it with %s", given)
	}
	return a.prompt(prompt + display(of.info.Label))
}

func (a *app) newPIN(flags *pflag.FlagSet, f *pinChange, of *present) (*secret.Bytes, error) {
	pin, err := a.givenNewPIN(flags, f, of)
	if err != nil {
		return nil, err
	}
	if err := checkLength(pin, &of.info); err != nil {
		pin.Close()
		return nil, err
	}
	return pin, nil
}

func (a *app) givenNewPIN(flags *pflag.FlagSet, f *pinChange, of *present) (*secret.Bytes, error) {
	switch {
	case flags.Changed("new-pin"):
		return secret.Copy([]byte(f.fresh)), nil
	case f.file != "":
		return readLineOf(f.file)
	case f.old.stdin:
		pin, err := readLine(a.stdin)
		if err != nil {
			return nil, fmt.Errorf("--pin-stdin: the new PIN: %w", err)
		}
		return pin, nil
	case a.interactive():
		return a.promptTwice("New user PIN of " + display(of.info.Label))
	}
	return nil, errors.New("a new PIN is needed: give it with --pin-stdin, --new-pin-file or --new-pin")
}

// setUserPIN sets the user's PIN as the security officer, which unlocks it.
func setUserPIN(p *token.Provider, slot ck.SlotID, officer, user *secret.Bytes) error {
	return withWritable(p, slot, func(s *token.Session) error {
		if err := s.Login(ck.CKU_SO, officer); err != nil {
			return err
		}
		return s.InitPIN(user)
	})
}

// replaceUserPIN sets the user's PIN as the user.
func replaceUserPIN(p *token.Provider, slot ck.SlotID, old, pin *secret.Bytes) error {
	return withWritable(p, slot, func(s *token.Session) error { return s.SetPIN(old, pin) })
}

func withWritable(p *token.Provider, slot ck.SlotID, do func(*token.Session) error) error {
	s, err := openSession(p, slot, ck.CKF_SERIAL_SESSION|ck.CKF_RW_SESSION)
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s)
}

func (a *app) showChangedPIN(of *present) error {
	if a.json {
		return a.printJSON(map[string]string{"token": of.info.Label, "serial": of.info.SerialNumber})
	}
	fmt.Fprintln(a.stdout, "the user PIN of token", of.name(), "is changed")
	return nil
}
