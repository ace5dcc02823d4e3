// Command sign is what a Go program does with a key in a token: it finds the key by its label through crypto11, and has a crypto.Signer.
//
//	sign MODULE TOKEN KEY FILE SIGNATURE     the PIN comes in PIN
package main

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"

	"github.com/ThalesIgnite/crypto11"
)

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: PIN=... sign MODULE TOKEN KEY FILE SIGNATURE")
		os.Exit(2)
	}
	if err := sign(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]); err != nil {
		fmt.Fprintln(os.Stderr, "sign:", err)
		os.Exit(1)
	}
}

func sign(module, token, key, file, signature string) error {
	c, err := crypto11.Configure(&crypto11.Config{Path: module, TokenLabel: token, Pin: os.Getenv("PIN")})
	if err != nil {
		return err
	}
	defer c.Close()
	signer, err := c.FindKeyPair(nil, []byte(key))
	if err != nil {
		return err
	}
	if signer == nil {
		return fmt.Errorf("there is no key %q in token %q", key, token)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(data)
	signed, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return err
	}
	return os.WriteFile(signature, signed, 0o644)
}
