package server_test

import (
	"bytes"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/events"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// fine checks that the guard serves others.
func (p *place) fine(n network) {
	p.Helper()
	c := p.greet(n)
	defer c.net.Close()
	k := c.ec(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
	c.must(protocol.MethodSign, &protocol.Use{Ref: k.Ref, Op: mech.OpSign, Scheme: scheme(p, ck.CKM_ECDSA, nil, mech.OpSign), Data: digest[:]}, &protocol.Output{})
}

// request is the packet of a request.
func request(t testing.TB, method protocol.Method, m protocol.Message) []byte {
	t.Helper()
	b, err := protocol.AppendRequest(nil, method, m)
	if err != nil {
		t.Fatal(err)
	}
	b[1], b[2], b[3] = byte((len(b)-4)>>16), byte((len(b)-4)>>8), byte(len(b)-4)
	return b
}

// What is no message ends the connection that it came on, before and after the hello.
func TestMalformed(t *testing.T) {
	status := request(t, protocol.MethodStatus, &protocol.Nothing{})
	unlock := request(t, protocol.MethodUnlock, &protocol.Unlock{Sealed: []byte("sealed"), Auth: pin(), Context: context})
	long := append([]byte{1, 0, 0xff, 0xfc}, make([]byte, 0xfffc)...)
	for name, packet := range map[string][]byte{
		"no head":                                   {0, 0},
		"an empty message":                          {0, 0, 0, 0},
		"an unknown flag":                           append([]byte{2}, status[1:]...),
		"a method that there is not":                {0, 0, 0, 1, 0xee},
		"the method zero":                           {0, 0, 0, 1, 0},
		"more than the method takes":                {0, 0, 0, 2, byte(protocol.MethodStatus), 0},
		"less than the method takes":                {0, 0, 0, 3, byte(protocol.MethodUnlock), 0, 0},
		"a length beyond the message":               {0, 0, 0, 5, byte(protocol.MethodResume), 0xff, 0xff, 0xff, 0xff},
		"a PIN, and then too much":                  append([]byte{0, 0, 0, unlock[3] + 1}, append(unlock[4:], 0)...),
		"a first packet that is not full":           append([]byte{1}, status[1:]...),
		"a head that says more than a packet holds": {0, 1, 0, 0, 0},
		"a long message before the hello":           long,
	} {
		for _, n := range []network{packets, bytestream} {
			p := start(t, n, server.Options{})
			for _, greeted := range []bool{false, true} {
				c := p.dial(n)
				if greeted {
					c = p.greet(n)
					if &packet[0] == &long[0] {
						continue
					}
				}
				raw := c.net.(net.Conn)
				if _, err := raw.Write(packet); err != nil {
					t.Fatal(err)
				}
				if n.name == "unix" {
					_ = raw.(*net.UnixConn).CloseWrite() // a stream may wait for the rest
				}
				_ = raw.SetReadDeadline(time.Now().Add(patience))
				answer := make([]byte, 1<<16)
				if k, err := raw.Read(answer); err == nil && (answer[4] != 1 || bytes.Contains(answer[:k], []byte("sealed"))) {
					t.Errorf("%s: it answered %x", name, answer[:k])
				}
				if _, err := raw.Read(answer); err == nil || os.IsTimeout(err) {
					t.Errorf("%s: the connection goes on (%v)", name, err)
				}
			}
			p.fine(n)
		}
	}
}

// A packet that says another length than it has.
func TestLyingPacket(t *testing.T) {
	p := start(t, packets, server.Options{})
	status := request(t, protocol.MethodStatus, &protocol.Nothing{})
	for _, change := range []int{-1, 1} {
		c := p.greet(packets)
		packet := bytes.Clone(status)
		packet[3] += byte(change)
		if _, err := c.net.Write(packet); err != nil {
			t.Fatal(err)
		}
		c.ended("a lie about the length")
	}
}

// A message has a largest length, whatever its packets say.
func TestEndlessMessage(t *testing.T) {
	for _, n := range []network{packets, bytestream} {
		p := start(t, n, server.Options{})
		c := p.greet(n)
		packet := append([]byte{1, 0, 0xff, 0xfc}, make([]byte, 0xfffc)...)
		sent := 0
		for ; sent < 1000; sent++ {
			c.hurry()
			if _, err := c.net.Write(packet); err != nil {
				break
			}
		}
		if sent < protocol.MaxMessage>>16 || sent == 1000 {
			t.Errorf("%d packets were taken", sent)
		}
		p.fine(n)
	}
}

// Half a message, and then nothing: the connection goes, and with it what it held.
func TestHalfAMessage(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a deadline")
	}
	t.Parallel()
	var wait sync.WaitGroup
	for _, n := range []network{packets, bytestream} {
		for name, half := range map[string][]byte{
			"a first packet": append([]byte{1, 0, 0xff, 0xfc}, make([]byte, 0xfffc)...),
			"no hello":       nil,
			"a head":         {0, 0, 1, 0},
		} {
			if name == "a head" && n.name != "unix" {
				continue
			}
			p := start(t, n, server.Options{})
			wait.Go(func() {
				c := p.dial(n)
				if half != nil {
					c = p.greet(n)
					if _, err := c.net.Write(half); err != nil {
						t.Error(err)
					}
				}
				begin := time.Now()
				c.ended(name)
				if waited := time.Since(begin); waited < protocol.Stall/2 {
					t.Errorf("%s: the guard waited %v", name, waited)
				}
			})
		}
	}
	wait.Wait()
}

// Who does not read his answers waits for them alone.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	p := start(t, packets, server.Options{})
	deaf := p.greet(packets)
	k := deaf.aes(0, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	s := scheme(t, ck.CKM_AES_CTR, ck.CTRParams{CounterBits: 128}, mech.OpEncrypt)
	packet := request(t, protocol.MethodCrypt, &protocol.Use{Ref: k.Ref, Op: mech.OpEncrypt, Scheme: s, Data: make([]byte, 60_000)})
	_ = deaf.net.SetWriteDeadline(time.Now().Add(time.Second))
	sent := 0
	for ; sent < 1000; sent++ {
		if _, err := deaf.net.Write(packet); err != nil {
			break
		}
	}
	if sent == 1000 {
		t.Error("the guard keeps answers that nobody reads")
	}
	p.fine(packets)
	eventually(t, "the end of who does not read", func() bool { return p.report().Sessions == 1 })
}

// A defect ends a request, not the guard, and what it was about is not told.
func TestDefect(t *testing.T) {
	p := start(t, packets, server.Options{})
	c := p.greet(packets)
	sealed := c.open(nil).Sealed
	for range 5 { // which is more than may be under way: none of them stays so
		c.refuses("a defect", ck.CKR_GENERAL_ERROR, protocol.MethodUnlock, &protocol.Unlock{Sealed: sealed, Auth: secret.Copy([]byte("defect")), Context: context})
	}
	c.must(protocol.MethodUnlock, &protocol.Unlock{Sealed: sealed, Auth: pin(), Context: context}, &protocol.Opened{})
	found := p.diary.of("guard-defect")
	if len(found) != 5 || found[0].Reason != "a defect in the guard ended Unlock: string" || found[0].Kind == events.Refused {
		t.Errorf("%+v", found)
	}
}

// A request that does not end does not keep the guard from ending.
func TestCloseDuringRequest(t *testing.T) {
	t.Parallel()
	chip := newChip()
	chip.hold = make(chan struct{})
	p := start(t, packets, server.Options{Sealer: chip})
	c := p.greet(packets)
	sealed := c.open(nil).Sealed
	asked := make(chan error)
	go func() {
		asked <- c.ask(protocol.MethodUnlock, &protocol.Unlock{Sealed: sealed, Auth: pin(), Context: context}, &protocol.Opened{})
	}()
	time.Sleep(50 * time.Millisecond)
	begin := time.Now()
	p.Close()
	if took := time.Since(begin); took < 3*time.Second || took > 10*time.Second {
		t.Errorf("closing took %v", took)
	}
	if err := <-asked; err == nil {
		t.Error("it was answered")
	}
	close(chip.hold)
}
