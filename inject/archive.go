package inject

import (
	"encoding/pem"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Archive is a file of keys for those who recover them, encrypted by age. Within it is text: of each key a line with its label and one with its id, and its
// PKCS #8 PrivateKeyInfo in PEM (RFC 7468; an AES key: its bytes, as "SYMMETRIC KEY").
type Archive struct {
	out io.WriteCloser
}

// NewArchive begins an archive that each of the recipients can open.
func NewArchive(w io.Writer, recipients ...age.Recipient) (*Archive, error) {
	out, err := age.Encrypt(w, recipients...)
	if err != nil {
		return nil, fmt.Errorf("the archive: %w", err)
	}
	return &Archive{out}, nil
}

// Add writes a key, which it leaves as it is.
func (a *Archive) Add(k *Key) error {
	block := &pem.Block{Type: "PRIVATE KEY", Bytes: k.Plain.Bytes()}
	if k.Class == ck.CKO_SECRET_KEY {
		block.Type = "SYMMETRIC KEY"
	}
	if _, err := fmt.Fprintf(a.out, "label: %q\nid: %x\n", k.Label, k.ID); err != nil { // quoted: a label is not to look like a key
		return fmt.Errorf("the archive: %w", err)
	}
	if err := pem.Encode(a.out, block); err != nil {
		return fmt.Errorf("the archive: %w", err)
	}
	return nil
}

// Close ends the archive. One that was not closed cannot be opened whole.
func (a *Archive) Close() error {
	if err := a.out.Close(); err != nil {
		return fmt.Errorf("the archive: %w", err)
	}
	return nil
}
