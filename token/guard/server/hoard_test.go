package server_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/events"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// What one user can have the guard keep, and for how long.

// gcmStream begins a multi-part decryption, which keeps all that it is given.
func (c *client) gcmStream(ref guard.Ref, aad, data []byte) error {
	gcm := scheme(c, ck.CKM_AES_GCM, ck.GCMParams{IV: make([]byte, 12), AAD: aad, TagBits: 128}, mech.OpDecrypt)
	return c.ask(protocol.MethodStream, &protocol.Use{Ref: ref, Op: mech.OpDecrypt, Scheme: gcm, Data: data}, &protocol.Streaming{})
}

// An operation in parts is paid for from its beginning: its additional data alone may have megabytes.
func TestStreamsArePaidFor(t *testing.T) {
	p := start(t, packets, server.Options{})
	c := p.greet(packets)
	k := c.aes(0, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	aad := make([]byte, 4<<20)
	begun := 0
	for ; begun < 100; begun++ {
		if err := c.gcmStream(k.Ref, aad, nil); err != nil {
			want(t, "too much additional data", err, ck.CKR_DEVICE_MEMORY)
			break
		}
	}
	if begun < 10 || begun > 64 {
		t.Errorf("%d operations with %d bytes each were begun", begun, len(aad))
	}
	// What is given back is there again.
	c.must(protocol.MethodStreamClose, &protocol.OneStream{Stream: 1}, &protocol.Nothing{})
	if err := c.gcmStream(k.Ref, aad, nil); err != nil {
		t.Errorf("after one has ended: %v", err)
	}
}

// Where a vault is locked, operations in parts with its keys are over, and leave room for others.
func TestLockEndsStreams(t *testing.T) {
	p := start(t, packets, server.Options{})
	c := p.greet(packets)
	v := c.open(nil).Vault
	k := c.aes(v, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	begin := func(ref guard.Ref) (n int, err error) {
		for ; n < 10_000 && err == nil; n++ {
			err = c.gcmStream(ref, nil, nil)
		}
		return n - 1, err
	}
	most, err := begin(k.Ref)
	want(t, "one too many", err, ck.CKR_DEVICE_MEMORY)
	c.must(protocol.MethodLock, &protocol.Lock{Vault: v}, &protocol.Nothing{})
	again, err := begin(c.aes(0, all(ck.CKO_SECRET_KEY, ck.CKK_AES)).Ref)
	want(t, "one too many again", err, ck.CKR_DEVICE_MEMORY)
	if most < 100 || again != most {
		t.Errorf("%d operations before the vault was locked, %d after", most, again)
	}
}

// An open vault is paid for, as keys are: a ticket opens one in no time, and as often as one likes.
func TestVaultsArePaidFor(t *testing.T) {
	p := start(t, packets, server.Options{})
	c := p.greet(packets)
	ticket := c.open(nil).Ticket
	data := func(size int) (guard.Ref, error) {
		var made protocol.Made
		err := c.ask(protocol.MethodImport, &protocol.Import{
			Policy: all(ck.CKO_DATA, 0), Material: guard.Material{Class: ck.CKO_DATA, Parts: []guard.Part{part(ck.CKA_VALUE, make([]byte, size))}},
		}, &made)
		return made.Key.Ref, err
	}
	var last guard.Ref
	for size := 8 << 20; size > 0; size /= 4 {
		for {
			ref, err := data(size)
			if err != nil {
				want(t, "too much data", err, ck.CKR_DEVICE_MEMORY)
				break
			}
			last = ref
		}
	}
	c.refuses("a vault where there is no room", ck.CKR_DEVICE_MEMORY, protocol.MethodResume, &protocol.Resume{Ticket: ticket})
	c.must(protocol.MethodForget, &protocol.OneRef{Ref: last}, &protocol.Nothing{})
	var opened protocol.Opened
	for range 3 {
		c.must(protocol.MethodResume, &protocol.Resume{Ticket: ticket}, &opened)
		c.must(protocol.MethodLock, &protocol.Lock{Vault: opened.Vault}, &protocol.Nothing{})
	}
}

// What events are about is the client's to choose, so he cannot push those of others out of the log by a new key for each.
func TestNoise(t *testing.T) {
	p := start(t, packets, server.Options{})
	c := p.greet(packets)
	policy := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	const made = 500
	begin := time.Now()
	for i := range made {
		binary.BigEndian.PutUint16(policy.ID[:], uint16(i))
		c.aes(0, policy)
	}
	windows := int(time.Since(begin)/time.Second) + 2
	imported, named := p.diary.of(events.Import), map[string]bool{}
	for _, e := range imported {
		if e.User == "" || e.PID == 0 {
			t.Fatalf("nobody's: %+v", e)
		}
		if e.Key != "" {
			named[e.Key] = true
		}
	}
	if len(imported) != made || len(named) < 50 || len(named) > 100*windows {
		t.Errorf("%d events, and %d keys in them, in %d seconds", len(imported), len(named), windows)
	}
}

// The key of tickets is the guard's own: a client that takes it from a ticket, where it is sealed, does not get it opened.
func TestTicketKeyIsNoMasterKey(t *testing.T) {
	p := start(t, packets, server.Options{})
	c := p.greet(packets)
	opened := c.open(nil)
	blob := opened.Ticket[3 : 3+binary.BigEndian.Uint16(opened.Ticket[1:])]
	reserved := []byte("ncrypt11 guard resumption")
	k := c.aes(opened.Vault, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	for name, test := range map[string]struct {
		method  protocol.Method
		request protocol.Message
	}{
		"opening it":          {protocol.MethodUnlock, &protocol.Unlock{Sealed: blob, Context: reserved}},
		"making one":          {protocol.MethodNewMaster, &protocol.NewMaster{Context: reserved}},
		"making one of a key": {protocol.MethodReseal, &protocol.Reseal{Vault: opened.Vault, Auth: pin(), Context: reserved}},
		"trying it":           {protocol.MethodAuthorize, &protocol.Authorize{Ref: k.Ref, Sealed: blob, Context: reserved}},
	} {
		c.refuses(name, ck.CKR_ACTION_PROHIBITED, test.method, test.request)
	}
}
