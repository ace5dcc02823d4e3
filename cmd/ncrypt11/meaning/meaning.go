// Package meaning says for people what the numbers mean that calls return, and what to do about each: return values of PKCS #11, and status codes of NCrypt and
// of smart-card minidrivers.
package meaning

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Code is a number that calls return.
type Code struct {
	Name    string
	Number  uint64
	Meaning string
	Todo    string // what to do; empty where there is nothing
	Other   string // the name that the other interface has for it; empty where it has none
}

// row is what is known of a CK_RV.
type row struct {
	rv            ck.RV
	meaning, todo string
}

var rvRows = slices.Concat(generalRows, objectRows, operationRows, tokenRows)

// ByNumber finds what a number means. A number is a CK_RV or a status, never both, but for 0, which is success to both.
func ByNumber(number uint64) (Code, bool) {
	for _, r := range rvRows {
		if uint64(r.rv) == number {
			return ofRV(r), true
		}
	}
	s := nte.Status(number)
	if number > 1<<32-1 || s.Meaning() == "" {
		return Code{}, false
	}
	return Code{Name: s.String(), Number: number, Meaning: s.Meaning(), Todo: statusTodo[s], Other: otherRV(s)}, true
}

func ofRV(r row) Code {
	c := Code{Name: r.rv.String(), Number: uint64(r.rv), Meaning: r.meaning, Todo: r.todo}
	if s := nte.FromRV(r.rv); s != nte.NTE_FAIL {
		c.Other = s.String()
	}
	return c
}

func otherRV(s nte.Status) string {
	if rv := s.ToRV(); rv != ck.CKR_FUNCTION_FAILED {
		return rv.String()
	}
	return ""
}

// Find finds what a person or a log calls a code: its name, in any case, with or without its prefix, or its number, in decimal (negative, as a status looks
// where it is taken for a signed number) or in hexadecimal after 0x. The 8 digits of a status need no 0x.
func Find(text string) (Code, bool) {
	if number, ok := parse(text); ok {
		return ByNumber(number)
	}
	for _, prefix := range []string{"", "CKR_", "NTE_", "SCARD_E_", "SCARD_W_", "SCARD_"} {
		for _, name := range Names() {
			if strings.EqualFold(name, prefix+text) {
				return byName(name)
			}
		}
	}
	return Code{}, false
}

func byName(name string) (Code, bool) {
	for _, r := range rvRows {
		if r.rv.String() == name {
			return ofRV(r), true
		}
	}
	s, ok := nte.Parse(name)
	if !ok {
		return Code{}, false
	}
	return ByNumber(uint64(s))
}

func parse(text string) (uint64, bool) {
	upper := strings.ToUpper(text)
	upper = strings.TrimPrefix(upper, "CKR_")
	digits, hex := strings.CutPrefix(upper, "0X")
	if hex || len(upper) == 8 && upper[0] == '8' {
		number, err := strconv.ParseUint(digits, 16, 64)
		return number, err == nil
	}
	if negative, err := strconv.ParseInt(upper, 10, 32); err == nil && negative < 0 {
		return uint64(uint32(int32(negative))), true
	}
	number, err := strconv.ParseUint(upper, 10, 64)
	return number, err == nil
}

// Names are the names of all codes.
func Names() []string {
	var names []string
	for _, r := range rvRows {
		names = append(names, r.rv.String())
	}
	for _, s := range nte.All() {
		names = append(names, s.String())
	}
	return names
}

// String is the code as it is shown: its name and its number.
func (c Code) String() string { return fmt.Sprintf("%s (0x%X)", c.Name, c.Number) }
