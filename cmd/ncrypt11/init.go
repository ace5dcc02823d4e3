package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// initFlags say what the new token is to be like.
type initFlags struct {
	label, policy, login, scope, lifetime string
	allow                                 []string
	semantics                             string
	uniqueNames, ncryptCodes              bool
	profile                               string
	allowImport                           []string
	pin, soPIN                            string
	stdin                                 bool
}

// What holds where a program does not say: as PKCS #11 has it, or as NCrypt has it, where keys are sensitive, not extractable, and named once.
const (
	semanticsPKCS11 = "pkcs11"
	semanticsNCrypt = "ncrypt"
)

// The profiles: what a token is for.
const (
	profileGeneral   = "general"
	profileSmartCard = "smart-card"
)

// initChoices are the flags that take one of a few words. The first word is the default.
func initChoices(f *initFlags) []choice {
	return []choice{
		{&f.policy, "policy", []string{store.PolicyVBSPreferred, store.PolicyVBSRequired, store.PolicySoftware}, "the `POLICY`: where the token's keys may be"},
		{&f.login, "login", []string{store.LoginPIN, store.LoginNone}, "the `LOGIN`: what it takes to use private objects"},
		{&f.scope, "scope", []string{string(config.User), string(config.Machine)}, "the `SCOPE`: whose token it is"},
		{&f.semantics, "semantics", []string{semanticsPKCS11, semanticsNCrypt}, "the `SEMANTICS` of what a program does not say of its keys"},
		{&f.profile, "profile", []string{profileGeneral, profileSmartCard}, "the `PROFILE`: whether private keys come in from outside only where it is allowed"},
		{&f.lifetime, "lifetime", []string{crossBoot, perBoot}, "the `LIFETIME`: how long the token's keys live"},
	}
}

func (a *app) initCommand() *cobra.Command {
	var f initFlags
	choices := initChoices(&f)
	cmd := &cobra.Command{
		Use:   "init --label LABEL",
		Short: "Make a token",
		Long: "Makes a token. With a login, it has two PINs: the user's, which programs log in with, and that of the security officer (SO), who can\n" +
			"give the user a new one. PINs that are not given are asked for.",
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd, choices); err != nil {
				return err
			}
			return a.init(cmd, &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.label, "label", "", "the token's `LABEL`, up to 32 bytes")
	for _, c := range choices {
		c.register(cmd)
	}
	flags.StringArrayVar(&f.allow, "allow", nil, "with --scope machine: `WHO` else may use the token's keys, as user:NAME, user:UID, group:NAME or group:GID; may be repeated")
	flags.BoolVar(&f.uniqueNames, "unique-names", false, "refuse a second key of the same label; always so with --semantics ncrypt")
	flags.BoolVar(&f.ncryptCodes, "ncrypt-codes", false, "for programs that know them: return values of ncrypt11's own (CKR_NCRYPT_...) where PKCS #11 has none")
	flags.StringSliceVar(&f.allowImport, "allow-import", nil, "with --profile smart-card: the `ROLES` of private keys that may come in from outside, exchange or signature or both")
	complete(cmd, "allow-import", roleWords)
	flags.StringVar(&f.pin, "pin", "", "the user's `PIN` (others can see it in the list of processes)")
	flags.StringVar(&f.soPIN, "so-pin", "", "the security officer's `PIN`")
	flags.BoolVar(&f.stdin, "pin-stdin", false, "read the user's PIN and the security officer's from two lines of standard input")
	atMostOne(cmd, "pin", "pin-stdin")
	atMostOne(cmd, "so-pin", "pin-stdin")
	return cmd
}

// check refuses what makes no sense, and what this version cannot keep the promise of.
func (f *initFlags) check(cmd *cobra.Command, choices []choice) error {
	if f.label == "" {
		return usagef("a token needs a label: ncrypt11 init --label NAME")
	}
	for _, c := range choices {
		if err := c.check(); err != nil {
			return err
		}
	}
	switch {
	case len(f.allowImport) > 0 && f.profile != profileSmartCard:
		return usagef("--allow-import is for --profile smart-card: other tokens take in all keys")
	case f.profile == profileSmartCard && cmd.Flags().Changed("semantics") && f.semantics != semanticsNCrypt:
		return usagef("a token with --profile smart-card has --semantics ncrypt")
	case len(f.allow) > 0 && f.scope != string(config.Machine):
		return usagef("--allow is for --scope machine: a user's token is that user's alone")
	case f.login == store.LoginNone && (cmd.Flags().Changed("pin") || f.stdin):
		return usagef("a token with --login none has no user PIN")
	}
	return nil
}

