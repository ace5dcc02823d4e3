package main

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/keyfile"
	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

// sealFlags say what is sealed for whom.
type sealFlags struct {
	to               []string
	suite            string // the only one; "": any
	trust            trustFlags
	levelSaid        bool // --min-isolation was given: nobody has to be told what the level means
	signWith, output string
	archive          string
	archiveTo        []string
	expires          time.Duration
	key              keyFlags
	passphraseFile   string
	recipients       []age.Recipient
}

func (a *app) injectSealCommand() *cobra.Command {
	var f sealFlags
	cmd := &cobra.Command{
		Use:   "seal --to TARGET KEYFILE...",
		Short: "Seal keys so that only targets can open them",
		Long: "Writes a package with all private keys of the files, and of the files in directories that are named, which only the targets can open. The files may be what\n" +
			"import takes; certificates stay behind. A target must be believed first: by the fingerprint of its TPM, or by that TPM's maker. This needs no token,\n" +
			"no guard and no TPM.",
		Example: `  ncrypt11 inject seal --to target.json --fingerprint 3b0c... --digest 94e1... --nonce 6f1d... --output package keys/
  ncrypt11 inject seal --to a.json --to b.json --fingerprint 3b0c... --fingerprint 71aa... --sign-with server.key \
      --archive keys.age --archive-to age1... --output package site.key`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := filled(cmd, "nonce", "suite", "sign-with", "archive", "passphrase-file"); err != nil {
				return err
			}
			if err := f.check(); err != nil {
				return err
			}
			if f.output == "" && a.onScreen() {
				return usagef("--output names the file for the package, which is nothing to read on a terminal")
			}
			f.levelSaid = cmd.Flags().Changed("min-isolation")
			return a.seal(&f, args)
		},
	}
	f.trust.register(cmd)
	f.key.registerConfined(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.to, "to", nil, "seal to the target of this `FILE`; may be repeated")
	flags.StringVar(&f.suite, "suite", "", "seal to targets of this `SUITE` only, one of "+strings.Join(suiteNames(), ", ")+" (default: what a target has)")
	complete(cmd, "suite", suiteNames)
	flags.StringVar(&f.signWith, "sign-with", "", "sign the package with the private key of a `FILE`, for targets that take it from its sender only")
	flags.StringVar(&f.archive, "archive", "", "also write the keys to `FILE`, encrypted to --archive-to: for who has to recover them")
	flags.StringArrayVar(&f.archiveTo, "archive-to", nil, "who can read the archive, as an age `RECIPIENT` (age1...); may be repeated")
	flags.DurationVar(&f.expires, "expires", 0, "how long the package is taken, as a `TIME` like 24h (default: a week, and no longer than its targets)")
	flags.StringVar(&f.passphraseFile, "passphrase-file", "", "read the passphrase of encrypted files from the first line of `FILE`")
	flags.StringVarP(&f.output, "output", "o", "", "write the package to `FILE` (default: standard output)")
	return cmd
}

// check refuses what makes no sense before anything is read.
func (f *sealFlags) check() error {
	switch {
	case len(f.to) == 0:
		return usagef("--to names the target: a file that ncrypt11 inject target wrote")
	case (f.archive == "") != (len(f.archiveTo) == 0):
		return usagef("--archive and --archive-to belong together")
	case f.suite != "" && inject.Suite(f.suite).Roles() == nil:
		return usagef("--suite is one of %s, not %q", strings.Join(suiteNames(), ", "), f.suite)
	case f.expires < 0:
		return usagef("--expires %v: a package must be taken for some time", f.expires)
	}
	for _, text := range f.archiveTo {
		recipients, err := age.ParseRecipients(strings.NewReader(text))
		if err != nil {
			return usagef("--archive-to %q: %v", text, err)
		}
		f.recipients = append(f.recipients, recipients...)
	}
	if err := f.key.check(); err != nil {
		return err
	}
	return f.trust.read()
}

// seal believes the targets before it reads a key. The archive is there before the package is: no target has a key that nobody can recover.
func (a *app) seal(f *sealFlags, args []string) error {
	names, err := filesOf(args)
	if err != nil {
		return err
	}
	if err := f.spares(names); err != nil {
		return err
	}
	options, done, err := a.sealOptions(f)
	if err != nil {
		return err
	}
	defer done()
	targets, err := a.believe(f, options.Sender)
	if err != nil {
		return err
	}
	found, err := a.keysToSeal(f, names)
	if err != nil {
		return err
	}
	defer found.close()
	if err := a.writeArchive(f, found); err != nil {
		return err
	}
	var id [16]byte
	bar := a.progress("sealing", len(found.keys))
	err = a.writeWhole(f.output, 0o666, func(w io.Writer) (err error) {
		id, err = inject.Seal(w, targets, len(found.keys), found.each(bar.step), options)
		return err
	})
	bar.end()
	if err != nil {
		return errors.Join(err, dropArchive(f))
	}
	return a.showSealed(f, id, targets, found)
}

