// Command keys writes private keys into a directory, PKCS #8 in PEM, a file each: what ncrypt11 inject is measured with.
// usage: keys DIR P256 RSA2048, with the number of keys of each kind
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// kinds are in the order of the arguments.
var kinds = []struct {
	name string
	make func() (crypto.PrivateKey, error)
}{
	{"p256", func() (crypto.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }},
	{"rsa2048", func() (crypto.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }},
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "keys:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1+len(kinds) {
		return fmt.Errorf("usage: keys DIR P256 RSA2048")
	}
	for i, kind := range kinds {
		count, err := strconv.Atoi(args[1+i])
		if err != nil {
			return err
		}
		for n := range count {
			key, err := kind.make()
			if err != nil {
				return err
			}
			if err := write(filepath.Join(args[0], fmt.Sprintf("%s-%05d.pem", kind.name, n)), key); err != nil {
				return err
			}
		}
	}
	return nil
}

func write(name string, key crypto.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}
