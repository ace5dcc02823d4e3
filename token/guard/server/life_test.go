package server_test

import (
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/events"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// What happens to keys is in the log, with whose doing it was.
func TestEvents(t *testing.T) {
	p := start(t, packets, server.Options{UID: 4711})
	c := p.greetAs(1000)
	opened := c.open(nil)
	_ = c.ask(protocol.MethodUnlock, &protocol.Unlock{Sealed: opened.Sealed, Auth: secret.Copy([]byte("4321")), Context: context}, &protocol.Opened{})
	c.must(protocol.MethodUnlock, &protocol.Unlock{Sealed: opened.Sealed, Auth: pin(), Context: context}, &protocol.Opened{})
	policy := all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)
	policy.ID = [16]byte{0xab}
	k := c.ec(opened.Vault, policy)
	aes := c.aes(opened.Vault, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	ecdsa := scheme(t, ck.CKM_ECDSA, nil, mech.OpSign)
	for range 5 {
		c.must(protocol.MethodSign, &protocol.Use{Ref: k.Ref, Op: mech.OpSign, Scheme: ecdsa, Data: digest[:]}, &protocol.Output{})
	}
	_ = c.ask(protocol.MethodSign, &protocol.Use{Ref: k.Ref, Op: mech.OpSign, Scheme: scheme(t, ck.CKM_AES_CMAC, nil, mech.OpSign)}, &protocol.Output{})
	c.must(protocol.MethodWrap, &protocol.Wrap{By: aes.Ref, Key: aes.Ref, Scheme: scheme(t, ck.CKM_AES_KEY_WRAP, nil, mech.OpWrap)}, &protocol.Output{})
	c.must(protocol.MethodReveal, &protocol.OneRef{Ref: aes.Ref}, &protocol.Revealed{})
	_ = c.ask(protocol.MethodLoad, &protocol.Load{Vault: opened.Vault, Record: []byte("N11R")}, &protocol.OneRef{})
	c.must(protocol.MethodForget, &protocol.OneRef{Ref: k.Ref}, &protocol.Nothing{})
	c.must(protocol.MethodForget, &protocol.OneRef{Ref: k.Ref}, &protocol.Nothing{})
	c.must(protocol.MethodLock, &protocol.Lock{Vault: opened.Vault}, &protocol.Nothing{})
	for kind, n := range map[events.Kind]int{
		events.GuardStart: 1, events.Master: 1, events.PINWrong: 1, events.Unlock: 1, events.Create: 1, events.Import: 1, events.Wrap: 1, events.Reveal: 1,
		events.CannotDecrypt: 1, events.Used: 2, events.Use: 0, events.Refused: 0,
	} {
		found := p.diary.of(kind)
		if len(found) != n {
			t.Errorf("%s: %d events", kind, len(found))
		}
		for _, e := range found {
			if kind != events.GuardStart && (e.User != "user:1000" || e.PID == 0 || e.Guard != "service" || e.Token != "0123456789abcdef") {
				t.Errorf("%s: %+v", kind, e)
			}
		}
	}
	used := p.diary.of(events.Used)
	if used[0].Key != "ab000000000000000000000000000000" || used[0].Count != 5 || used[0].KeyType != "CKK_EC" || used[1].Count != 1 {
		t.Errorf("%+v", used)
	}
	if created := p.diary.of(events.Create)[0]; created.Mechanism != "CKM_EC_KEY_PAIR_GEN" || created.Key != used[0].Key {
		t.Errorf("%+v", created)
	}
	p.stop()
	if len(p.diary.of(events.GuardStop)) != 1 {
		t.Error("no guard-stop")
	}
}

func TestLogUses(t *testing.T) {
	p := start(t, packets, server.Options{LogUses: true})
	c := p.greet(packets)
	k := c.aes(0, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	cmac := scheme(t, ck.CKM_AES_CMAC, nil, mech.OpSign)
	for range 3 {
		c.must(protocol.MethodSign, &protocol.Use{Ref: k.Ref, Op: mech.OpSign, Scheme: cmac}, &protocol.Output{})
	}
	var st protocol.Streaming
	c.must(protocol.MethodStream, &protocol.Use{Ref: k.Ref, Op: mech.OpSign, Scheme: cmac}, &st)
	c.must(protocol.MethodStreamFinal, &protocol.OneStream{Stream: st.Stream}, &protocol.Output{})
	if uses := p.diary.of(events.Use); len(uses) != 4 || uses[0].Mechanism != "CKM_AES_CMAC" || uses[0].Key == "" {
		t.Errorf("%+v", uses)
	}
	if r := p.report(); r.Uses != 4 || !r.LogUses {
		t.Errorf("%+v", r)
	}
}

// A guard is idle when nobody is connected, and only then.
func TestIdle(t *testing.T) {
	const idle = 200 * time.Millisecond
	p := start(t, packets, server.Options{Idle: idle})
	c := p.greet(packets)
	select {
	case <-p.Idle():
		t.Fatal("idle with a client")
	case <-time.After(3 * idle):
	}
	if p.Retire(0) {
		t.Fatal("it left a client")
	}
	c.must(protocol.MethodStatus, &protocol.Nothing{}, &protocol.Report{})
	_ = c.net.Close()
	select {
	case <-p.Idle():
	case <-time.After(patience):
		t.Fatal("never idle")
	}
	late := make(chan *client)
	go func() { late <- p.greet(packets) }() // who found it just before it leaves
	eventually(t, "a late client", func() bool {
		select {
		case c = <-late:
			return true
		default:
			return false
		}
	})
	if p.Retire(10 * time.Millisecond) {
		t.Error("it left a late client")
	}
	c.must(protocol.MethodStatus, &protocol.Nothing{}, &protocol.Report{})
	_ = c.net.Close()
	eventually(t, "leaving", func() bool { return p.Retire(10 * time.Millisecond) })
	p.served.Wait()
	if err := p.listens(packets); err == nil {
		t.Error("it still listens")
	}
}

// Closing answers what is under way, and then nothing more.
func TestClose(t *testing.T) {
	p := start(t, packets, server.Options{})
	idle, busy := p.greet(packets), p.greet(packets)
	answer := make(chan error)
	go func() {
		answer <- busy.ask(protocol.MethodGenerate, &protocol.Generate{
			Scheme: scheme(t, ck.CKM_RSA_PKCS_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair), Spec: &guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 2048}, Policy: all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA),
		}, &protocol.Made{})
	}()
	time.Sleep(20 * time.Millisecond)
	p.Close()
	if err := <-answer; err != nil {
		t.Errorf("what was under way: %v", err)
	}
	idle.ended("a connection that waits")
	busy.ended("a connection that worked")
	p.Close() // again
}

