// Command step does with keys in tokens what step-ca and its plugin for keys do, through the library that both use:
//
//	step URI KEY-URI SIGNATURE PUBLIC-KEY
//
// It signs standard input's digest with that key, and makes, uses and deletes keys of its own.
package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"

	"go.step.sm/crypto/kms/apiv1"
	"go.step.sm/crypto/kms/pkcs11"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "step:", err)
		os.Exit(1)
	}
}

func run(uri, key, signatureFile, publicFile string) error {
	kms, err := pkcs11.New(context.Background(), apiv1.Options{Type: apiv1.PKCS11, URI: uri})
	if err != nil {
		return err
	}
	if err := errors.Join(sign(kms, key, signatureFile, publicFile), ownKeys(kms)); err != nil {
		return err
	}
	return kms.Close()
}

func sign(kms *pkcs11.PKCS11, key, signatureFile, publicFile string) error {
	message, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	signer, err := kms.CreateSigner(&apiv1.CreateSignerRequest{SigningKey: key})
	if err != nil {
		return err
	}
	digest := sha256.Sum256(message)
	signature, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return err
	}
	if err := os.WriteFile(signatureFile, signature, 0o644); err != nil {
		return err
	}
	return os.WriteFile(publicFile, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644)
}

// ownKeys makes a key of each kind, signs, and deletes it.
func ownKeys(kms *pkcs11.PKCS11) error {
	for name, algorithm := range map[string]apiv1.SignatureAlgorithm{
		"pkcs11:id=7001;object=step-ec": apiv1.ECDSAWithSHA256, "pkcs11:id=7002;object=step-rsa": apiv1.SHA256WithRSA,
	} {
		made, err := kms.CreateKey(&apiv1.CreateKeyRequest{Name: name, SignatureAlgorithm: algorithm, Bits: 2048})
		if err != nil {
			return fmt.Errorf("making %s: %w", name, err)
		}
		signer, err := kms.CreateSigner(&made.CreateSignerRequest)
		if err != nil {
			return fmt.Errorf("using %s: %w", name, err)
		}
		digest := sha256.Sum256([]byte(name))
		signature, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			return fmt.Errorf("signing with %s: %w", name, err)
		}
		if !verifies(made.PublicKey, digest[:], signature) {
			return fmt.Errorf("the signature of %s is not good", name)
		}
		if err := kms.DeleteKey(name); err != nil {
			return fmt.Errorf("deleting %s: %w", name, err)
		}
		if _, err := kms.GetPublicKey(&apiv1.GetPublicKeyRequest{Name: name}); err == nil {
			return fmt.Errorf("%s is still there", name)
		}
	}
	return nil
}

func verifies(public crypto.PublicKey, digest, signature []byte) bool {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest, signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, signature) == nil
	}
	return false
}
