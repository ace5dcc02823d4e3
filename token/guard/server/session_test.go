package server_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/events"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

func TestLevels(t *testing.T) {
	p := start(t, packets, server.Options{UID: uint32(os.Geteuid())})
	if c := p.greet(packets); c.Level != guard.Process {
		t.Errorf("the guard's own user: %v", c.Level)
	}
	if c := p.greetAs(1234); c.Level != guard.Service {
		t.Errorf("another user: %v", c.Level)
	}
	if c := start(t, bytestream, server.Options{}).greet(bytestream); c.Level != guard.VM {
		t.Errorf("another machine: %v", c.Level)
	}
}

func TestVersion(t *testing.T) {
	for _, n := range []network{packets, bytestream} {
		c := start(t, n, server.Options{}).dial(n)
		// What follows the version means something to that version only.
		message := append(make([]byte, 4), byte(protocol.MethodHello), 0, protocol.Version+1, 1, 2, 3)
		if err := c.wire.Send(message); err != nil {
			t.Fatal(err)
		}
		c.hurry()
		answer, err := c.wire.Receive()
		if err != nil {
			t.Fatal(err)
		}
		err = protocol.DecodeReply(answer, &protocol.Welcome{})
		want(t, "the next version", err, ck.CKR_FUNCTION_REJECTED)
		c.ended("the next version")
	}
}

// ended checks that the guard has closed the connection.
func (c *client) ended(when string) {
	c.Helper()
	c.hurry()
	if _, err := c.wire.Receive(); !errors.Is(err, io.EOF) {
		c.Errorf("%s: the connection goes on: %v", when, err)
	}
}

func TestHelloFirst(t *testing.T) {
	c := start(t, packets, server.Options{}).dial(packets)
	c.refuses("no hello", ck.CKR_FUNCTION_REJECTED, protocol.MethodStatus, &protocol.Nothing{})
	c.ended("no hello")
}

func TestHelloOnce(t *testing.T) {
	c := start(t, packets, server.Options{}).greet(packets)
	c.refuses("a second hello", ck.CKR_FUNCTION_REJECTED, protocol.MethodHello, &protocol.Hello{Version: protocol.Version})
	c.must(protocol.MethodStatus, &protocol.Nothing{}, &protocol.Report{})
}

