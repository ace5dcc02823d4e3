package protocol_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// TestConn sends messages of all lengths around the borders of packets, on both kinds of transport.
func TestConn(t *testing.T) {
	for _, network := range []string{"unixpacket", "unix"} {
		a, b := pair(t, network)
		for _, n := range []int{0, 1, 65527, 65528, 65529, 131060, 131070, 1 << 20, protocol.MaxData} {
			sent := &protocol.Use{Scheme: plain, Data: bytes.Repeat([]byte{byte(n), 3, 5}, n/3+1)[:n]}
			message, err := protocol.AppendRequest(nil, protocol.MethodSign, sent)
			if err != nil {
				t.Fatal(err)
			}
			failed := make(chan error)
			go func() { failed <- a.Send(message) }()
			got, err := b.Receive()
			if err != nil {
				t.Fatal(err)
			}
			_, back, err := protocol.DecodeRequest(got)
			if err != nil || !bytes.Equal(back.(*protocol.Use).Data, sent.Data) {
				t.Errorf("%s: %d bytes arrived as others (%v)", network, n, err)
			}
			if err := <-failed; err != nil {
				t.Error(err)
			}
			if bytes.Count(message, []byte{0}) != len(message) {
				t.Errorf("%s: what was sent is not wiped", network)
			}
			b.Wipe()
			if bytes.Count(got, []byte{0}) != len(got) {
				t.Errorf("%s: what was received is not wiped", network)
			}
		}
	}
}

// A long message is asked about before it is taken.
func TestOnMore(t *testing.T) {
	a, b := pair(t, "unixpacket")
	var asked []int
	b.OnMore(func(length int) error {
		if asked = append(asked, length); length > 3*protocol.MaxPacket {
			return errors.New("no")
		}
		return nil
	})
	message, err := protocol.AppendRequest(nil, protocol.MethodSign, &protocol.Use{Scheme: plain, Data: make([]byte, 5*protocol.MaxPacket)})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = a.Send(message) }()
	if _, err := b.Receive(); err == nil || len(asked) != 3 || asked[0] != 2*protocol.MaxPacket {
		t.Errorf("asked %v (%v)", asked, err)
	}
}

// pair is a connection from both ends.
func pair(t *testing.T, network string) (*protocol.Conn, *protocol.Conn) {
	t.Helper()
	dir, err := os.MkdirTemp("", "conn")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen(network, dir+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial(network, dir+"/s")
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{dialled, accepted} {
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		t.Cleanup(func() { _ = c.Close() })
	}
	stream := network == "unix"
	return protocol.NewConn(dialled, stream), protocol.NewConn(accepted, stream)
}
