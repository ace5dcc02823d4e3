package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/wire"
)

func (a *app) provider() (*token.Provider, error) { return wire.Provider(a.getenv) }

// session is an open session with the token that a command acts on.
type session struct {
	*token.Session
	token    *present
	loggedIn bool // private objects are seen
	alone    bool // no other token has this label

	keysUsable *bool // what CKA_NCRYPT_USABLE is of its keys; nil: not asked yet
}

// sessionFlags are the flags of every command that acts on a token.
type sessionFlags struct {
	token tokenFlag
	pin   pinFlags
}

func (f *sessionFlags) register(a *app, cmd *cobra.Command) {
	f.token.register(a, cmd)
	f.pin.register(cmd)
}

// access is what a command wants of its session.
type access struct {
	write bool // a read-write session
	login bool // a login even where no PIN was given: ask for it
}

// withToken lets do use the token that the flag chooses; all are those that there are.
func (a *app) withToken(f *tokenFlag, do func(p *token.Provider, chosen *present, all []present) error) error {
	p, err := a.provider()
	if err != nil {
		return err
	}
	defer p.Close()
	list, err := presentTokens(p)
	if err != nil {
		return err
	}
	chosen, err := f.choose(list)
	if err != nil {
		return err
	}
	return do(p, chosen, list)
}

// withSession opens a session as the flags say, logs in, and lets do use it.
func (a *app) withSession(cmd *cobra.Command, f *sessionFlags, want access, do func(*session) error) error {
	return a.withToken(&f.token, func(p *token.Provider, chosen *present, all []present) error {
		return a.useToken(cmd, f, want, p, chosen, all, do)
	})
}

func (a *app) useToken(cmd *cobra.Command, f *sessionFlags, want access, p *token.Provider, chosen *present, list []present, do func(*session) error) error {
	flags := ck.CKF_SERIAL_SESSION
	if want.write {
		flags |= ck.CKF_RW_SESSION
	}
	opened, err := openSession(p, chosen.slot, flags)
	if err != nil {
		return err
	}
	s := &session{Session: opened, token: chosen, loggedIn: !chosen.needsLogin(), alone: true}
	for i := range list {
		s.alone = s.alone && (list[i].slot == chosen.slot || list[i].info.Label != chosen.info.Label)
	}
	if chosen.needsLogin() && (want.login || f.pin.given(cmd.Flags()) || hasPIN(f.token.name)) {
		if err := a.login(cmd, f, s); err != nil {
			return err
		}
	}
	return do(s)
}

func openSession(p *token.Provider, slot ck.SlotID, flags ck.Flags) (*token.Session, error) {
	handle, err := p.OpenSession(slot, flags)
	if err != nil {
		return nil, err
	}
	return p.Session(handle)
}

// login logs the user in, with a PIN from the flags, from the URI, or from whoever sits there.
func (a *app) login(cmd *cobra.Command, f *sessionFlags, s *session) error {
	pin, err := f.pin.read(cmd.Flags(), a.stdin)
	if err == nil && pin == nil {
		pin, err = pinOfURI(f.token.name)
	}
	if err == nil && pin == nil {
		pin, err = a.askPIN(s.token)
	}
	if err != nil {
		return err
	}
	defer pin.Close()
	if err := s.Login(ck.CKU_USER, pin); err != nil {
		return err
	}
	s.loggedIn = true
	return nil
}

func (a *app) askPIN(p *present) (*secret.Bytes, error) {
	if !a.interactive() {
		return nil, errors.New("a PIN is needed: give it with --pin-stdin, --pin-file or --pin")
	}
	return a.prompt("PIN of " + display(p.info.Label))
}
