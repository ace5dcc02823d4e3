// Package wrapping_test has keys wrapped by other programs and unwrapped by the built library, and the reverse: by each mechanism, of each type. What came of it is
// docs/WRAPPING.md, which
//
//	go test ./test/wrapping -run TestWrapping -write
//
// writes, and TestWrapping compares.
package wrapping_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/machine"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// peer is another program, and what is known of it.
type peer struct {
	name  string
	start func(t testing.TB, f *fixtures) (s side, version string)
	differences
}

// differences are what a peer wraps in a way that is its own, so that we cannot read it. The reason says what it does.
type differences []struct {
	typ    ck.MechanismType // 0: every one
	key    string           // a payload's name; empty: every one
	reason string
}

func (d differences) reason(m *mechanism, p *payload) string {
	for _, row := range d {
		if (row.typ == 0 || row.typ == m.typ) && (row.key == "" || row.key == p.name) {
			return row.reason
		}
	}
	return ""
}

var peers = []peer{
	{"SoftHSM2", func(t testing.TB, f *fixtures) (side, string) {
		s := softHSM(t, f)
		return s, s.version(t)
	}, differences{{ck.CKM_AES_KEY_WRAP_PAD, "secret, 21", "it adds zeros to a key of 21 bytes, and gives back 24"}}},
	{"NSS's softokn", func(t testing.TB, f *fixtures) (side, string) {
		s := softokn(t, f)
		return s, s.version(t)
	}, differences{
		{ck.CKM_AES_KEY_WRAP_PAD, "", "it pads as PKCS #7 does and wraps that as RFC 3394 does; we do as RFC 5649 does"},
		{0, "Ed25519", notRFC8410}, {0, "X25519", notRFC8410},
	}},
	{"OpenSSL", func(t testing.TB, f *fixtures) (side, string) {
		out, err := exec.Command("openssl", "version").Output()
		must(t, err)
		return newOpenSSL(t, f), strings.Fields(string(out))[1]
	}, nil},
}

const notRFC8410 = "it writes the key as one of ECDSA on a curve of that name, and not as RFC 8410 does"

func newFixtures(t testing.TB) *fixtures {
	t.Helper()
	return &fixtures{newRSA(t, 2048), random(32), newEC(t, elliptic.P256())}
}

func TestMain(m *testing.M) {
	if os.Getenv(laterVariable) != "" || !machine.Outside() {
		machine.Main(m, later, nil)
		return
	}
	os.Exit(m.Run())
}

// The peers are those of this system, and those of a later one that has other versions of them, where the tests run once more.
const (
	later         = "trixie"
	laterVariable = "NCRYPT11_TEST_LATER"
	tablesOf      = "TABLES "
)

func TestWrapping(t *testing.T) {
	keys := payloads(t)
	doc := &document{keys: keys, tables: meetAll(t, keys, peers)}
	tables, ran := laterTables(t)
	doc.tables = append(doc.tables, tables...)
	doc.compare(t, ran)
}

// laterTables has this program run TestLater in the later system, and gives what came of it: nothing where there cannot be such a system.
func laterTables(t *testing.T) (tables []*table, ran bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestLater$", "-test.v")
	cmd.Env, cmd.Stdin = append(os.Environ(), laterVariable+"=1"), bytes.NewReader(program(t))
	out, err := cmd.Output()
	_, text, found := strings.Cut(string(out), tablesOf)
	switch {
	case err == nil && strings.Contains(string(out), "--- SKIP: TestLater"):
		t.Logf("%s was not tried:\n%s", later, out)
		return nil, false
	case err != nil || !found:
		t.Fatalf("%s: %v\n%s", later, err, out)
	}
	text, _, _ = strings.Cut(text, "\n")
	must(t, json.Unmarshal([]byte(text), &tables))
	return tables, true
}

func TestLater(t *testing.T) {
	if os.Getenv(laterVariable) == "" && machine.Outside() {
		t.Skip("TestWrapping has it run in a system of its own")
	}
	machine.Need(t)
	tables := meetAll(t, payloads(t), peers[1:]) // SoftHSM2 is the same there
	text, err := json.Marshal(tables)
	must(t, err)
	fmt.Printf("%s%s\n", tablesOf, text)
}

// meetAll has us and the peers wrap all keys for each other.
func meetAll(t *testing.T, keys []*payload, peers []peer) []*table {
	t.Helper()
	f := newFixtures(t)
	us, doc := ours(t, f), &document{keys: keys}
	for _, peer := range peers {
		them, version := peer.start(t, f)
		table := doc.table(fmt.Sprintf("%s %s (%s)", peer.name, version, system(t)))
		for _, m := range mechanisms() {
			cells := make([]outcome, len(keys))
			for i, p := range keys {
				cells[i] = peer.meet(t, us, them, m, p)
			}
			table.add(m, cells)
		}
	}
	return doc.tables
}

// system is what this one calls itself.
func system(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/etc/os-release")
	must(t, err)
	values := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		name, value, _ := strings.Cut(line, "=")
		values[name] = strings.Trim(value, `"`)
	}
	return strings.Fields(values["NAME"])[0] + " " + values["VERSION_ID"]
}

// outcome is what came of a mechanism and a key between two sides. No error is success.
type outcome struct {
	none          bool // the mechanism cannot wrap such a key
	reads, isRead bool // we read what they wrapped, they read what we did
	reason        string
}

// meet has two sides wrap for each other. What we do must be right; what they cannot is noted.
func (peer *peer) meet(t *testing.T, us, them side, m *mechanism, p *payload) outcome {
	t.Helper()
	if !m.takes(p) {
		return outcome{none: true}
	}
	var o outcome
	var reasons []string
	note := func(err error) { reasons = append(reasons, err.Error()) }
	wrapped, err := them.wrap(m, p)
	switch {
	case err != nil:
		note(err)
	default:
		err = pass(us, m, p, wrapped)
		o.reads = err == nil
		if reason := peer.reason(m, p); err != nil && reason != "" {
			note(errors.New(reason))
		} else if err != nil || reason != "" {
			t.Errorf("%s, %s, %s: we read it: %v; a difference that is known: %q", peer.name, m.name, p.name, err, reason)
		}
	}
	wrapped, err = us.wrap(m, p)
	if err != nil {
		t.Errorf("%s, %s: we do not wrap it: %v", m.name, p.name, err)
		return o
	}
	if err = pass(us, m, p, wrapped); err != nil {
		t.Errorf("%s, %s: we do not read our own: %v", m.name, p.name, err)
	}
	err = pass(them, m, p, wrapped)
	if o.isRead = err == nil; !o.isRead {
		if errors.Is(err, errAnother) {
			t.Errorf("%s, %s, %s: %v", peer.name, m.name, p.name, err)
		}
		note(err)
	}
	o.reason = strings.Join(unique(reasons), "; ")
	return o
}

func unique(reasons []string) (out []string) {
	for _, r := range reasons {
		if len(out) == 0 || out[len(out)-1] != r {
			out = append(out, r)
		}
	}
	return out
}

// pass has a side unwrap a key, which must be that key.
func pass(s side, m *mechanism, p *payload, wrapped []byte) error {
	parts, err := s.unwrap(m, p, wrapped)
	if err != nil {
		return err
	}
	return p.same(parts)
}

func (tok *token) version(t testing.TB) string {
	t.Helper()
	info, err := tok.GetInfo()
	must(t, err)
	return fmt.Sprintf("%d.%d", info.LibraryVersion.Major, info.LibraryVersion.Minor)
}
