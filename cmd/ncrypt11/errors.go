package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// usageError is a command line that means nothing, as opposed to one that failed.
type usageError struct{ reason string }

func (e *usageError) Error() string { return e.reason }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

func isUsage(err error) bool {
	var usage *usageError
	return errors.As(err, &usage)
}

// unknown says that there is no such thing, and what may have been meant.
func unknown(what, name string, suggestions []string, help string) error {
	if len(suggestions) > 0 {
		return usagef("unknown %s %q; did you mean %s?", what, name, strings.Join(suggestions, " or "))
	}
	return usagef("unknown %s %q; see %s", what, name, help)
}

// arguments makes cobra's complaint about the number of arguments an error of usage, which says how the command is used.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usagef("usage: %s", cmd.UseLine())
		}
		return nil
	}
}

// advice is what a person should read in place of a CK_RV's name.
var advice = map[ck.RV]string{
	ck.CKR_PIN_INCORRECT:            "the PIN is wrong",
	ck.CKR_PIN_LOCKED:               "the PIN is locked after too many wrong ones; the user's is unlocked by the security officer: ncrypt11 pin --unlock",
	ck.CKR_USER_PIN_NOT_INITIALIZED: "the token has no user PIN yet; the security officer sets it: ncrypt11 pin --unlock",
	ck.CKR_TOKEN_WRITE_PROTECTED:    "the token cannot be written by this user",
	ck.CKR_ACTION_PROHIBITED:        "the object does not allow it",
}

const foreignAdvice = "its keys cannot be used here again; delete the token, make another one and import them anew"

// remedies are what a person can do about errors whose reason says only what is wrong.
var remedies = []struct {
	applies func(*ck.Error) bool
	todo    string
}{
	{func(e *ck.Error) bool { return strings.HasPrefix(e.Reason, vbsPrefix) }, "`ncrypt11 doctor` says what to do"},
	{func(e *ck.Error) bool { return errors.Is(e, seal.ErrForeign) }, foreignAdvice},
	{func(e *ck.Error) bool { return errors.Is(e, seal.ErrAbsent) }, "`ncrypt11 doctor` says what to do"},
	{func(e *ck.Error) bool { return errors.Is(e, seal.ErrBusy) }, "try again in a moment"},
}

// onlyCounts is what is said of a PIN that is locked where nothing but wrong PINs did it. A TPM that is locked as a whole, or a count that is
// damaged, is not helped by a security officer. A guard's errors come as text, so the text has to tell.
var onlyCounts = regexp.MustCompile(`^([0-9]+ wrong PINs in a row|too many wrong PINs(: [0-9]+)?)$`)

// saysMore says whether the reason is better than advice.
func saysMore(e *ck.Error) bool {
	switch e.RV {
	case ck.CKR_PIN_LOCKED:
		return !onlyCounts.MatchString(e.Reason)
	case ck.CKR_ACTION_PROHIBITED: // the guard says who is not on a token's access list
		return true
	}
	return false
}

// explain gives an error's text with the reason first and the CK_RV, which is what to search for, last.
func explain(err error) string {
	var full *ck.Error
	var rv ck.RV
	text := err.Error()
	switch {
	case errors.As(err, &full):
		return strings.Replace(text, full.Error(), fmt.Sprintf("%s (%v)", advised(full), full.RV), 1)
	case errors.As(err, &rv):
		if better, ok := advice[rv]; ok {
			return strings.Replace(text, rv.Error(), fmt.Sprintf("%s (%v)", better, rv), 1)
		}
	}
	return text
}

// advised is an error's reason with what to do about it.
func advised(e *ck.Error) string {
	if better, ok := advice[e.RV]; ok && !saysMore(e) {
		return better
	}
	reason := strings.ReplaceAll(e.Reason, e.RV.Error()+": ", "") // of an error within: it stands at the end once
	for _, r := range remedies {
		if r.applies(e) {
			return reason + "; " + r.todo
		}
	}
	return reason
}

// reason is an error's text without its CK_RV.
func reason(err error) string {
	var full *ck.Error
	if errors.As(err, &full) {
		return full.Reason
	}
	return err.Error()
}

// oneLine keeps the promise of one line for each error.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
