package snippet

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// OpenSSH is the public key as OpenSSH's files have it, in one line.
func (k Key) OpenSSH() (string, error) {
	block, _ := pem.Decode([]byte(k.PublicKey))
	if block == nil {
		return "", fmt.Errorf("the token does not have the public half of %s", k.Name)
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return "", fmt.Errorf("the public half of %s: %w", k.Name, err)
	}
	line, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", fmt.Errorf("OpenSSH does not use keys like %s, of type %s", k.Name, k.Kind)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(line))) + " " + k.Name, nil
}
