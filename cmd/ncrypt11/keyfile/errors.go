package keyfile

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrPassphrase is found in the error for a passphrase that does not open the item. Formats without an integrity check
	// cannot tell a wrong passphrase from damaged ciphertext.
	ErrPassphrase = errors.New("wrong passphrase, or the file is damaged")
	// ErrPassphraseNeeded is found in the error for an encrypted item when there is nobody to ask.
	ErrPassphraseNeeded = errors.New("it is encrypted and a passphrase is needed")
)

// Error says what is wrong with a key file, in one line.
type Error struct {
	Where  string // the item: "PEM block 2 (EC PRIVATE KEY)"; empty for the file as a whole
	Err    error  // what is wrong
	Advice string // what to do about it; may be empty
}

func (e *Error) Error() string {
	var line strings.Builder
	if e.Where != "" {
		line.WriteString(e.Where + ": ")
	}
	line.WriteString(e.Err.Error())
	if e.Advice != "" {
		line.WriteString("; " + e.Advice)
	}
	return line.String()
}

func (e *Error) Unwrap() error { return e.Err }

// fail says that err happened in b. An Error of a deeper layer keeps its advice.
func (b block) fail(err error) error {
	var deeper *Error
	if errors.As(err, &deeper) {
		return &Error{Where: b.where, Err: deeper.Err, Advice: deeper.Advice}
	}
	return &Error{Where: b.where, Err: err}
}

// advise says that what is wrong with b can be mended.
func (b block) advise(advice, format string, args ...any) error {
	return &Error{Where: b.where, Err: fmt.Errorf(format, args...), Advice: advice}
}
