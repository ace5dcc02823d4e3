package server_test

import (
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard/peer"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
)

// Four users who take up all the room for large messages keep nobody from reading a small key.
func TestSmallAnswersNeedNoRoom(t *testing.T) {
	mask := wearing(peer.Peer{PID: 1})
	p := start(t, packets, server.Options{Who: mask.who})
	packet := append([]byte{1, 0, 0xff, 0xfc}, make([]byte, 0xfffc)...)
	for uid := range uint32(4) {
		for range 2 {
			mask.be(peer.Peer{UID: 1000 + uid, PID: 1})
			c := p.greet(packets)
			for range 20 { // more than a medium message, and never its end
				if _, err := c.net.Write(packet); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	mask.be(peer.Peer{UID: 2000, PID: 1})
	c := p.greet(packets)
	policy := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	k := c.aes(0, policy)
	begin := time.Now()
	c.must(protocol.MethodReveal, &protocol.OneRef{Ref: k.Ref}, &protocol.Revealed{})
	c.must(protocol.MethodReissue, &protocol.Reissue{Ref: k.Ref, Policy: policy}, &protocol.Made{})
	if took := time.Since(begin); took > protocol.Stall/4 {
		t.Errorf("it took %v", took)
	}
}
