package main

import (
	"crypto/rand"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

func (a *app) generateCommand() *cobra.Command {
	var flags sessionFlags
	var key keyFlags
	var certify certifyFlags
	cmd := &cobra.Command{
		Use:   "generate TYPE",
		Short: "Make a key in a token",
		Long: "Makes a key that has never been outside of the token. TYPE is one of rsa2048, rsa3072, rsa4096, rsa:BITS, p256, p384, p521, ed25519,\n" +
			"x25519, ml-dsa-44, ml-dsa-65, ml-dsa-87, ml-kem-768, ml-kem-1024, aes128, aes192, aes256, hmac (256 bits), hmac:BITS, generic:BITS.\n" +
			"A key pair becomes two objects; with --self-signed three: programs in Java see a key only where there is a certificate of it.",
		Example: `  ncrypt11 generate p256 --label signer
  ncrypt11 generate rsa:6144 --id 01 --usage sign
  ncrypt11 generate rsa3072 --label site --self-signed --dns www.example.org`,
		Args: arguments(cobra.ExactArgs(1)),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return kindNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := parseKind(args[0])
			if err != nil {
				return err
			}
			if err := key.check(); err != nil {
				return err
			}
			if key.label == "" {
				key.label = k.name
			}
			if err := certify.checkFor(cmd, k, &key); err != nil {
				return err
			}
			return a.withSession(cmd, &flags, access{write: true, login: true}, func(s *session) error { return a.generate(s, k, &key, &certify) })
		},
	}
	flags.register(a, cmd)
	key.register(cmd)
	certify.register(cmd, "make a certificate too, which the key itself signs")
	return cmd
}

// checkFor refuses a certificate for a key that could not sign it.
func (f *certifyFlags) checkFor(cmd *cobra.Command, k *kind, key *keyFlags) error {
	switch {
	case f.selfSigned && !k.signs():
		return usagef("--self-signed is for keys that sign: RSA, P-256, P-384, P-521 and Ed25519, not %s", k.name)
	case f.selfSigned && len(key.usage) > 0 && !slices.Contains(key.usage, "sign"):
		return usagef("--self-signed needs a key that may sign: add sign to --usage")
	}
	return f.check(cmd, false)
}

func (a *app) generate(s *session, k *kind, key *keyFlags, certify *certifyFlags) error {
	generate := generateSecret
	switch {
	case certify.selfSigned:
		generate = certify.generatePair
	case k.pair:
		generate = generatePair
	}
	handles, err := generate(s, k, key)
	if err != nil {
		return err
	}
	made, err := s.objects(handles)
	if err != nil {
		return err
	}
	return a.show(s, made)
}

// generateSecret names a secret key at random: a name that is made from it would say something of it.
func generateSecret(s *session, k *kind, key *keyFlags) ([]ck.ObjectHandle, error) {
	id := key.idBytes
	if len(id) == 0 {
		id = make([]byte, 16)
		_, _ = rand.Read(id) // never fails: crypto/rand ends the program instead
	}
	t := withUsages(guarded(named(ck.CKO_SECRET_KEY, key.label, id), key.extractable), ck.CKO_SECRET_KEY, key.usage)
	h, err := s.GenerateKey(ck.Mechanism{Type: k.mechanism}, append(t, k.size))
	return []ck.ObjectHandle{h}, err
}

// generatePair makes a key pair and the certificate of it, or neither.
func (f *certifyFlags) generatePair(s *session, k *kind, key *keyFlags) ([]ck.ObjectHandle, error) {
	subject, err := f.name(key.label)
	if err != nil {
		return nil, err
	}
	handles, err := generatePair(s, k, key)
	if err != nil {
		return nil, err
	}
	certificate, err := s.selfSign(f, handles, subject)
	if err != nil {
		return nil, errors.Join(err, s.destroy(handles))
	}
	return append(handles, certificate), nil
}

// generatePair names a key pair after it is there, because the name is made from the public half.
func generatePair(s *session, k *kind, key *keyFlags) ([]ck.ObjectHandle, error) {
	public := withUsages(named(ck.CKO_PUBLIC_KEY, key.label, key.idBytes), ck.CKO_PUBLIC_KEY, key.usage)
	private := withUsages(guarded(named(ck.CKO_PRIVATE_KEY, key.label, key.idBytes), key.extractable), ck.CKO_PRIVATE_KEY, key.usage)
	publicHandle, privateHandle, err := s.GenerateKeyPair(ck.Mechanism{Type: k.mechanism}, append(public, k.size), private)
	if err != nil {
		return nil, err
	}
	handles := []ck.ObjectHandle{privateHandle, publicHandle}
	if len(key.idBytes) > 0 {
		return handles, nil
	}
	if err := s.nameByPublic(publicHandle, handles); err != nil {
		return nil, errors.Join(err, s.destroy(handles))
	}
	return handles, nil
}

// nameByPublic gives objects the id that belongs to the public key.
func (s *session) nameByPublic(public ck.ObjectHandle, objects []ck.ObjectHandle) error {
	set, err := s.attributes(public, ck.CKA_PUBLIC_KEY_INFO)
	if err != nil {
		return err
	}
	spki, _ := set.Get(ck.CKA_PUBLIC_KEY_INFO)
	key, err := pubkey.ParseSPKI(spki)
	if err != nil {
		return err
	}
	id, _ := keyID(key)
	for _, h := range objects {
		if err := s.SetAttributes(h, attr.Template{{Type: ck.CKA_ID, Value: id}}); err != nil {
			return err
		}
	}
	return nil
}
