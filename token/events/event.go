// Package events is the log of what happens to keys, for those who administer them: who unlocked a token, which key was made or refused, where
// a PIN was wrong. A guard process writes it, and programs that use the library where there is no guard. It never holds a PIN, a key or a
// plaintext. Losing an event is better than failing or delaying what it tells of, so writing never fails its caller; what was lost is counted.
package events

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Event is one thing that happened. Strings are cut where they are longer than MaxLine lets them be.
type Event struct {
	Time      time.Time `json:"time"` // zero: now
	Kind      Kind      `json:"kind"`
	Token     string    `json:"token,omitempty"`     // serial number
	Key       string    `json:"key,omitempty"`       // CKA_UNIQUE_ID, as hexadecimal
	KeyType   string    `json:"key_type,omitempty"`  // CKK_ name
	Mechanism string    `json:"mechanism,omitempty"` // CKM_ name
	User      string    `json:"user,omitempty"`      // whose doing it was, as the kernel says: user:33
	PID       int       `json:"pid,omitempty"`       // the process that asked for it
	Code      string    `json:"code,omitempty"`      // CKR_ name of what was answered
	NTE       string    `json:"nte,omitempty"`       // the NCrypt status of the same, where there is one
	Reason    string    `json:"reason,omitempty"`
	Count     uint64    `json:"count,omitempty"`     // how often it happened; 0: once
	Guard     string    `json:"guard,omitempty"`     // the guard's level
	LoggedBy  string    `json:"logged_by,omitempty"` // who wrote the event, as the kernel says; set when it is read, never by a writer
}

// Kind is what happened.
type Kind string

// The kinds. Their values are a format: scripts look for them. That an object was deleted is not among them, because no guard sees it.
const (
	GuardStart    Kind = "guard-start"
	GuardStop     Kind = "guard-stop"
	GuardDefect   Kind = "guard-defect" // a request ended in a panic
	Unavailable   Kind = "unavailable"  // VBS is, and was asked for
	Master        Kind = "master"       // a master key was made: a token was initialized
	Reseal        Kind = "reseal"       // a master key was sealed anew: a PIN was set or changed
	Unlock        Kind = "unlock"
	PINWrong      Kind = "pin-wrong"
	Lockout       Kind = "lockout"
	Create        Kind = "create"
	Import        Kind = "import"
	Unwrap        Kind = "unwrap"
	Derive        Kind = "derive"
	Attest        Kind = "attest"  // the TPM vouched for keys
	Reissue       Kind = "reissue" // a key was copied, or its policy narrowed
	Wrap          Kind = "wrap"    // a key went out, under another one
	Reveal        Kind = "reveal"  // a key went out, readable
	Refused       Kind = "refused"
	CannotDecrypt Kind = "cannot-decrypt" // what is on the disk is damaged, or sealed by another TPM or for another boot
	Use           Kind = "use"            // each one; for those who ask for it
	Used          Kind = "used"           // the sum of them since the key was loaded
	Lost          Kind = "lost"
)

// The priorities of syslog(3) that are used here.
const (
	sysErr     = 3
	sysWarning = 4
	sysNotice  = 5
	sysInfo    = 6
)

// row is what is to be known of a kind.
type row struct {
	kind     Kind
	priority int
	text     string
}

var rows = []row{
	{GuardStart, sysInfo, "the guard has started"},
	{GuardStop, sysInfo, "the guard has ended"},
	{GuardDefect, sysErr, "a defect in the guard ended a request"},
	{Unavailable, sysErr, "VBS is unavailable"},
	{Master, sysNotice, "a token was initialized"},
	{Reseal, sysNotice, "a PIN was set or changed"},
	{Unlock, sysInfo, "a token was unlocked"},
	{PINWrong, sysWarning, "a PIN was wrong"},
	{Lockout, sysErr, "a token is locked after too many wrong PINs"},
	{Create, sysNotice, "a key was made"},
	{Import, sysNotice, "a key was imported"},
	{Unwrap, sysNotice, "a key was unwrapped"},
	{Derive, sysInfo, "a key was derived"},
	{Attest, sysNotice, "the TPM vouched for a key"},
	{Reissue, sysNotice, "a key was copied or restricted"},
	{Wrap, sysNotice, "a key was wrapped to leave its token"},
	{Reveal, sysNotice, "a key's value was read"},
	{Refused, sysWarning, "a key's policy refused a use"},
	{CannotDecrypt, sysErr, "a key or master key cannot be decrypted"},
	{Use, sysInfo, "a key was used"},
	{Used, sysInfo, "uses of a key"},
	{Lost, sysWarning, "events could not be written and are lost"},
}

// Kinds are all kinds, in the order of a manual.
func Kinds() []Kind {
	all := make([]Kind, len(rows))
	for i := range rows {
		all[i] = rows[i].kind
	}
	return all
}

// rowOf gives a kind's row. A later version's kind, read from a file, tells of itself by its name.
func rowOf(k Kind) row {
	for _, r := range rows {
		if r.kind == k {
			return r
		}
	}
	return row{k, sysNotice, string(k)}
}

// Because gives the event the code and the reason of err.
func (e Event) Because(err error) Event {
	if err == nil {
		return e
	}
	e.Code, e.Reason = ck.Code(err).String(), err.Error()
	var full *ck.Error
	if errors.As(err, &full) {
		e.Reason = full.Reason
	}
	return e
}

// Text is the event for people, without its time, in one line that may be shown on a terminal.
func (e *Event) Text() string {
	parts := []string{rowOf(e.Kind).text}
	for _, p := range []struct{ format, value string }{
		{"guard %s", e.Guard}, {"token %s", e.Token}, {"key %s", e.Key}, {"%s", e.KeyType}, {"%s", e.Mechanism}, {"%s", e.Who()}, {"%s", e.Why()},
	} {
		if p.value != "" {
			parts = append(parts, fmt.Sprintf(p.format, p.value))
		}
	}
	return escape(strings.Join(parts, ", "))
}

// Who is who did it, for people.
func (e *Event) Who() string {
	switch {
	case e.PID == 0:
		return e.User
	case e.User == "":
		return fmt.Sprintf("pid %d", e.PID)
	}
	return fmt.Sprintf("%s pid %d", e.User, e.PID)
}

// Why is the reason and what comes with it, for people.
func (e *Event) Why() string {
	var parts []string
	if e.Reason != "" {
		parts = append(parts, e.Reason)
	}
	for _, code := range []string{e.Code, e.NTE} {
		if code != "" {
			parts = append(parts, "("+code+")")
		}
	}
	if e.Count > 0 {
		parts = append(parts, fmt.Sprintf("(%d×)", e.Count))
	}
	return strings.Join(parts, " ")
}
