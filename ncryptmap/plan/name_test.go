package plan_test

import (
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

func TestCheckName(t *testing.T) {
	for _, name := range []string{"a", "../../etc/passwd", strings.Repeat("a", 512), strings.Repeat("ä", 512), strings.Repeat("😀", 256), " "} {
		if err := plan.CheckName(name); err != nil {
			t.Errorf("%.20q: %v", name, err)
		}
	}
	for _, name := range []string{"", "a\x00", "\xff", strings.Repeat("a", 513), strings.Repeat("😀", 257)} {
		if err := plan.CheckName(name); ck.Code(err) != ck.CKR_ATTRIBUTE_VALUE_INVALID {
			t.Errorf("%.20q: %v", name, err)
		}
	}
}

func TestUniqueName(t *testing.T) {
	for _, same := range [][2]string{{"Abc", "aBC"}, {"ÄÖ", "äö"}, {"Σ", "ς"}, {"K", "k"}} { // the last: KELVIN SIGN
		if plan.UniqueName(same[0]) != plan.UniqueName(same[1]) {
			t.Errorf("%q and %q differ", same[0], same[1])
		}
	}
	for _, different := range [][2]string{{"a", "b"}, {"a", "a "}, {"ß", "ss"}, {"\u00e9", "e\u0301"}} {
		if plan.UniqueName(different[0]) == plan.UniqueName(different[1]) {
			t.Errorf("%q and %q are the same", different[0], different[1])
		}
	}
	if n := plan.UniqueName("../a"); len(n) != 64 || strings.ContainsAny(n, "./") {
		t.Errorf("%q is no name for a file", n)
	}
}
