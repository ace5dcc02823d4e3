package server_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token/guard/peer"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
)

// In a user namespace who has no number in it is not served: all such would be one user.
func TestUsersWithoutNumber(t *testing.T) {
	for _, namespace := range []bool{false, true} {
		mask := wearing(peer.Peer{UID: peer.Overflow, PID: 7})
		p := start(t, packets, server.Options{Who: mask.who, Namespace: namespace})
		if namespace {
			p.dial(packets).ended("somebody without a number")
			mask.be(peer.Peer{UID: 1000, PID: 7})
		}
		p.fine(packets)
	}
}
