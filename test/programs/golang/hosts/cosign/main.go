// Command cosign signs a file with a key in a token, through the code that cosign itself has for it, and asks for the PIN as cosign does:
//
//	cosign URI FILE SIGNATURE PUBLIC-KEY
package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"

	"github.com/sigstore/cosign/v2/pkg/cosign/pkcs11key"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "cosign:", err)
		os.Exit(1)
	}
}

func run(uri, file, signatureFile, publicFile string) error {
	config := pkcs11key.NewPkcs11UriConfig()
	if err := config.Parse(uri); err != nil {
		return err
	}
	key, err := pkcs11key.GetKeyWithURIConfig(config, true)
	if err != nil {
		return err
	}
	defer key.Close()
	message, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	signature, _, err := key.Sign(context.Background(), message)
	if err != nil {
		return err
	}
	public, err := key.PublicKey()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	if err := os.WriteFile(signatureFile, signature, 0o644); err != nil {
		return err
	}
	return os.WriteFile(publicFile, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644)
}
