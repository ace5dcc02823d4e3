package server_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/events"
	"github.com/ncrypt11/ncrypt11/token/guard/peer"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// A login outlives its guard: the next one opens the vault by the ticket, and what was sealed under it.
func TestResume(t *testing.T) {
	chip := newChip()
	p := start(t, packets, server.Options{Sealer: chip})
	c := p.greet(packets)
	opened := c.open(&seal.Terms{PerBoot: true, Access: seal.Access{Machine: true, Allow: []seal.Principal{{Kind: seal.Group, ID: 42}}}})
	record := c.aes(opened.Vault, all(ck.CKO_SECRET_KEY, ck.CKK_AES)).Record
	var again protocol.Opened
	c.must(protocol.MethodResume, &protocol.Resume{Ticket: opened.Ticket}, &again)
	if again.Vault == opened.Vault {
		t.Error("two vaults have one number")
	}
	p.stop()

	next := startIn(t, p.dir, packets, server.Options{Sealer: chip})
	var wait sync.WaitGroup
	for range 8 {
		c := next.greet(packets)
		wait.Go(func() {
			var resumed protocol.Opened
			if err := c.ask(protocol.MethodResume, &protocol.Resume{Ticket: opened.Ticket}, &resumed); err != nil {
				t.Error(err)
				return
			}
			vault, ticket := resumed.Vault, bytes.Clone(resumed.Ticket)
			if err := c.ask(protocol.MethodLoad, &protocol.Load{Vault: vault, Record: record}, &protocol.OneRef{}); err != nil {
				t.Error(err)
			}
			if bytes.Equal(ticket, opened.Ticket) || len(ticket) == 0 {
				t.Errorf("the next guard's own ticket is %x", ticket)
			}
			// A ticket is no login: how the master key is kept is not to be changed with it.
			err := c.ask(protocol.MethodReseal, &protocol.Reseal{Vault: vault, Auth: pin(), Context: context}, &protocol.Output{})
			if ck.Code(err) != ck.CKR_USER_NOT_LOGGED_IN {
				t.Errorf("Reseal: %v", err)
			}
		})
	}
	wait.Wait()
	if n := chip.unseals.Load(); n != 1 {
		t.Errorf("eight clients cost %d times unsealing", n)
	}
	if n := len(next.diary.of(events.Unlock)); n != 8 {
		t.Errorf("%d unlocks in the log", n)
	}
}

// A ticket is good for who got it and for nobody else, and for nothing once a bit of it is another.
func TestTicketOfAnother(t *testing.T) {
	mask := wearing(peer.Peer{UID: 1000, PID: 7})
	p := start(t, packets, server.Options{Who: mask.who})
	ticket := p.greet(packets).open(nil).Ticket
	for _, who := range []peer.Peer{{UID: 1001, PID: 7}, {UID: 1000, PID: 8}, {UID: 0, PID: 7}, {VM: true, CID: 1000}, {UID: 1000}} {
		mask.be(who)
		p.greet(packets).refuses("another's ticket", ck.CKR_ACTION_PROHIBITED, protocol.MethodResume, &protocol.Resume{Ticket: ticket})
	}
	mask.be(peer.Peer{UID: 1000, PID: 7})
	c := p.greet(packets)
	for i := range ticket {
		spoiled := bytes.Clone(ticket)
		spoiled[i] ^= 1
		if err := c.ask(protocol.MethodResume, &protocol.Resume{Ticket: spoiled}, &protocol.Opened{}); err == nil {
			t.Errorf("byte %d may be any", i)
		}
	}
	for i := range len(ticket) {
		if err := c.ask(protocol.MethodResume, &protocol.Resume{Ticket: ticket[:i]}, &protocol.Opened{}); err == nil {
			t.Errorf("cut at %d", i)
		}
	}
	c.must(protocol.MethodResume, &protocol.Resume{Ticket: ticket}, &protocol.Opened{})
	mask.be(peer.Peer{UID: 1000}) // in a PID namespace of its own
	if ticket := p.greet(packets).open(nil).Ticket; len(ticket) > 0 {
		t.Error("a ticket for a process that cannot be told from its neighbours")
	}
}

// What an access list says holds for tickets too: they carry the terms, and the guard looks.
func TestTicketAfterBoot(t *testing.T) {
	p := start(t, packets, server.Options{})
	ticket := p.greet(packets).open(nil).Ticket
	p.stop()
	next := startIn(t, p.dir, packets, server.Options{Sealer: newChip()}) // a chip that has forgotten: the boot is over
	next.greet(packets).refuses("a ticket of another boot", ck.CKR_DEVICE_ERROR, protocol.MethodResume, &protocol.Resume{Ticket: ticket})
	if n := len(next.diary.of(events.CannotDecrypt)); n != 1 {
		t.Errorf("%d events", n)
	}
}

// A sealer that cannot seal for one boot gives no tickets, and all else works.
func TestNoTickets(t *testing.T) {
	chip := newChip()
	chip.terms = seal.ErrTerms
	soft := pinseal.New(pinseal.WithCost(pinseal.Cost{Passes: 1, KiB: 8, Threads: 1}))
	for name, sealer := range map[string]seal.Sealer{"a chip": chip, "software": soft} {
		p := start(t, packets, server.Options{Sealer: sealer, Who: wearing(peer.Peer{UID: 1, PID: 1}).who})
		err := p.greet(packets).ask(protocol.MethodNewMaster, &protocol.NewMaster{Auth: pin(), Context: context}, &protocol.Opened{})
		want(t, name, err, ck.CKR_FUNCTION_REJECTED) // since an owner is a promise
	}
	c := start(t, packets, server.Options{Sealer: noBoots{newChip()}}).greet(packets)
	if opened := c.open(nil); len(opened.Ticket) > 0 {
		t.Errorf("a ticket of %d bytes", len(opened.Ticket))
	}
	c.refuses("no ticket at all", ck.CKR_ACTION_PROHIBITED, protocol.MethodResume, &protocol.Resume{})
}

// noBoots is a chip that cannot tell one boot from another.
type noBoots struct{ *chip }

func (n noBoots) Seal(master, auth *secret.Bytes, context []byte, terms *seal.Terms) ([]byte, error) {
	if terms != nil && terms.PerBoot {
		return nil, seal.ErrTerms
	}
	return n.chip.Seal(master, auth, context, terms)
}
