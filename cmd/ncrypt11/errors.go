package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/token/ck"
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

// explain gives an error's text with the reason first and the CK_RV, which is what to search for, last.
func explain(err error) string {
	var full *ck.Error
	var rv ck.RV
	text := err.Error()
	switch {
	case errors.As(err, &full):
		reason := full.Reason
		if better, ok := advice[full.RV]; ok {
			reason = better
		}
		return strings.Replace(text, full.Error(), fmt.Sprintf("%s (%v)", reason, full.RV), 1)
	case errors.As(err, &rv):
		if better, ok := advice[rv]; ok {
			return strings.Replace(text, rv.Error(), fmt.Sprintf("%s (%v)", better, rv), 1)
		}
	}
	return text
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
