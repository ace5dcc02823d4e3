package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxLine bounds an event as it is written: JSON in one line, its end included.
const MaxLine = 4096

// The most bytes of a string in a line. A name's are more than any has; nine names and a reason leave room for the rest of a line.
const (
	maxName   = 160
	maxReason = 2048
)

// line gives the event as it is written, in UTF-8 that shows nothing on a terminal but itself. It cuts the event's strings.
func (e *Event) line() ([]byte, error) {
	e.bound()
	var b bytes.Buffer
	j := json.NewEncoder(&b)
	j.SetEscapeHTML(false)
	if err := j.Encode(e); err != nil {
		return nil, err
	}
	return append([]byte(escape(strings.TrimSuffix(b.String(), "\n"))), '\n'), nil
}

// bound cuts the strings.
func (e *Event) bound() {
	for _, s := range []*string{
		(*string)(&e.Kind), &e.Token, &e.Key, &e.KeyType, &e.Mechanism, &e.User, &e.Code, &e.NTE, &e.Guard,
	} {
		*s = cut(*s, maxName)
	}
	e.Reason = cut(e.Reason, maxReason)
}

// cut gives as much of s as fits into a number of bytes of a line.
func cut(s string, most int) string {
	const mark = "…"
	n, end := 0, 0 // end: what fits together with the mark
	for i, r := range s {
		if n <= most-len(mark) {
			end = i
		}
		if n += width(r); n > most {
			return s[:end] + mark
		}
	}
	return s
}

// width is how many bytes a line needs for r.
func width(r rune) int {
	switch {
	case r == '"' || r == '\\':
		return 2
	case r > 0xffff && !unicode.IsPrint(r):
		return 12
	case r == utf8.RuneError || !unicode.IsPrint(r):
		return 6
	}
	return utf8.RuneLen(r)
}

// escape writes what is not printed as itself the way JSON may: controls that encoding/json leaves, and what turns the direction of a text.
func escape(s string) string {
	if strings.IndexFunc(s, notPrinted) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !notPrinted(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func notPrinted(r rune) bool { return !unicode.IsPrint(r) }

// lineStart begins a line and stands nowhere else in one, because quotes in strings are escaped.
const lineStart = `{"time":"`

var errNotEvent = errors.New("not an event")

// parse reads a line. It is from anybody: the event is bounded like one that is written.
func parse(line []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(line, &e); err != nil {
		return Event{}, fmt.Errorf("%w: %w", errNotEvent, err)
	}
	if e.Kind == "" || e.Time.IsZero() || e.Time.Year() < 1970 || e.Time.Year() > 9999 {
		return Event{}, fmt.Errorf("%w: it has no kind or no time", errNotEvent)
	}
	e.Time, e.LoggedBy = e.Time.Round(time.Microsecond).UTC(), ""
	e.bound()
	return e, nil
}
