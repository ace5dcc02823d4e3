package events

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// Identifier is what journalctl -t asks for.
const Identifier = "ncrypt11"

// journalSocket is where systemd's journal takes datagrams: fields, one a line (systemd.io/JOURNAL_NATIVE_PROTOCOL).
const journalSocket = "/run/systemd/journal/socket"

// eventField has the whole event as its line, for readers; the other fields are for people and for matches of journalctl.
const eventField = "NCRYPT11_EVENT"

// journal is the journal behind a socket. There is no connection and no waiting: where the journal's queue is full the event goes elsewhere.
// Packages for this go through Go's poller, wait for a full queue for ever, and keep their socket.
type journal struct{ socket string }

func (j journal) put(e *Event, line []byte) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }() // the datagram is gone or it is not
	return unix.Sendto(fd, journalEntry(e, line), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, &unix.SockaddrUnix{Name: j.socket})
}

// journalEntry gives the datagram. No value has a line's end in it, as all of them are escaped.
func journalEntry(e *Event, line []byte) []byte {
	var b bytes.Buffer
	for _, f := range []struct{ name, value string }{
		{"MESSAGE", e.Text()},
		{"PRIORITY", strconv.Itoa(rowOf(e.Kind).priority)},
		{"SYSLOG_IDENTIFIER", Identifier},
		{"NCRYPT11_KIND", string(e.Kind)},
		{"NCRYPT11_TOKEN", e.Token},
		{"NCRYPT11_KEY", e.Key},
		{"NCRYPT11_USER", e.User},
		{"NCRYPT11_CODE", e.Code},
		{eventField, string(bytes.TrimSuffix(line, []byte{'\n'}))},
	} {
		if f.value != "" {
			b.WriteString(f.name + "=" + escape(f.value) + "\n")
		}
	}
	return b.Bytes()
}
