package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/p11uri"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// present is a token that there is.
type present struct {
	slot ck.SlotID
	info ck.TokenInfo
}

func (p *present) needsLogin() bool { return p.info.Flags&ck.CKF_LOGIN_REQUIRED != 0 }

func (p *present) name() string {
	return fmt.Sprintf("%q (serial %s)", p.info.Label, p.info.SerialNumber)
}

// presentTokens lists the initialized tokens that can be used. One that cannot does not stand in the others' way; `status` tells of it.
func presentTokens(p *token.Provider) ([]present, error) {
	slots, err := p.SlotList(true)
	if err != nil {
		return nil, err
	}
	var list []present
	for _, slot := range slots {
		info, err := p.TokenInfo(slot)
		if err == nil && info.Flags&ck.CKF_TOKEN_INITIALIZED != 0 {
			list = append(list, present{slot, info})
		}
	}
	return list, nil
}

// choose gives the token that name says: a label, a serial number, or a URI. Without a name it is the only one.
func choose(list []present, name string) (*present, error) {
	matches := func(*present) bool { return true }
	if name != "" {
		var err error
		if matches, err = matcher(name); err != nil {
			return nil, err
		}
	}
	var found []present
	for _, p := range list {
		if matches(&p) {
			found = append(found, p)
		}
	}
	switch {
	case len(found) == 1:
		return &found[0], nil
	case len(list) == 0:
		return nil, errors.New("there is no token that can be used; make one with: ncrypt11 init --label NAME")
	case len(found) == 0:
		return nil, fmt.Errorf("there is no token %q; there is: %s", shownName(name), names(list))
	case name == "":
		return nil, fmt.Errorf("there are %d tokens; choose one with --token: %s", len(found), names(found))
	}
	return nil, fmt.Errorf("%d tokens are called %q; choose one by its serial number: %s", len(found), shownName(name), names(found))
}

func names(list []present) string {
	all := make([]string, len(list))
	for i := range list {
		all[i] = list[i].name()
	}
	return strings.Join(all, ", ")
}

func matcher(name string) (func(*present) bool, error) {
	if !p11uri.Is(name) {
		return func(p *present) bool { return name == p.info.Label || name == p.info.SerialNumber }, nil
	}
	u, err := p11uri.Parse(name)
	if err != nil {
		return nil, usagef("%s: %v", shownName(name), err)
	}
	return func(p *present) bool { return inURI(u, p) }, nil
}

// inURI says whether the token is one that the URI means (RFC 7512, section 2.5): every attribute of a token or slot that stands in it must agree.
func inURI(u *p11uri.URI, p *present) bool {
	for name, value := range map[string]string{
		p11uri.Token:        p.info.Label,
		p11uri.Serial:       p.info.SerialNumber,
		p11uri.Model:        p.info.Model,
		p11uri.Manufacturer: p.info.ManufacturerID,
		p11uri.SlotID:       strconv.FormatUint(uint64(p.slot), 10),
	} {
		if want, ok := u.Path[name]; ok && want != value {
			return false
		}
	}
	return true
}

// tokenFlag is --token.
type tokenFlag struct {
	name string
	uri  *p11uri.URI // what was named beside it, if that was by a URI
}

// choose gives the token that the flag says. The URI of an object must be of the same token.
func (f *tokenFlag) choose(list []present) (*present, error) {
	chosen, err := choose(list, f.name)
	if err == nil && f.uri != nil && !inURI(f.uri, chosen) {
		return nil, fmt.Errorf("the URI is not of token %s", chosen.name())
	}
	return chosen, err
}

func (f *tokenFlag) register(a *app, cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "token", "", "the `TOKEN`: its label, serial number or URI (default: the only one)")
	complete(cmd, "token", func() []string {
		p, err := a.provider()
		if err != nil {
			return nil
		}
		defer p.Close()
		list, _ := presentTokens(p) // nothing to offer is no failure
		labels := make([]string, len(list))
		for i := range list {
			labels[i] = list[i].info.Label
		}
		return labels
	})
}

// complete gives the shell the values that a flag may have.
func complete(cmd *cobra.Command, flag string, values func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag does not exist
	}
}
