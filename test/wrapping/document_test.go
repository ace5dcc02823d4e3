package wrapping_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var write = flag.Bool("write", false, "write docs/WRAPPING.md")

const path = "../../docs/WRAPPING.md"

// document is docs/WRAPPING.md.
type document struct {
	keys   []*payload
	tables []*table
}

// table is what came of one peer.
type table struct {
	Name  string
	Rows  []row
	Notes []string // why not, from number 1 on
}

type row struct{ Names, Cells []string }

func (d *document) table(name string) *table {
	t := &table{Name: name}
	d.tables = append(d.tables, t)
	return t
}

// add writes down a mechanism. One that fared as the one before, and differs from it in the size of its key, has no row of its own.
func (t *table) add(m *mechanism, outcomes []outcome) {
	cells := make([]string, len(outcomes))
	for i, o := range outcomes {
		cells[i] = t.cell(o)
	}
	if n := len(t.Rows); n > 0 && m.under == underAES {
		if last := &t.Rows[n-1]; slices.Equal(last.Cells, cells) && family(last.Names[0]) == family(m.name) {
			last.Names = append(last.Names, m.name)
			return
		}
	}
	t.Rows = append(t.Rows, row{[]string{m.name}, cells})
}

// family is a mechanism's name without the size of its key.
func family(name string) string { return strings.TrimRight(name, " 0123456789") }

func (t *table) cell(o outcome) string {
	switch {
	case o.none:
		return "–"
	case o.reads && o.isRead:
		return "both"
	}
	note := slices.Index(t.Notes, o.reason)
	if note < 0 {
		note = len(t.Notes)
		t.Notes = append(t.Notes, o.reason)
	}
	word := "no"
	switch {
	case o.reads:
		word = "we"
	case o.isRead:
		word = "they"
	}
	return fmt.Sprintf("%s (%d)", word, note+1)
}

const introduction = `# Keys wrapped by others

What came of it when other programs wrapped keys that ncrypt11 unwrapped, and the reverse. ` + "`go test ./test/wrapping`" + ` does it anew and compares.
Functions and codes in the notes are the other program's.

- **both**: each read what the other had wrapped, and it was the same key.
- **we**: ncrypt11 read what they had wrapped; they could not do the reverse, for the reason of that number.
- **they**: they read what ncrypt11 had wrapped; the reverse did not come about.
- **no**: neither.
- **–**: the mechanism does not take such a key. RSA by itself has room for secret keys, and RFC 3394 takes multiples of 8 bytes,
  which RSA keys are by chance.

The parameters: AES-GCM has IVs of 12 bytes and tags of 128 bits. RSA-AES is CKM_RSA_AES_KEY_WRAP, OAEP with MGF1 of the same hash, and an AES key of 256 bits.
AES-KWP is CKM_AES_KEY_WRAP_KWP, AES-KW-PAD is CKM_AES_KEY_WRAP_PAD, both as RFC 5649. ECDH-AES is CKM_ECDH_AES_KEY_WRAP on P-256 with CKD_SHA256_KDF and shared data.
`

func (d *document) text() string {
	var b strings.Builder
	b.WriteString(introduction)
	for _, t := range d.tables {
		fmt.Fprintf(&b, "\n## %s\n\n| |", t.Name)
		for _, p := range d.keys {
			fmt.Fprintf(&b, " %s |", p.name)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(d.keys)) + "\n")
		for _, r := range t.Rows {
			fmt.Fprintf(&b, "| %s | %s |\n", r.name(), strings.Join(r.Cells, " | "))
		}
		b.WriteString("\n")
		for i, note := range t.Notes {
			fmt.Fprintf(&b, "%d. %s.\n", i+1, note)
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// name is that of the first mechanism, with the sizes of the others.
func (r row) name() string {
	name := r.Names[0]
	for _, other := range r.Names[1:] {
		name += "," + strings.TrimPrefix(other, family(other))
	}
	return name
}

// versions are not compared: what a later version of a program does the same is the same.
var versions = regexp.MustCompile(`(?m)^(## \D+) [\d.]+\w* `)

// sections are the parts of the document, each with its heading but for the first.
func sections(text string) []string {
	return strings.Split(strings.TrimRight(versions.ReplaceAllString(text, "$1 "), "\n"), "\n## ")
}

// compare fails where the document says what did not happen, or less than what did. Where the later system could not be had, what the document says of it is
// left as it is.
func (d *document) compare(t *testing.T, whole bool) {
	t.Helper()
	text := d.text()
	t.Log("\n" + text)
	if *write && whole && !t.Failed() {
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
	promised, err := os.ReadFile(path)
	must(t, err)
	want, got := sections(string(promised)), sections(text)
	for _, section := range got {
		if !slices.Contains(want, section) {
			t.Errorf("%s does not say this, -write has it do so:\n%s", path, section)
		}
	}
	if whole && len(want) != len(got) {
		t.Errorf("%s has %d sections, want %d", path, len(want), len(got))
	}
}
