package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/keyfile"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// keyFlags say what new keys are to be like.
type keyFlags struct {
	label, id   string
	usage       []string
	extractable bool

	idBytes []byte
}

func (f *keyFlags) register(cmd *cobra.Command) {
	f.registerConfined(cmd)
	cmd.Flags().BoolVar(&f.extractable, "extractable", false, "let the key be taken out again, wrapped under another key")
}

// registerConfined is register for keys that can never leave.
func (f *keyFlags) registerConfined(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.label, "label", "", "the `LABEL` of the new objects")
	flags.StringVar(&f.id, "id", "", "the id of the new objects, in `HEX`")
	flags.StringSliceVar(&f.usage, "usage", nil, "what the key is for, each `USAGE` one of sign, sign-recover, decrypt, unwrap, derive, decapsulate (default: all that it can do)")
	complete(cmd, "usage", allUsages)
}

func (f *keyFlags) check() (err error) {
	if f.idBytes, err = parseID(f.id); err != nil {
		return err
	}
	return checkUsages(f.usage)
}

func (a *app) importCommand() *cobra.Command {
	var flags sessionFlags
	var key keyFlags
	var passphraseFile string
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Bring keys and certificates into a token",
		Long: "Brings private keys, public keys and certificates into a token: PEM or DER of PKCS #1, PKCS #8, SEC 1 and X.509, PKCS #12, OpenSSH.\n" +
			"A private key becomes sensitive: nobody can read it again. What belongs together gets the same id, across all files.\n" +
			"The files stay: remove them when programs have been changed over.",
		Example: `  ncrypt11 import --label site server.key server.crt chain.crt
  ncrypt11 import --passphrase-file secret.txt bundle.p12`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := key.check(); err != nil {
				return err
			}
			return a.importFiles(cmd, &flags, &key, passphraseFile, args)
		},
	}
	flags.register(a, cmd)
	key.register(cmd)
	cmd.Flags().StringVar(&passphraseFile, "passphrase-file", "", "read the passphrase of encrypted key files from the first line of `FILE`")
	return cmd
}

// importFiles reads all files before it asks for a PIN or touches the token.
func (a *app) importFiles(cmd *cobra.Command, flags *sessionFlags, key *keyFlags, passphraseFile string, names []string) error {
	var read gathering
	for _, name := range names {
		file, err := a.readKeyFile(name, passphraseFile)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer file.Wipe()
		read.add(name, file)
	}
	if err := oneKeyOnly(read.bundles, key); err != nil {
		return err
	}
	return a.withSession(cmd, flags, access{write: true, login: true}, func(s *session) error {
		made, err := importAll(s, read.bundles, key)
		if err != nil {
			return err
		}
		return a.show(s, made)
	})
}

// oneKeyOnly: a label or an id is for one key. It is not for the chain that comes along with the key.
func oneKeyOnly(bundles []*bundle, key *keyFlags) error {
	if key.label == "" && key.id == "" || len(bundles) < 2 {
		return nil
	}
	private := 0
	for _, b := range bundles {
		if b.private != nil {
			private++
		}
	}
	if private != 1 {
		return usagef("--label and --id are for one key, and the files hold %d: import them one by one", len(bundles))
	}
	return nil
}

func (a *app) readKeyFile(name, passphraseFile string) (*keyfile.File, error) {
	data, err := readAll(name)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	file, err := keyfile.Parse(data.Bytes(), a.passphrase(name, passphraseFile))
	if errors.Is(err, keyfile.ErrPassphraseNeeded) {
		return nil, fmt.Errorf("%w: give it with --passphrase-file", err)
	}
	return file, err
}

// readAll reads a file into memory that is wiped, at once and without copies.
func readAll(name string) (*secret.Bytes, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, errors.Unwrap(err) // the name is said already
	}
	defer f.Close()
	whole := secret.New(room(f))
	defer whole.Close()
	n, err := io.ReadFull(f, whole.Bytes())
	switch {
	case err == nil && n <= keyfile.MaxSize:
		return nil, errors.New("the file grew while it was read")
	case err != nil && err != io.EOF && err != io.ErrUnexpectedEOF:
		return nil, errors.Unwrap(err)
	}
	return secret.Copy(whole.Bytes()[:n]), nil
}

// room is how much memory a file is read into: one byte more than it has, so that too much is seen to be too much. Pipes have no size, and files of the kernel's
// say that it is zero.
func room(f *os.File) int {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > 0 && info.Size() < keyfile.MaxSize {
		return int(info.Size()) + 1
	}
	return keyfile.MaxSize + 1
}

// passphrase is how a key file's passphrase is found; nil where it cannot be.
func (a *app) passphrase(name, file string) func(string) (*secret.Bytes, error) {
	switch {
	case file != "":
		return func(string) (*secret.Bytes, error) { return readLineOf(file) }
	case a.interactive():
		return func(where string) (*secret.Bytes, error) {
			return a.prompt(fmt.Sprintf("Passphrase of %s, %s", name, where))
		}
	}
	return nil
}

// importAll makes the objects of all bundles, or none.
func importAll(s *session, bundles []*bundle, key *keyFlags) ([]*object, error) {
	var made []ck.ObjectHandle
	for _, b := range bundles {
		handles, err := importBundle(s, b, key.of(b, len(bundles)))
		made = append(made, handles...)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", b.file, err), s.destroy(made))
		}
	}
	if len(made) == 0 {
		return nil, errors.New("everything that the files hold is in the token already")
	}
	return s.objects(made)
}

// of is what the flags say of this one of several bundles: label and id are the private key's.
func (f *keyFlags) of(b *bundle, bundles int) *keyFlags {
	if bundles > 1 && b.private == nil {
		return &keyFlags{usage: f.usage}
	}
	return f
}

// destroy undoes what was made.
func (s *session) destroy(handles []ck.ObjectHandle) error {
	var failed []error
	for _, h := range handles {
		failed = append(failed, s.DestroyObject(h))
	}
	return errors.Join(failed...)
}