// sealOptions reads what the flags name. done wipes the sender's key.
func (a *app) sealOptions(f *sealFlags) (o *inject.SealOptions, done func(), err error) {
	o, done = &inject.SealOptions{}, func() {}
	if f.expires > 0 {
		o.Expires = time.Now().Add(f.expires).Truncate(time.Second)
	}
	if f.signWith == "" {
		return o, done, nil
	}
	file, err := a.readKeyFile(f.signWith, f.passphraseFile)
	if err == nil {
		done = file.Wipe
		o.Sender, err = onlySigner(file)
	}
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("%s: %w", f.signWith, err)
	}
	return o, done, nil
}

// believe reads the targets and checks each: also that it will take what this sender signs.
func (a *app) believe(f *sealFlags, sender crypto.Signer) ([]*inject.Target, error) {
	var name []byte
	if sender != nil {
		spki, err := x509.MarshalPKIXPublicKey(sender.Public())
		if err != nil {
			return nil, fmt.Errorf("--sign-with: %w", err)
		}
		name = inject.Fingerprint(spki)
	}
	var targets []*inject.Target
	for _, file := range f.to {
		t, err := a.readTarget(file)
		if err != nil {
			return nil, err
		}
		if _, err := f.trust.check(file, t); err != nil {
			return nil, err
		}
		if t.Stated.Level < guard.Service && !f.levelSaid {
			fmt.Fprintf(a.stderr, "%s: its guard is of level %v: the target's user, who starts it, can get at the keys if he is after them. --min-isolation %v refuses such targets.\n",
				file, t.Stated.Level, guard.Service)
		}
		switch {
		case slices.ContainsFunc(targets, func(other *inject.Target) bool { return other.ID == t.ID }):
			return nil, usagef("%s: --to names this target twice", file)
		case f.suite != "" && t.Suite != inject.Suite(f.suite):
			return nil, fmt.Errorf("%s: the target is %w: it is sealed to by %s, and --suite asks for %s", file, inject.ErrUnfit, t.Suite, f.suite)
		case len(t.Sender) > 0 && sender == nil:
			return nil, fmt.Errorf("%s: it takes packages from one sender only: --sign-with his key, whose public half has the SHA-256 %x", file, t.Sender)
		case len(t.Sender) > 0 && !bytes.Equal(t.Sender, name):
			return nil, fmt.Errorf("%s: the key of --sign-with is not that of the only sender whose packages it takes: %x is, not %x", file, t.Sender, name)
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// onlySigner is the only private key of a file.
func onlySigner(file *keyfile.File) (crypto.Signer, error) {
	if len(file.Keys) != 1 {
		return nil, fmt.Errorf("it has %d private keys; a package is signed with one", len(file.Keys))
	}
	key, ok := file.Keys[0].Private.(crypto.Signer)
	if !ok {
		return nil, errors.New("keys of this type do not sign")
	}
	return key, nil
}

// writeArchive writes the archive, if there is to be one. It replaces none: that may be all that is left of other keys.
func (a *app) writeArchive(f *sealFlags, found *foundKeys) error {
	if f.archive == "" {
		return nil
	}
	if _, err := os.Lstat(f.archive); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: there is something of that name already, and an archive replaces nothing", f.archive)
	}
	return a.writeWhole(f.archive, 0o600, func(w io.Writer) error {
		archive, err := inject.NewArchive(w, f.recipients...)
		if err != nil {
			return err
		}
		for _, key := range found.keys {
			if err := archive.Add(key); err != nil {
				return err
			}
		}
		return archive.Close()
	})
}

// dropArchive removes the archive of keys that were not sent.
func dropArchive(f *sealFlags) error {
	if f.archive == "" {
		return nil
	}
	return os.Remove(f.archive)
}

// sealed is what was sealed, as JSON.
type sealed struct {
	Package string         `json:"package"` // its id
	Targets []*shownTarget `json:"targets"`
	Keys    []*packedKey   `json:"keys"`
	Left    int            `json:"certificates_left"`
}

func (a *app) showSealed(f *sealFlags, id [16]byte, targets []*inject.Target, found *foundKeys) error {
	to := a.stdout
	if f.output == "" || f.output == "-" {
		to = a.stderr
	}
	if a.json && to == a.stdout {
		s := &sealed{Package: hex.EncodeToString(id[:]), Left: found.certificates}
		for _, t := range targets {
			s.Targets = append(s.Targets, describeTarget(t, nil))
		}
		for _, k := range found.keys {
			s.Keys = append(s.Keys, describePacked(&k.Meta))
		}
		return a.printJSON(s)
	}
	if found.certificates > 0 {
		fmt.Fprintf(a.stderr, "Certificates were left out; bring them with: ncrypt11 import\n")
	}
	_, err := fmt.Fprintf(to, "Package %x: %s for %s\n", id, count(len(found.keys), "key"), count(len(targets), "target"))
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// foundKeys are the keys that are to be sealed.
type foundKeys struct {
	keys         []*inject.Key
	certificates int
}

// close wipes the keys.
func (k *foundKeys) close() {
	for _, key := range k.keys {
		key.Plain.Close()
	}
}

// each gives the keys one by one, and calls step after each.
func (k *foundKeys) each(step func()) iter.Seq2[*inject.Key, error] {
	return func(yield func(*inject.Key, error) bool) {
		for _, key := range k.keys {
			if !yield(key, nil) {
				return
			}
			step()
		}
	}
}