func (a *app) init(cmd *cobra.Command, f *initFlags) error {
	allow, err := parseAllow(f.allow)
	if err != nil {
		return err
	}
	imports, err := parseRoles(f.allowImport)
	if err != nil {
		return err
	}
	p, err := a.provider()
	if err != nil {
		return err
	}
	defer p.Close()
	existing, err := presentTokens(p)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(existing, func(t present) bool { return t.info.Label == f.label }); i >= 0 {
		return fmt.Errorf("there is already a token %s; choose another label", existing[i].name())
	}
	pins, err := a.initPINs(cmd, f)
	if err != nil {
		return err
	}
	defer pins.close()
	if err := pins.check(p); err != nil {
		return err
	}
	spec := &token.Spec{
		Label: f.label, Policy: f.policy, NoLogin: f.login == store.LoginNone, Scope: config.Scope(f.scope), PerBoot: f.lifetime == perBoot, Allow: allow,
		UniqueNames: f.uniqueNames, NCrypt: f.semantics == semanticsNCrypt, NCryptCodes: f.ncryptCodes, SmartCard: f.profile == profileSmartCard, AllowImport: imports,
	}
	return a.createToken(p, spec, pins)
}

// createToken makes the token whole or not at all.
func (a *app) createToken(p *token.Provider, spec *token.Spec, pins *initialPINs) error {
	slot, err := p.Create(spec, pins.officer)
	if err != nil {
		return err
	}
	info, err := p.TokenInfo(slot)
	if err == nil && pins.user != nil {
		err = setUserPIN(p, slot, pins.officer, pins.user)
	}
	if err == nil && len(spec.Allow) > 0 {
		err = a.shareToken(info.SerialNumber)
	}
	if err != nil {
		return errors.Join(err, a.removeToken(info.SerialNumber))
	}
	return a.showMade(info.SerialNumber)
}

// initialPINs are the PINs of a new token, nil where it has none.
type initialPINs struct{ user, officer *secret.Bytes }

func (p *initialPINs) close() {
	p.user.Close()
	p.officer.Close()
}

// check refuses PINs that the token would, before there is one.
func (p *initialPINs) check(provider *token.Provider) error {
	slots, err := provider.SlotList(false)
	if err != nil {
		return err
	}
	info, err := provider.TokenInfo(slots[len(slots)-1]) // there is always a slot for a new token, and it is the last
	if err != nil {
		return err
	}
	for _, pin := range []*secret.Bytes{p.user, p.officer} {
		if pin == nil {
			continue
		}
		if err := checkLength(pin, &info); err != nil {
			return err
		}
	}
	return nil
}

// initPINs gets the PINs.
func (a *app) initPINs(cmd *cobra.Command, f *initFlags) (*initialPINs, error) {
	pins := &initialPINs{}
	for _, pin := range []struct {
		to          **secret.Bytes
		flag, value string
		prompt      string
		wanted      bool
	}{
		{&pins.user, "pin", f.pin, "User PIN of the new token", f.login == store.LoginPIN},
		{&pins.officer, "so-pin", f.soPIN, "Security officer's PIN of the new token", f.login == store.LoginPIN},
	} {
		var err error
		switch {
		case cmd.Flags().Changed(pin.flag):
			*pin.to = secret.Copy([]byte(pin.value))
		case !pin.wanted:
			continue
		case f.stdin:
			*pin.to, err = readLine(a.stdin)
		case a.interactive():
			*pin.to, err = a.promptTwice(pin.prompt)
		default:
			err = usagef("a token with --login pin needs two PINs: give --pin and --so-pin, or --pin-stdin with a line for each")
		}
		if err != nil {
			pins.close()
			return nil, err
		}
	}
	return pins, nil
}
