package keyfile

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// opensshMagic begins the private key format of OpenSSH's PROTOCOL.key.
const opensshMagic = "openssh-key-v1\x00"

// opensshFile is what follows the magic. Only Private is encrypted; what comes after it is the tag of the ciphers that have one.
type opensshFile struct {
	Cipher, KDF, KDFOptions string
	Keys                    uint32
	Public, Private         []byte
	Rest                    []byte `ssh:"rest"`
}

// opensshStrings is how many strings stand between the key type and the comment.
var opensshStrings = map[string]int{
	ssh.KeyAlgoRSA:      6, // n, e, d, iqmp, p, q
	ssh.KeyAlgoED25519:  2, // public, private
	ssh.KeyAlgoECDSA256: 3, // curve, public, scalar
	ssh.KeyAlgoECDSA384: 3,
	ssh.KeyAlgoECDSA521: 3,
}

// opensshRefused are key types that are known and cannot be imported.
var opensshRefused = []struct{ prefix, what string }{
	{"ssh-dss", "DSA keys are not supported"},
	{"sk-", "the private key is inside a FIDO security key, which does not give it out"},
}

func (p *parser) readOpenSSH(b block) error {
	var file opensshFile
	if err := ssh.Unmarshal(b.der[len(opensshMagic):], &file); err != nil {
		return b.fail(errDamaged)
	}
	kind, _, ok := sshString(file.Public)
	if !ok {
		return b.fail(errDamaged)
	}
	for _, refused := range opensshRefused {
		if strings.HasPrefix(string(kind), refused.prefix) {
			return b.advise(adviceNewKey, "%s", refused.what)
		}
	}
	private, err := p.decodeOpenSSH(b, &file)
	if err != nil {
		return err
	}
	if err := matches(private, file.Public); err != nil {
		wipeKey(private)
		return b.fail(err)
	}
	comment := ""
	if file.Cipher == cipherNone {
		comment = opensshComment(file.Private)
	}
	return p.addKey(b, private, comment)
}

const cipherNone = "none"

// opensshCiphers are those that the ssh library decrypts.
var opensshCiphers = []string{cipherNone, "aes256-ctr", "aes256-cbc"}

// decodeOpenSSH returns the private key in b, of which file is the outer structure.
func (p *parser) decodeOpenSSH(b block, file *opensshFile) (private crypto.PrivateKey, err error) {
	if !slices.Contains(opensshCiphers, file.Cipher) {
		return nil, b.advise("encrypt a copy anew with: ssh-keygen -p -Z aes256-ctr -f COPY", "its cipher %s is not supported", printable(file.Cipher))
	}
	if len(file.Rest) != 0 {
		return nil, b.fail(errDamaged)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: b.der}) // ssh reads nothing else
	defer secret.Wipe(text)
	if file.Cipher == cipherNone {
		private, err = ssh.ParseRawPrivateKey(text)
	} else {
		pass, e := p.passphrase(b)
		if e != nil {
			return nil, e
		}
		defer pass.Close()
		if pass.Len() == 0 { // which bcrypt would refuse in words of its own
			return nil, b.fail(ErrPassphrase)
		}
		private, err = ssh.ParseRawPrivateKeyWithPassphrase(text, pass.Bytes())
	}
	if errors.Is(err, x509.IncorrectPasswordError) {
		return nil, b.fail(ErrPassphrase)
	}
	if err != nil {
		return nil, b.fail(fmt.Errorf("the OpenSSH key cannot be read: %w", err))
	}
	return private, nil
}

// matches checks a private key against the public key in clear beside it, which is all that people see of an encrypted one.
func matches(private crypto.PrivateKey, public []byte) error {
	signer, ok := private.(crypto.Signer)
	if !ok {
		return errDamaged
	}
	own, err := ssh.NewPublicKey(signer.Public())
	if err != nil {
		return err
	}
	if !bytes.Equal(own.Marshal(), public) {
		return errMismatch
	}
	return nil
}

// opensshComment returns the comment in the decrypted part of a file, or nothing where it cannot be found.
func opensshComment(private []byte) string {
	const checks = 8 // two equal uint32 that show a right passphrase
	if len(private) < checks {
		return ""
	}
	kind, rest, ok := sshString(private[checks:])
	if !ok {
		return ""
	}
	for range opensshStrings[string(kind)] {
		if _, rest, ok = sshString(rest); !ok {
			return ""
		}
	}
	comment, _, _ := sshString(rest)
	return string(comment)
}

// sshString splits the string at the start of data (RFC 4251, section 5) from what follows it.
func sshString(data []byte) (text, rest []byte, ok bool) {
	const length = 4
	if len(data) < length {
		return nil, nil, false
	}
	n := uint64(binary.BigEndian.Uint32(data))
	if data = data[length:]; n > uint64(len(data)) {
		return nil, nil, false
	}
	return data[:n], data[n:], true
}
