package server_test

import (
	"sync"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard/peer"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// A thousand connections of one user, all of them busy, do not keep another user from being served.
func TestFlood(t *testing.T) {
	mask := wearing(peer.Peer{UID: 1000, PID: 1})
	p := start(t, packets, server.Options{Who: mask.who})
	const flood = 1000
	ecdsa := scheme(t, ck.CKM_ECDSA, nil, mech.OpSign)
	begun, stop := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	first := p.greet(packets)
	k := first.ec(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
	for range flood {
		c := p.dial(packets)
		c.must(protocol.MethodHello, &protocol.Hello{Version: protocol.Version, Join: first.Session}, &c.Welcome)
		wait.Go(func() {
			<-begun
			for {
				select {
				case <-stop:
					return
				default:
				}
				if c.ask(protocol.MethodSign, &protocol.Use{Ref: k.Ref, Op: mech.OpSign, Scheme: ecdsa, Data: digest[:]}, &protocol.Output{}) != nil {
					return
				}
			}
		})
	}
	mask.be(peer.Peer{UID: 2000, PID: 1})
	close(begun)
	time.Sleep(100 * time.Millisecond)
	begin := time.Now()
	for range 10 {
		p.fine(packets)
	}
	took := time.Since(begin)
	close(stop)
	wait.Wait()
	t.Logf("ten times connecting, generating and signing beside %d busy connections: %v", flood, took)
	if took > 10*time.Second {
		t.Errorf("another user waited %v", took)
	}
}

// One user has so many connections, and is told so when there are no more. Others have theirs.
func TestTooManyConnections(t *testing.T) {
	mask := wearing(peer.Peer{UID: 1000, PID: 1})
	p := start(t, packets, server.Options{Who: mask.who})
	first := p.greet(packets)
	hello := &protocol.Hello{Version: protocol.Version, Join: first.Session}
	held := []*client{first}
	for {
		c := p.dial(packets)
		err := c.ask(protocol.MethodHello, hello, &c.Welcome)
		if err != nil {
			want(t, "one too many", err, ck.CKR_DEVICE_MEMORY)
			c.ended("one too many")
			break
		}
		if held = append(held, c); len(held) > 5000 {
			t.Fatal("there is no end to them")
		}
	}
	mask.be(peer.Peer{UID: 2000, PID: 1})
	p.fine(packets)
	for _, c := range held {
		_ = c.net.Close()
	}
	mask.be(peer.Peer{UID: 1000, PID: 1})
	eventually(t, "room again", func() bool {
		c := p.dial(packets)
		defer c.net.Close()
		return c.ask(protocol.MethodHello, &protocol.Hello{Version: protocol.Version}, &c.Welcome) == nil
	})
}

// Sessions are limited, too.
func TestTooManySessions(t *testing.T) {
	p := start(t, packets, server.Options{})
	for n := 0; ; n++ {
		c := p.dial(packets)
		err := c.ask(protocol.MethodHello, &protocol.Hello{Version: protocol.Version}, &c.Welcome)
		if err == nil && n < 5000 {
			continue
		}
		want(t, "one too many", err, ck.CKR_DEVICE_MEMORY)
		c.ended("one too many")
		return
	}
}

// Who comes over a vsock from the guard's own machine is a user whom nobody can name.
func TestLocalVsock(t *testing.T) {
	mask := wearing(peer.Peer{})
	p := start(t, packets, server.Options{CID: 7, Who: mask.who})
	for _, cid := range []uint32{1, 7} {
		mask.be(peer.Peer{VM: true, CID: cid})
		p.dial(packets).ended("a local peer")
	}
	mask.be(peer.Peer{VM: true, CID: 2})
	p.fine(packets)
}

// Requests that wait for the TPM are limited for each user, so that one user's flood of them is no other's.
func TestTPMFlood(t *testing.T) {
	chip := newChip()
	chip.hold = make(chan struct{})
	mask := wearing(peer.Peer{UID: 1000, PID: 1})
	p := start(t, packets, server.Options{Sealer: chip, Who: mask.who})
	first := p.greet(packets)
	sealed := first.open(nil).Sealed
	var wait sync.WaitGroup
	for range 20 {
		c := p.greet(packets)
		wait.Go(func() {
			if err := c.ask(protocol.MethodUnlock, &protocol.Unlock{Sealed: sealed, Auth: pin(), Context: context}, &protocol.Opened{}); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	mask.be(peer.Peer{UID: 2000, PID: 1})
	c := p.greet(packets)
	c.open(nil)
	c.must(protocol.MethodStatus, &protocol.Nothing{}, &protocol.Report{})
	close(chip.hold)
	wait.Wait()
}
