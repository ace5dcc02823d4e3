package main

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/mldsa"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// filesOf are the files that arguments mean: themselves, or what is in a directory, in the order of its names. What is hidden is left out, as by a shell.
func filesOf(args []string) ([]string, error) {
	var names []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", arg, errors.Unwrap(err))
		}
		if !info.IsDir() {
			names = append(names, arg)
			continue
		}
		entries, err := os.ReadDir(arg)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", arg, errors.Unwrap(err))
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), ".") && e.Type()&fs.ModeDir == 0 {
				names = append(names, filepath.Join(arg, e.Name()))
			}
		}
	}
	if len(names) == 0 {
		return nil, errors.New("there is no file in what was named")
	}
	return names, nil
}

// spares refuses to write the package over what it is made of, or over the archive: that may be all that there is of a key.
func (f *sealFlags) spares(keys []string) error {
	if f.output == "" || f.output == "-" {
		return nil
	}
	for _, name := range slices.Concat(keys, f.to, f.trust.roots, []string{f.signWith, f.archive, f.passphraseFile}) {
		if name != "" && oneFile(name, f.output) {
			return usagef("--output %s would replace %s, which is needed still", f.output, name)
		}
	}
	return nil
}

// oneFile says whether two names are of one file, or will be.
func oneFile(a, b string) bool {
	one, err := os.Stat(a)
	other, also := os.Stat(b)
	return filepath.Clean(a) == filepath.Clean(b) || err == nil && also == nil && os.SameFile(one, other)
}

// keysToSeal reads the private keys of all files, each once. The files' own parts of them are wiped before this returns.
func (a *app) keysToSeal(f *sealFlags, names []string) (*foundKeys, error) {
	var read gathering
	bar := a.progress("reading", len(names))
	defer bar.end()
	for _, name := range names {
		file, err := a.readKeyFile(name, f.passphraseFile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		defer file.Wipe()
		read.add(name, file)
		bar.step()
	}
	if err := oneKeyOnly(read.bundles, &f.key); err != nil {
		return nil, err
	}
	found := &foundKeys{}
	for _, b := range read.bundles {
		found.certificates += len(b.certificates)
		if b.private == nil {
			continue
		}
		key, err := f.keyOf(b)
		if err != nil {
			found.close()
			return nil, fmt.Errorf("%s: %w", b.file, err)
		}
		found.keys = append(found.keys, key)
	}
	if len(found.keys) == 0 {
		return nil, errors.New("there is no private key in these files")
	}
	return found, nil
}

// keyOf makes a bundle's private key ready to be sealed, with the same label and id that import would give it.
func (f *sealFlags) keyOf(b *bundle) (*inject.Key, error) {
	public, der, err := sealable(b.private)
	if err != nil {
		return nil, err
	}
	plain := secret.From(der)
	meta, err := inject.Describe(public)
	if err != nil {
		plain.Close()
		return nil, err
	}
	meta.Label, meta.ID = f.key.label, f.key.idBytes
	if meta.Label == "" {
		meta.Label = b.label()
	}
	if len(meta.ID) == 0 {
		meta.ID = b.id()
	}
	if len(f.key.usage) > 0 {
		meta.Usage = packedUsage(f.key.usage)
	}
	return &inject.Key{Meta: meta, Plain: plain}, nil
}

// sealable gives a private key as packages carry it: its public half, and its PrivateKeyInfo (RFC 5958) in DER, for the caller to wipe.
func sealable(private crypto.PrivateKey) (crypto.PublicKey, []byte, error) {
	if key, ok := private.(*mldsa.PrivateKey); ok {
		return sealableMLDSA(key)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	return private.(interface{ Public() crypto.PublicKey }).Public(), der, err
}

// sealableMLDSA writes the key as its seed (RFC 9881, section 6), which x509 does not.
func sealableMLDSA(key *mldsa.PrivateKey) (crypto.PublicKey, []byte, error) {
	for _, set := range pubkey.MLDSAs() {
		if set.Parameters != key.PublicKey().Parameters() {
			continue
		}
		public, err := set.PublicKey(key.PublicKey().Bytes())
		if err != nil {
			return nil, nil, err
		}
		seed := key.Bytes()
		defer secret.Wipe(seed)
		choice, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, Bytes: seed})
		if err != nil {
			return nil, nil, err
		}
		defer secret.Wipe(choice)
		der, err := asn1.Marshal(privateKeyInfo{Algorithm: asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: set.OID}, Key: choice})
		return public, der, err
	}
	return nil, nil, fmt.Errorf("a key of %v", key.PublicKey().Parameters())
}

// privateKeyInfo is OneAsymmetricKey of RFC 5958, section 2, without its optional parts.
type privateKeyInfo struct {
	Version   int
	Algorithm asn1.RawValue
	Key       []byte
}
