package server_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

func TestHello(t *testing.T) {
	for _, n := range []network{packets, bytestream} {
		p := start(t, n, server.Options{UID: 4711})
		c := p.greet(n)
		level := guard.Service
		if n.name == "unix" {
			level = guard.VM
		}
		if c.Level != level || c.PINLimit != 5 || c.Unavailable != "" || c.Session == (protocol.SessionID{}) {
			t.Errorf("%s: %+v", n.name, c.Welcome)
		}
		v := c.open(nil).Vault
		k := c.ec(v, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
		var out protocol.Output
		c.must(protocol.MethodSign, &protocol.Use{Ref: k.Ref, Op: mech.OpSign, Scheme: scheme(t, ck.CKM_ECDSA, nil, mech.OpSign), Data: digest[:]}, &out)
		if len(out.Data) != 64 {
			t.Errorf("%s: a signature of %d bytes", n.name, len(out.Data))
		}
	}
}
