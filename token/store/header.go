package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"zombiezen.com/go/sqlite"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Policies of protection, and ways to log in.
const (
	PolicySoftware     = "software"
	PolicyVBSPreferred = "vbs-preferred"
	PolicyVBSRequired  = "vbs-required"

	LoginPIN  = "pin"
	LoginNone = "none"
)

// Header is what a token is, apart from its objects.
type Header struct {
	Serial  string // 16 letters and digits; also the name of the token's directory
	Label   string // at most 32 bytes, as in CK_TOKEN_INFO
	Policy  string
	Login   string
	Created time.Time

	Initialized        bool
	Generation         int64 // changes with each C_InitToken: whatever was known of the token before is void
	UserPINSet         bool
	UserPINToBeChanged bool
	UserFailures       int
	SOFailures         int

	Sealed  SealedKeys
	Options map[string]string `json:",omitempty"`
}

// SealedKeys are the token's master keys, each sealed for one way in.
type SealedKeys struct {
	Open []byte `json:",omitempty"` // usable without a PIN
	User []byte `json:",omitempty"` // the user's master key under the user's PIN
	SO   []byte `json:",omitempty"` // the same master key under the security officer's PIN, for C_InitPIN
	Boot []byte `json:",omitempty"` // usable without a PIN, and in one boot only: that of the keys that end with it
}

// Made says whether the token has its master keys: it exists, and is not about to.
func (h *Header) Made() bool { return len(h.Sealed.Open) > 0 }

const (
	serialLen = 16
	maxLabel  = 32
	maxHeader = 1 << 20
)

// check refuses a header that could not have been meant. It holds for what is written and for what is read.
func (h *Header) check() error {
	switch {
	case !validSerial(h.Serial):
		return fmt.Errorf("serial number %q is not %d letters and digits", h.Serial, serialLen)
	case len(h.Label) > maxLabel || !utf8.ValidString(h.Label):
		return fmt.Errorf("label %q is not UTF-8 of at most %d bytes", h.Label, maxLabel)
	case !slices.Contains([]string{PolicySoftware, PolicyVBSPreferred, PolicyVBSRequired}, h.Policy):
		return fmt.Errorf("policy %q is unknown", h.Policy)
	case !slices.Contains([]string{LoginPIN, LoginNone}, h.Login):
		return fmt.Errorf("login %q is unknown", h.Login)
	case h.UserFailures < 0 || h.SOFailures < 0:
		return errors.New("a failure counter is negative")
	}
	return nil
}

// validSerial keeps a serial number from being a path.
func validSerial(serial string) bool {
	for _, c := range []byte(serial) {
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z') {
			return false
		}
	}
	return len(serial) == serialLen
}

func (h *Header) encode() ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, ck.Errorf(ck.CKR_ARGUMENTS_BAD, "token header: %w", err)
	}
	value, err := json.Marshal(h)
	if err == nil && len(value) > maxHeader {
		err = fmt.Errorf("%d bytes are more than the %d that a header may have", len(value), maxHeader)
	}
	if err != nil {
		return nil, ck.Errorf(ck.CKR_ARGUMENTS_BAD, "token header: %w", err)
	}
	return value, nil
}

// decodeHeader refuses fields that it does not know: written back they would be lost. A new field is a new format version.
func decodeHeader(value []byte) (*Header, error) {
	h := new(Header)
	d := json.NewDecoder(bytes.NewReader(value))
	d.DisallowUnknownFields()
	err := d.Decode(h)
	if err == nil && d.More() {
		err = errors.New("something follows it")
	}
	if err == nil {
		err = h.check()
	}
	if err != nil {
		return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "the token's header is damaged (%w); restore the token's directory from a backup", err)
	}
	return h, nil
}

func readHeader(c *sqlite.Conn) (h *Header, err error) {
	err = run(c, `SELECT value FROM header`, nil, func(row *sqlite.Stmt) error {
		h, err = decodeHeader(blob(row, 0))
		return err
	})
	if err == nil && h == nil {
		return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "the token's header is missing; restore the token's directory from a backup")
	}
	return h, err
}

func writeHeader(c *sqlite.Conn, h *Header) error {
	value, err := h.encode()
	if err != nil {
		return err
	}
	return run(c, `UPDATE header SET value = ?1`, func(q *sqlite.Stmt) { q.BindBytes(1, value) }, nil)
}

// Header reads the token's header.
func (s *Store) Header() (h *Header, err error) {
	err = s.read.do(func(c *sqlite.Conn) error {
		h, err = readHeader(c)
		return err
	})
	return h, err
}

// UpdateHeader lets fn change the header, in one durable transaction that no other change can come between. When fn fails nothing is
// changed and its error is returned. Serial, Generation and Created stay what they are. fn must not change the token in other ways.
func (s *Store) UpdateHeader(fn func(*Header) error) error {
	return s.change(func(c *sqlite.Conn) error {
		h, err := readHeader(c)
		if err != nil {
			return err
		}
		generation, created := h.Generation, h.Created
		if err := fn(h); err != nil {
			return err
		}
		h.Serial, h.Generation, h.Created = s.serial, generation, created
		return writeHeader(c, h)
	})
}

// Reset is C_InitToken (PKCS #11 v3.2, C_InitToken): all objects are destroyed and h replaces the header, in one durable transaction. The
// token keeps its Serial and Created and gets its next Generation, which Reset writes into h.
func (s *Store) Reset(h *Header) error {
	next := *h
	err := s.change(func(c *sqlite.Conn) error {
		old, err := readHeader(c)
		if err != nil {
			return err
		}
		next.Serial, next.Created, next.Generation = old.Serial, old.Created, old.Generation+1
		for _, sql := range []string{
			`DELETE FROM objects`,
			`DELETE FROM tombstones`,
			`UPDATE state SET rev = rev + 1, pruned = rev + 1`, // both use the old rev: whoever asks from before is told to reload
		} {
			if err := run(c, sql, nil, nil); err != nil {
				return err
			}
		}
		return writeHeader(c, &next)
	})
	if err == nil {
		*h = next
	}
	return err
}