// A session is for the process that made it. Nobody else learns whether there is one of that name.
func TestJoin(t *testing.T) {
	p := start(t, packets, server.Options{})
	first := p.greet(packets)
	k := first.ec(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
	hello := &protocol.Hello{Version: protocol.Version, Join: first.Session}
	second := p.dial(packets)
	second.must(protocol.MethodHello, hello, &second.Welcome)
	if second.Session != first.Session || second.Level != first.Level {
		t.Errorf("joined %+v, not %+v", second.Welcome, first.Welcome)
	}
	ecdsa := &protocol.Use{Ref: k.Ref, Op: mech.OpSign, Scheme: scheme(t, ck.CKM_ECDSA, nil, mech.OpSign), Data: digest[:]}
	second.must(protocol.MethodSign, ecdsa, &protocol.Output{})

	random := &protocol.Hello{Version: protocol.Version}
	_, _ = rand.Read(random.Join[:])
	other := p.dial(packets)
	other.refuses("a session that is not there", ck.CKR_SESSION_HANDLE_INVALID, protocol.MethodHello, random)
	other.ended("a session that is not there")
	p.dialAs(1234).refuses("another user's", ck.CKR_SESSION_HANDLE_INVALID, protocol.MethodHello, hello)
	p.dialAs(uint32(os.Geteuid())).refuses("another process's", ck.CKR_SESSION_HANDLE_INVALID, protocol.MethodHello, hello)

	// It lives as long as one of its connections.
	_ = first.net.Close()
	second.must(protocol.MethodSign, ecdsa, &protocol.Output{})
	_ = second.net.Close()
	eventually(t, "the session's end", func() bool { return p.report().Sessions == 1 }) // who asks has one
	p.dial(packets).refuses("a session that has ended", ck.CKR_SESSION_HANDLE_INVALID, protocol.MethodHello, hello)
}

// report asks for the guard's report in a session of its own.
func (p *place) report() *server.Report {
	p.Helper()
	c := p.greet(packets)
	defer c.net.Close()
	var m protocol.Report
	c.must(protocol.MethodStatus, &protocol.Nothing{}, &m)
	var r server.Report
	if err := json.Unmarshal(m.JSON, &r); err != nil {
		p.Fatal(err)
	}
	return &r
}

// With a session everything goes that was in it.
func TestSessionEnd(t *testing.T) {
	p := start(t, packets, server.Options{})
	c := p.greet(packets)
	opened := c.open(nil)
	var again protocol.Opened
	c.must(protocol.MethodUnlock, &protocol.Unlock{Sealed: opened.Sealed, Auth: pin(), Context: context}, &again)
	k := c.aes(opened.Vault, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	gcm := scheme(t, ck.CKM_AES_GCM, ck.GCMParams{IV: make([]byte, 12), TagBits: 128}, mech.OpDecrypt)
	var st protocol.Streaming
	c.must(protocol.MethodStream, &protocol.Use{Ref: k.Ref, Op: mech.OpDecrypt, Scheme: gcm}, &st)
	c.must(protocol.MethodStreamUpdate, &protocol.StreamPart{Stream: st.Stream, Data: make([]byte, 1<<20)}, &st)
	if r := p.report(); r.Keys != 1 || r.Sessions != 2 {
		t.Errorf("%+v", r)
	}
	_ = c.net.Close()
	eventually(t, "the session's end", func() bool { r := p.report(); return r.Keys == 0 && r.Sessions == 1 })
	eventually(t, "wiped master keys", func() bool {
		p.chip.mu.Lock()
		defer p.chip.mu.Unlock()
		for _, master := range p.chip.given {
			if master.Len() != 0 {
				return false
			}
		}
		return len(p.chip.given) == 1
	})
}

// Nothing of one session has a name in another, be it the same process's.
func TestSessionsApart(t *testing.T) {
	p := start(t, packets, server.Options{})
	mine, other := p.greet(packets), p.greet(packets)
	v := mine.open(nil).Vault
	k := mine.aes(v, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	cmac := scheme(t, ck.CKM_AES_CMAC, nil, mech.OpSign)
	var st protocol.Streaming
	mine.must(protocol.MethodStream, &protocol.Use{Ref: k.Ref, Op: mech.OpSign, Scheme: cmac}, &st)
	for name, test := range map[string]struct {
		method  protocol.Method
		request protocol.Message
		want    ck.RV
	}{
		"Sign":   {protocol.MethodSign, &protocol.Use{Ref: k.Ref, Op: mech.OpSign, Scheme: cmac}, ck.CKR_KEY_HANDLE_INVALID},
		"Reveal": {protocol.MethodReveal, &protocol.OneRef{Ref: k.Ref}, ck.CKR_KEY_HANDLE_INVALID},
		"Load":   {protocol.MethodLoad, &protocol.Load{Vault: v, Record: k.Record}, ck.CKR_USER_NOT_LOGGED_IN},
		"Reseal": {protocol.MethodReseal, &protocol.Reseal{Vault: v}, ck.CKR_USER_NOT_LOGGED_IN},
		"Update": {protocol.MethodStreamUpdate, &protocol.StreamPart{Stream: st.Stream}, ck.CKR_OPERATION_NOT_INITIALIZED},
		"Final":  {protocol.MethodStreamFinal, &protocol.OneStream{Stream: st.Stream}, ck.CKR_OPERATION_NOT_INITIALIZED},
	} {
		other.refuses(name, test.want, test.method, test.request)
	}
	other.must(protocol.MethodForget, &protocol.OneRef{Ref: k.Ref}, &protocol.Nothing{})
	other.must(protocol.MethodLock, &protocol.Lock{Vault: v}, &protocol.Nothing{})
	other.must(protocol.MethodStreamClose, &protocol.OneStream{Stream: st.Stream}, &protocol.Nothing{})
	mine.must(protocol.MethodStreamFinal, &protocol.OneStream{Stream: st.Stream}, &protocol.Output{})
	mine.must(protocol.MethodLoad, &protocol.Load{Vault: v, Record: k.Record}, &protocol.OneRef{})
}

// A sealed master key opens for those on its access list, as the kernel knows them.
func TestAccess(t *testing.T) {
	p := start(t, packets, server.Options{})
	owner := p.greetAs(1000)
	for _, test := range []struct {
		name  string
		terms seal.Terms
		opens map[uint32]bool
	}{
		{"the owner's alone", seal.Terms{}, map[uint32]bool{1000: true, 1001: false, 0: false}},
		{"a user's", seal.Terms{Access: seal.Access{Machine: true, Allow: []seal.Principal{{Kind: seal.User, ID: 1001}}}}, map[uint32]bool{1000: true, 1001: true, 1002: false}},
		{"a group's", seal.Terms{Access: seal.Access{Machine: true, Allow: []seal.Principal{{Kind: seal.Group, ID: 1002}}}}, map[uint32]bool{1001: true, 1002: true, 1003: false}},
		{"a list without machine scope", seal.Terms{Access: seal.Access{Allow: []seal.Principal{{Kind: seal.User, ID: 1001}}}}, map[uint32]bool{1001: false}},
		{"an owner of one's own choice", seal.Terms{Access: seal.Access{Owner: seal.Principal{Kind: seal.User, ID: 1001}}}, map[uint32]bool{1000: true, 1001: false}},
	} {
		sealed := owner.open(&test.terms).Sealed
		for uid, opens := range test.opens {
			rv := ck.RV(ck.CKR_ACTION_PROHIBITED)
			if opens {
				rv = ck.CKR_OK
			}
			err := p.greetAs(uid).ask(protocol.MethodUnlock, &protocol.Unlock{Sealed: sealed, Auth: pin(), Context: context}, &protocol.Opened{})
			want(t, test.name, err, rv)
		}
	}
	if n := len(p.diary.of(events.Refused)); n != 6 {
		t.Errorf("%d refusals in the log", n)
	}
}

func TestUnavailable(t *testing.T) {
	var asked atomic.Int64
	p := start(t, packets, server.Options{Available: func() string { asked.Add(1); return "the guard is not hardened" }})
	for range 5 {
		if c := p.greet(packets); c.Unavailable != "the guard is not hardened" {
			t.Errorf("%+v", c.Welcome)
		}
	}
	if n := asked.Load(); n > 2 { // once, unless this took a second
		t.Errorf("asked %d times", n)
	}
	time.Sleep(1100 * time.Millisecond)
	before := asked.Load()
	p.greet(packets)
	if asked.Load() != before+1 {
		t.Error("an old answer was believed")
	}
}
