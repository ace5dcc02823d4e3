package snippet

import (
	"os/exec"
	"strings"
	"testing"
)

func TestShell(t *testing.T) {
	for text, want := range map[string]string{
		"site": "site", "/etc/ssl/a_b-1.pem": "/etc/ssl/a_b-1.pem", "": "''", "my key": "'my key'", "a'b": `'a'\''b'`, "$(id)": "'$(id)'", "é": "'é'",
		"pkcs11:id=%01;type=cert": "'pkcs11:id=%01;type=cert'",
	} {
		got := shell(text)
		if got != want {
			t.Errorf("%q is written %s, not %s", text, got, want)
		}
		if out, err := exec.Command("sh", "-c", "printf %s "+got).Output(); err != nil || string(out) != text {
			t.Errorf("a shell reads %s as %q, %v", got, out, err)
		}
	}
}

// What a token and its key are called stands in commands as a shell's word, and adds no section.
func TestHostileLabels(t *testing.T) {
	const label = "a'; echo hostile; '$(echo hostile)`echo hostile`"
	d := full
	d.Token.Label, d.Key.Label, d.Token.Path, d.CertificateFile = label, label, "/x/"+label, "/x/"+label
	for _, p := range Programs() {
		sections, err := p.Sections(&d)
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		for _, s := range sections {
			if s.Action == Run && strings.Contains(s.Text, label) {
				t.Errorf("%s: a shell would obey the label:\n%s", p.Name, s.Text)
			}
		}
	}
	d.Key.Label = "a\n== run root\nhostile"
	if sections, err := Programs()[0].Sections(&d); err == nil {
		t.Errorf("a label with a line of its own makes sections: %+v", sections)
	}
}
