// Package nte has the status codes of NCrypt and of smart-card minidrivers as errors, with their numbers, their names, and what they mean.
package nte

import (
	"errors"
	"fmt"
	"strings"
)

// Status is a SECURITY_STATUS: 0 for success.
type Status uint32

// row is what is known of a status.
type row struct {
	status        Status
	name, meaning string
}

var rows = append(append([]row{}, ncryptRows...), scardRows...)

// find gives the status's row, nil for one that is not known.
func find(s Status) *row {
	for i := range rows {
		if rows[i].status == s {
			return &rows[i]
		}
	}
	return nil
}

// All are the statuses that have a name, NCrypt's first.
func All() []Status {
	all := make([]Status, len(rows))
	for i := range rows {
		all[i] = rows[i].status
	}
	return all
}

// String is the name of the constant, or the number.
func (s Status) String() string {
	if r := find(s); r != nil {
		return r.name
	}
	return fmt.Sprintf("%#08x", uint32(s))
}

// Error makes a status an error: its name.
func (s Status) Error() string { return s.String() }

// Meaning says for people what a status means; empty for one that is not known.
func (s Status) Meaning() string {
	if r := find(s); r != nil {
		return r.meaning
	}
	return ""
}

// Parse finds a status by its name, in any case, or by its number.
func Parse(text string) (Status, bool) {
	for _, r := range rows {
		if strings.EqualFold(r.name, text) {
			return r.status, true
		}
	}
	var number uint32
	if _, err := fmt.Sscanf(strings.ToLower(text), "0x%x", &number); err != nil {
		return 0, false
	}
	return Status(number), find(Status(number)) != nil
}

// Error is a status with what caused it.
type Error struct {
	Status Status
	Reason string // for people; never a secret
	Cause  error  // nil where there is none
}

// Errorf makes an error of a status. A %w in format keeps the cause.
func Errorf(s Status, format string, args ...any) error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Status: s, Reason: wrapped.Error(), Cause: errors.Unwrap(wrapped)}
}

// Error gives the constant's name and the reason.
func (e *Error) Error() string { return e.Status.String() + ": " + e.Reason }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is matches the status.
func (e *Error) Is(target error) bool {
	s, ok := target.(Status)
	return ok && s == e.Status
}
