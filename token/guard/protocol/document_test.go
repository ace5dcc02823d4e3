package protocol_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// The document has each method with its number, its deadline and its fields, and no others.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if cells := strings.Split(line, "|"); len(cells) == 7 && regexp.MustCompile(`^ \d+ $`).MatchString(cells[1]) {
			rows[strings.TrimSpace(cells[1])] = cells
		}
	}
	methods := requests()
	if len(rows) != len(methods) {
		t.Errorf("%d rows for %d methods", len(rows), len(methods))
	}
	for method, examples := range methods {
		cells := rows[fmt.Sprint(uint8(method))]
		if cells == nil || strings.TrimSpace(cells[2]) != method.String() || strings.TrimSpace(cells[5]) != method.Deadline().String() {
			t.Errorf("%d %v %v: %q", method, method, method.Deadline(), cells)
			continue
		}
		typ := reflect.TypeOf(examples[0]).Elem()
		for i := range typ.NumField() {
			if name := strings.ToLower(typ.Field(i).Name); !regexp.MustCompile(`\b` + name + `\b`).MatchString(strings.ToLower(cells[3])) {
				t.Errorf("%v: the document does not have %s", method, name)
			}
		}
	}
	if protocol.Method(len(methods)+1).String() != "unknown" {
		t.Error("a method has no example here")
	}
}
