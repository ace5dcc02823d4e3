package main

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/inject/target"
)

// targetFlags say what target to make.
type targetFlags struct {
	label, suite, nonce, sender, output string
	keys                                []string
	expires                             time.Duration
}

func (a *app) injectTargetCommand() *cobra.Command {
	var flags sessionFlags
	var f targetFlags
	suite := choice{&f.suite, "suite", suiteNames(), "the `SUITE`: how keys are sealed"}
	cmd := &cobra.Command{
		Use:   "target",
		Short: "Make a token ready to be sent keys",
		Long: "Makes keys that packages can be sealed to, in a token whose keys are isolated, and writes a file for the server: what the guard says of these keys, and the\n" +
			"TPM's word for it. There is no secret in it. The keys go with the first import. Prints the TPM's fingerprint, for a server that does not know the TPM by\n" +
			"its maker: bring it there on a way that nobody else writes on.",
		Example: `  ncrypt11 inject target --output target.json
  ncrypt11 inject target --nonce 6f1d... --expires 1h --sender server.pub --output target.json`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(filled(cmd, "nonce", "sender"), suite.check()); err != nil {
				return err
			}
			o, err := a.targetOptions(&f)
			if err != nil {
				return err
			}
			return a.withSession(cmd, &flags, access{write: true, login: true}, func(s *session) error { return a.makeTarget(s, &f, o) })
		},
	}
	flags.register(a, cmd)
	suite.register(cmd)
	fs := cmd.Flags()
	fs.StringVar(&f.label, "label", "", "how the `LABEL` of the keys that are made begins (default: inject and a part of the target's id)")
	fs.StringArrayVar(&f.keys, "key", nil, "take this `KEY` of the token, a label or a URI, in place of a new one; may be repeated, for suites of two keys")
	fs.StringVar(&f.nonce, "nonce", "", "what the server wants to find in the file, in `HEX`: so it knows that the file is new")
	fs.DurationVar(&f.expires, "expires", 24*time.Hour, "how long packages are taken, as a `TIME` like 24h")
	fs.StringVar(&f.sender, "sender", "", "take packages only that are signed with this public key, of a `FILE`")
	fs.StringVarP(&f.output, "output", "o", "", "write the target file to `FILE` (default: standard output)")
	return cmd
}

func suiteNames() []string {
	var names []string
	for _, s := range inject.Suites() {
		names = append(names, string(s))
	}
	return names
}

// targetOptions reads what the flags name.
func (a *app) targetOptions(f *targetFlags) (*target.Options, error) {
	o := &target.Options{Suite: inject.Suite(f.suite), Label: f.label}
	var err error
	if o.Nonce, err = parseNonce(f.nonce); err != nil {
		return nil, err
	}
	if f.expires < time.Second {
		return nil, usagef("--expires %v: packages must be taken for a second at least", f.expires)
	}
	o.Expires = time.Now().Add(f.expires).Truncate(time.Second)
	if f.sender != "" {
		if o.Sender, err = a.senderOf(f.sender); err != nil {
			return nil, fmt.Errorf("%s: %w", f.sender, err)
		}
	}
	return o, nil
}

// senderOf names the sender whose public key, or certificate, a file has.
func (a *app) senderOf(name string) ([]byte, error) {
	file, err := a.readKeyFile(name, "")
	if err != nil {
		return nil, err
	}
	defer file.Wipe()
	publics := file.PublicKeys
	for _, cert := range file.Certificates {
		publics = append(publics, crypto.PublicKey(cert.PublicKey))
	}
	if len(publics) == 0 {
		return nil, errors.New("there is no public key in it, and no certificate; openssl pkey -pubout writes one")
	}
	spki, err := x509.MarshalPKIXPublicKey(publics[0]) // of a chain, the first certificate is the one that it is about
	if err != nil {
		return nil, err
	}
	return inject.Fingerprint(spki), nil
}

func (a *app) makeTarget(s *session, f *targetFlags, o *target.Options) (err error) {
	if o.Keys, err = s.keysFor(o.Suite, f.keys); err != nil {
		return err
	}
	t, err := target.Make(s.Session, o)
	if err != nil {
		return err
	}
	var identity *attest.Identity
	text, err := t.Encode()
	if err == nil {
		identity, err = identityOf(t)
	}
	if err == nil {
		err = a.writeWhole(f.output, 0o666, func(w io.Writer) error { _, err := w.Write(text); return err })
	}
	if err != nil {
		return errors.Join(err, target.Remove(s.Session, t.ID))
	}
	return a.showTarget(t, identity, f.output)
}

// identityOf checks a target as a server will, and gives the TPM's identity, which nobody has to vouch for here.
func identityOf(t *inject.Target) (*attest.Identity, error) {
	_, err := t.Check(attest.Trust{}, time.Now(), nil)
	var unknown *attest.UntrustedError
	if errors.As(err, &unknown) {
		_, err = t.Check(attest.Trust{Fingerprints: [][32]byte{unknown.Identity.EKFingerprint}}, time.Now(), nil)
	}
	if err != nil {
		return nil, fmt.Errorf("no server would take this target: %w", err)
	}
	return unknown.Identity, nil
}