func TestLimitsOfASession(t *testing.T) {
	p := start(t, packets, server.Options{})
	c := p.greet(packets)
	k := c.aes(0, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	cmac := scheme(t, ck.CKM_AES_CMAC, nil, mech.OpSign)
	var err error
	n := 0
	for ; err == nil && n < 10_000; n++ {
		err = c.ask(protocol.MethodStream, &protocol.Use{Ref: k.Ref, Op: mech.OpSign, Scheme: cmac}, &protocol.Streaming{})
	}
	want(t, "streams without end", err, ck.CKR_DEVICE_MEMORY)
	for err, n = nil, 0; err == nil && n < 100_000; n++ {
		err = c.ask(protocol.MethodReissue, &protocol.Reissue{Ref: k.Ref, Policy: all(ck.CKO_SECRET_KEY, ck.CKK_AES)}, &protocol.Made{})
	}
	want(t, "keys without end", err, ck.CKR_DEVICE_MEMORY)
	p.fine(packets)
}

// Memory is limited for each user, not only the number of keys.
func TestMemoryOfAUser(t *testing.T) {
	p := start(t, packets, server.Options{})
	c := p.greet(packets)
	data := all(ck.CKO_DATA, 0)
	request := &protocol.Import{Policy: data, Material: guard.Material{Class: ck.CKO_DATA, Parts: []guard.Part{part(ck.CKA_VALUE, make([]byte, 8<<20))}}}
	var err error
	var made protocol.Made
	var refs []guard.Ref
	for err == nil && len(refs) < 1000 {
		if err = c.ask(protocol.MethodImport, request, &made); err == nil {
			refs = append(refs, made.Key.Ref)
		}
	}
	want(t, "objects without end", err, ck.CKR_DEVICE_MEMORY)
	if len(refs) < 4 || len(refs) > 64 {
		t.Errorf("%d objects", len(refs))
	}
	c.must(protocol.MethodForget, &protocol.OneRef{Ref: refs[0]}, &protocol.Nothing{})
	c.must(protocol.MethodImport, request, &made)
}
