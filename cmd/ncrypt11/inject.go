package main

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

func (a *app) injectCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inject",
		Short: "Bring keys from a server into tokens on other machines",
		Long: "Seals keys on a server so that only the guard of one token on another machine can open them: nobody on the way sees them, nor does a program on that\n" +
			"machine. The target makes keys that packages are sealed to, and has its TPM vouch for them; the server checks that, and seals; the target imports.",
		Example: `  ncrypt11 inject target --nonce 6f1d... --output target.json     # on the target
  ncrypt11 inject seal --to target.json --nonce 6f1d... --fingerprint 3b0c... --digest 94e1... --output package site.key     # on the server
  ncrypt11 inject import package     # on the target`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknown("command", "inject "+args[0], cmd.SuggestionsFor(args[0]), "ncrypt11 help inject")
		},
	}
	cmd.AddCommand(a.injectTargetCommand(), a.injectSealCommand(), a.injectImportCommand(), a.injectShowCommand(), a.injectListCommand(), a.injectRemoveCommand())
	return cmd
}

// trustFlags say which targets a server believes.
type trustFlags struct {
	roots, fingerprints []string
	digests             []string
	nonce, isolation    string

	least      guard.Level
	trust      attest.Trust
	nonceBytes []byte
	only       [][32]byte // digests; none: of any target
}

func (f *trustFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.roots, "roots", nil, "believe every TPM whose maker's certificate is in `FILE` (PEM); may be repeated")
	flags.StringArrayVar(&f.fingerprints, "fingerprint", nil, "believe the TPM with this fingerprint, in `HEX`, which inject target prints; may be repeated. With --roots, both must hold")
	flags.StringArrayVar(&f.digests, "digest", nil, "the target's digest, in `HEX`, which inject target prints: it is that target, and no other of its machine; may be repeated, for each target")
	f.levels().register(cmd)
	flags.StringVar(&f.nonce, "nonce", "", "the nonce that the target was told, in `HEX`: it was made since")
}

// levels are those of guards that isolate.
func (f *trustFlags) levels() choice {
	words := []string{guard.Process.String(), guard.Service.String(), guard.VM.String()}
	return choice{&f.isolation, "min-isolation", words, "the least `LEVEL` of a target's guard"}
}

// read gets the certificates.
func (f *trustFlags) read() (err error) {
	if err := f.levels().check(); err != nil {
		return err
	}
	f.least, _ = guard.ParseLevel(f.isolation) // it was checked
	if f.nonceBytes, err = parseNonce(f.nonce); err != nil {
		return err
	}
	if f.trust.Fingerprints, err = parseDigests("fingerprint", f.fingerprints); err != nil {
		return err
	}
	if f.only, err = parseDigests("digest", f.digests); err != nil {
		return err
	}
	for _, name := range f.roots {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if f.trust.EKRoots == nil {
			f.trust.EKRoots = x509.NewCertPool()
		}
		if !f.trust.EKRoots.AppendCertsFromPEM(data) {
			return fmt.Errorf("%s: there is no certificate in it (PEM)", name)
		}
	}
	return nil
}

// given says whether anything is to be believed.
func (f *trustFlags) given() bool { return f.trust.EKRoots != nil || len(f.trust.Fingerprints) > 0 }

// trusts are what a target's TPM has to be believed by, each of them: somebody who says which machine it is, and whose TPMs are any good, means both.
func (f *trustFlags) trusts() []attest.Trust {
	if f.trust.EKRoots == nil || len(f.trust.Fingerprints) == 0 {
		return []attest.Trust{f.trust}
	}
	return []attest.Trust{{Fingerprints: f.trust.Fingerprints}, {EKRoots: f.trust.EKRoots}}
}

// check checks a target. Of a TPM that is not known it says how it becomes known.
func (f *trustFlags) check(name string, t *inject.Target) (identity *attest.Identity, err error) {
	for _, trust := range f.trusts() {
		if identity, err = t.Check(trust, time.Now(), f.nonceBytes); err != nil {
			break
		}
	}
	var untrusted *attest.UntrustedError
	switch {
	case errors.As(err, &untrusted) && !f.given():
		return untrusted.Identity, fmt.Errorf("%s: nothing says that this TPM is to be believed: give --roots with the certificates of its maker; or, if %s is what "+
			"ncrypt11 inject target printed on the machine itself, --fingerprint with that", name, fingerprintOf(untrusted.Identity))
	case err != nil:
		return identity, fmt.Errorf("%s: %w", name, err)
	case len(f.only) > 0 && !slices.Contains(f.only, t.Digest()):
		return identity, fmt.Errorf("%s: the target is %w: its digest is %x, which is none of those that --digest names: somebody else may have made it, on the same machine", name,
			inject.ErrUntrusted, t.Digest())
	case t.Stated.Level < f.least:
		return identity, fmt.Errorf("%s: the target is %w: its guard is of level %v, and has to be of %v, unless --min-isolation says otherwise", name, inject.ErrUnfit, t.Stated.Level, f.least)
	}
	return identity, nil
}

// fingerprintOf is the one by which people know a TPM: that of its endorsement key, since it is this key that opens.
func fingerprintOf(id *attest.Identity) string { return hex.EncodeToString(id.EKFingerprint[:]) }

// parseDigests reads what a flag was given, each time a SHA-256.
func parseDigests(flag string, texts []string) (digests [][32]byte, err error) {
	for _, text := range texts {
		digits, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
		if err != nil || len(digits) != 32 {
			return nil, usagef("--%s %q is not %d bytes in hexadecimal", flag, text, 32)
		}
		digests = append(digests, [32]byte(digits))
	}
	return digests, nil
}

// maxNonce is what a guard states at most.
const maxNonce = 64

// parseNonce: none is nil.
func parseNonce(text string) ([]byte, error) {
	nonce, err := hex.DecodeString(text)
	if err != nil || len(nonce) > maxNonce {
		return nil, usagef("--nonce %q is not up to %d bytes in hexadecimal", text, maxNonce)
	}
	if len(nonce) == 0 {
		return nil, nil
	}
	return nonce, nil
}

// readTarget reads a target file.
func (a *app) readTarget(name string) (*inject.Target, error) {
	f, err := a.openInput(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseTarget(name, f)
}

// openInput opens a file to read; "-" is standard input.
func (a *app) openInput(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.stdin), nil
	}
	return os.Open(name)
}
