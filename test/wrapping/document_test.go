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
	name, version string
	rows          []row
	notes         []string
}

type row struct {
	names []string
	cells []string
}

func newDocument(keys []*payload) *document { return &document{keys: keys} }

func (d *document) table(name, version string) *table {
	t := &table{name: name, version: version}
	d.tables = append(d.tables, t)
	return t
}

// add writes down a mechanism. One that fared as the one before, and differs from it in the size of its key, has no row of its own.
func (t *table) add(m *mechanism, outcomes []outcome) {
	cells := make([]string, len(outcomes))
	for i, o := range outcomes {
		cells[i] = t.cell(o)
	}
	if n := len(t.rows); n > 0 && m.under == underAES && slices.Equal(t.rows[n-1].cells, cells) && family(t.rows[n-1].names[0]) == family(m.name) {
		t.rows[n-1].names = append(t.rows[n-1].names, m.name)
		return
	}
	t.rows = append(t.rows, row{[]string{m.name}, cells})
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
	note := slices.Index(t.notes, o.reason)
	if note < 0 {
		note = len(t.notes)
		t.notes = append(t.notes, o.reason)
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
		fmt.Fprintf(&b, "\n## %s %s\n\n| |", t.name, t.version)
		for _, p := range d.keys {
			fmt.Fprintf(&b, " %s |", p.name)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(d.keys)) + "\n")
		for _, r := range t.rows {
			fmt.Fprintf(&b, "| %s | %s |\n", r.name(), strings.Join(r.cells, " | "))
		}
		b.WriteString("\n")
		for i, note := range t.notes {
			fmt.Fprintf(&b, "%d. %s.\n", i+1, note)
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// name is that of the first mechanism, with the sizes of the others.
func (r row) name() string {
	name := r.names[0]
	for _, other := range r.names[1:] {
		name += "," + strings.TrimPrefix(other, family(other))
	}
	return name
}

// versions are not compared: what a later version of a program does the same is the same.
var versions = regexp.MustCompile(`(?m)^(## \D+) [\d.]+\w*$`)

func (d *document) compare(t *testing.T) {
	t.Helper()
	text := d.text()
	t.Log("\n" + text)
	if *write && !t.Failed() {
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
	promised, err := os.ReadFile(path)
	must(t, err)
	want, got := strings.Split(versions.ReplaceAllString(string(promised), "$1"), "\n"), strings.Split(versions.ReplaceAllString(text, "$1"), "\n")
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			t.Errorf("%s says what did not happen: %s", path, want[i])
		case i >= len(want) || want[i] != got[i]:
			t.Errorf("%s, line %d: it came out as %q: write it anew with -write", path, i+1, got[i])
		}
	}
}
