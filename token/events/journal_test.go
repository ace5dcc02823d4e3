package events_test

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/events"
)

// listen is a journal that nobody reads from until the test does.
func listen(t *testing.T) (*net.UnixConn, string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "socket")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, socket
}

// receive gives the fields of the next datagram.
func receive(t *testing.T, conn *net.UnixConn) map[string]string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1<<16)
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for _, line := range strings.Split(strings.TrimSuffix(string(b[:n]), "\n"), "\n") {
		name, value, ok := strings.Cut(line, "=")
		if _, twice := fields[name]; !ok || twice {
			t.Errorf("field %q", line)
		}
		fields[name] = value
	}
	return fields
}

// What is in the journal, as journalctl -o json gives it, is the event that was written.
func TestJournal(t *testing.T) {
	conn, socket := listen(t)
	dir := t.TempDir()
	log := events.OpenAt(dir, false, socket)
	want := events.Event{Kind: events.Refused, Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Token: "01", Key: "ab",
		User: "user:33\nPRIORITY=0", Reason: "no\nMESSAGE=fake"}
	log.Write(want)
	fields := receive(t, conn)
	for name, value := range map[string]string{
		"MESSAGE":  `a key's policy refused a use, token 01, key ab, user:33\u000aPRIORITY=0, no\u000aMESSAGE=fake`,
		"PRIORITY": "4", "SYSLOG_IDENTIFIER": "ncrypt11", "NCRYPT11_KIND": "refused", "NCRYPT11_TOKEN": "01", "NCRYPT11_KEY": "ab",
	} {
		if fields[name] != value {
			t.Errorf("%s is %q, want %q", name, fields[name], value)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, events.FileName)); err == nil {
		t.Error("it is in the file as well")
	}
	fields["_UID"] = "33"
	entry, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	want.LoggedBy = "user:33"
	got, errs := readJournal(string(entry) + "\n")
	if len(got) != 1 || got[0] != want || len(errs) != 0 {
		t.Errorf("%+v, want %+v; %v", got, want, errs)
	}
}

func readJournal(output string) (list []events.Event, errs []error) {
	for e, err := range events.ReadJournal(strings.NewReader(output), time.Time{}, nil) {
		if err != nil {
			errs = append(errs, err)
		} else {
			list = append(list, e)
		}
	}
	return list, errs
}

func TestReadJournal(t *testing.T) {
	const event = `"NCRYPT11_EVENT":"{\"time\":\"2026-01-01T00:00:00Z\",\"kind\":\"unlock\",\"logged_by\":\"user:0\"}"`
	for _, test := range []struct {
		name, entry    string
		events, damage int
	}{
		{"an event", `{` + event + `,"_UID":"1"}`, 1, 0},
		{"something else of ours", `{"MESSAGE":"hello","_UID":"1"}`, 0, 0},
		{"too long for journalctl", `{"NCRYPT11_EVENT":null}`, 0, 0},
		{"bytes", `{"NCRYPT11_EVENT":[123,0]}`, 0, 1},
		{"two", `{"NCRYPT11_EVENT":["a","b"]}`, 0, 1},
		{"no event", `{"NCRYPT11_EVENT":"{}"}`, 0, 1},
		{"no JSON", `-- No entries --`, 0, 1},
		{"too long", `{"MESSAGE":"` + strings.Repeat("x", 1<<18) + `"}`, 0, 1},
	} {
		list, errs := readJournal(test.entry + "\n{" + event + `,"_UID":"7"}` + "\n")
		if len(list) != test.events+1 || len(errs) != test.damage || list[len(list)-1].LoggedBy != "user:7" {
			t.Errorf("%s: %+v, %v", test.name, list, errs)
		}
	}
}

// A journal that takes no more, or is gone, delays nobody: events go to the file.
func TestJournalThatIsStuck(t *testing.T) {
	conn, socket := listen(t)
	dir := t.TempDir()
	log := events.OpenAt(dir, false, socket)
	start := time.Now()
	const written = 900 // more than a socket's queue
	for i := range written {
		log.Write(padded(0, i))
	}
	inFile := len(all(t, dir))
	if took := time.Since(start); inFile == 0 || inFile == written || took > 5*time.Second {
		t.Errorf("%d of %d events are in the file, after %v", inFile, written, took)
	}
	if err := errors.Join(conn.Close()); err != nil {
		t.Fatal(err)
	}
	log.Write(events.Event{Kind: events.Unlock})
	if got := len(all(t, dir)); got != inFile+1 {
		t.Errorf("%d events are in the file, want %d", got, inFile+1)
	}
}

// In programs of others the file comes first, and the journal where there can be no file.
func TestJournalInsteadOfFile(t *testing.T) {
	conn, socket := listen(t)
	dir := t.TempDir()
	path := filepath.Join(dir, events.FileName)
	log := events.OpenAt(dir, true, socket)
	log.Write(events.Event{Kind: events.Unlock})
	if got := len(all(t, dir)); got != 1 {
		t.Errorf("%d events are in the file", got)
	}
	if err := errors.Join(os.Remove(path), os.Symlink("/dev/full", path)); err != nil {
		t.Fatal(err)
	}
	log.Write(events.Event{Kind: events.Create})
	if kind := receive(t, conn)["NCRYPT11_KIND"]; kind != "create" {
		t.Errorf("the journal has %q", kind)
	}
}
