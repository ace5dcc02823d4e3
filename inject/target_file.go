package inject

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// MaxTargetFile is the size in bytes of the largest target file that is read.
const MaxTargetFile = 256 << 10

// targetVersion is that of the file: of its fields, and of what the context is made of.
const targetVersion = 1

// targetFile is the file. What the guard states stands in the statement only: what is said once cannot be said in two ways.
type targetFile struct {
	Version     int             `json:"ncrypt11-target"`
	Suite       Suite           `json:"suite"`
	ID          []byte          `json:"id"`
	Label       string          `json:"label"`
	Serial      string          `json:"serial"`
	Sender      []byte          `json:"sender,omitempty"`
	Statement   []byte          `json:"statement"`
	Attestation attestationFile `json:"attestation"`
}

// attestationFile is a seal.Attestation.
type attestationFile struct {
	EKCertificates [][]byte `json:"ek-certificates,omitempty"`
	EKPublic       []byte   `json:"ek-public"`
	AKPublic       []byte   `json:"ak-public"`
	KeyPublic      []byte   `json:"key-public"`
	Certified      []byte   `json:"certified"`
	Certificate    []byte   `json:"certificate"`
	Signature      []byte   `json:"signature"`
}

// Encode gives the target file.
func (t *Target) Encode() ([]byte, error) {
	f := targetFile{
		Version: targetVersion, Suite: t.Suite, ID: t.ID[:], Label: t.Label, Serial: t.Serial, Sender: t.Sender, Statement: t.Statement,
		Attestation: attestationFile(*t.Attestation),
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // other programs that rewrite JSON do not escape so
	e.SetIndent("", "  ")
	if err := e.Encode(&f); err != nil {
		return nil, fmt.Errorf("the target cannot be written: %w", err)
	}
	return out.Bytes(), nil
}

// ParseTarget reads a target file, strictly: each target has one encoding, but for white space. So fields that are unknown, missing, out of place or there
// twice are refused, and whatever comes after the end.
func ParseTarget(in []byte) (*Target, error) {
	if len(in) > MaxTargetFile {
		return nil, fmt.Errorf("%w target file: it has %d bytes, more than %d", ErrMalformed, len(in), MaxTargetFile)
	}
	var f targetFile
	if err := json.Unmarshal(in, &f); err != nil {
		return nil, fmt.Errorf("%w target file: %w", ErrMalformed, err)
	}
	if f.Version != targetVersion {
		return nil, fmt.Errorf("%w target file: version %d is not known here, or it is no target file", ErrMalformed, f.Version)
	}
	about := About{Suite: f.Suite, Label: f.Label, Serial: f.Serial, Sender: f.Sender}
	if copy(about.ID[:], f.ID) != len(about.ID) || len(f.ID) != len(about.ID) {
		return nil, fmt.Errorf("%w target file: an id has %d bytes", ErrMalformed, len(about.ID))
	}
	attestation := seal.Attestation(f.Attestation)
	if err := attest.Check(&attestation); err != nil {
		return nil, fmt.Errorf("%w target file: %w", ErrMalformed, err)
	}
	t, err := NewTarget(about, f.Statement, &attestation)
	if err != nil {
		return nil, err
	}
	again, err := t.Encode()
	if err != nil {
		return nil, err
	}
	if !sameJSON(in, again) {
		return nil, fmt.Errorf("%w target file: it says more than a target does, or says it in another way", ErrMalformed)
	}
	return t, nil
}

// sameJSON compares two texts of sound JSON but for white space.
func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}
