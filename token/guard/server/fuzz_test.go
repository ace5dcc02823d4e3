package server_test

import (
	"bytes"
	"net"
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
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// FuzzServe sends packets into a session with a key that must not leave it. The input is packets without their heads, each after two bytes of length.
func FuzzServe(f *testing.F) {
	log := &defects{}
	running := start(f, packets, server.Options{Log: log})
	secretValue := []byte("0123456789-the-key-itself-876543")
	policy := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	policy.Extractable, policy.Sensitive = false, true
	wider := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	ctr := scheme(f, ck.CKM_AES_CTR, ck.CTRParams{CounterBits: 128}, mech.OpEncrypt)
	wrap := scheme(f, ck.CKM_AES_KEY_WRAP, nil, mech.OpWrap)
	for _, seed := range [][]struct {
		method protocol.Method
		m      protocol.Message
	}{
		{{protocol.MethodStatus, &protocol.Nothing{}}},
		{{protocol.MethodReveal, &protocol.OneRef{Ref: 1}}},
		{{protocol.MethodCrypt, &protocol.Use{Ref: 1, Op: mech.OpEncrypt, Scheme: ctr, Data: make([]byte, 32)}}},
		{{protocol.MethodWrap, &protocol.Wrap{By: 1, Scheme: wrap, Key: 1}}},
		{{protocol.MethodReissue, &protocol.Reissue{Vault: 1, Ref: 1, Policy: wider}}, {protocol.MethodReveal, &protocol.OneRef{Ref: 2}}},
		{{protocol.MethodStream, &protocol.Use{Ref: 1, Op: mech.OpEncrypt, Scheme: ctr}}, {protocol.MethodStreamUpdate, &protocol.StreamPart{Stream: 1, Data: make([]byte, 32)}}, {protocol.MethodStreamFinal, &protocol.OneStream{Stream: 1}}},
		{{protocol.MethodUnlock, &protocol.Unlock{Sealed: []byte("sealed"), Auth: secret.Copy([]byte("1234")), Context: context}}},
		{{protocol.MethodResume, &protocol.Resume{Ticket: make([]byte, 200)}}},
		{{protocol.MethodLock, &protocol.Lock{Vault: 1}}, {protocol.MethodForget, &protocol.OneRef{Ref: 1}}},
	} {
		var input []byte
		for _, r := range seed {
			b := request(f, r.method, r.m)[4:]
			input = append(append(input, byte(len(b)>>8), byte(len(b))), b...)
		}
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		p := &place{TB: t, dir: running.dir}
		c := p.greet(packets)
		defer c.net.Close()
		c.open(nil)
		var made protocol.Made
		c.must(protocol.MethodImport, &protocol.Import{Vault: 1, Policy: policy, Material: guard.Material{
			Class: policy.Class, KeyType: policy.KeyType, Parts: []guard.Part{part(ck.CKA_VALUE, secretValue)},
		}}, &made)
		raw := c.net.(net.Conn)
		answer := make([]byte, 64<<10)
		for len(input) >= 2 {
			n := min(int(input[0])<<8|int(input[1]), len(input)-2)
			body := input[2 : 2+n]
			input = input[2+n:]
			if len(body) > 0 && body[0] == byte(protocol.MethodGenerate) {
				continue // large keys take their time, and nothing else
			}
			packet := append([]byte{0, 0, byte(n >> 8), byte(n)}, body...)
			_ = raw.SetDeadline(time.Now().Add(patience))
			if _, err := raw.Write(packet); err != nil {
				break
			}
			got, err := raw.Read(answer)
			if os.IsTimeout(err) {
				t.Fatalf("no answer to %x", body)
			}
			if err != nil {
				break // malformed
			}
			if bytes.Contains(answer[:got], secretValue) {
				t.Fatalf("%x gave the key away", body)
			}
		}
		if e := log.Load(); e != nil {
			t.Fatalf("%+v", e)
		}
	})
}

// defects is a log that keeps the last defect.
type defects struct{ atomic.Pointer[events.Event] }

func (d *defects) Write(e events.Event) {
	if e.Kind == "guard-defect" {
		d.Store(&e)
	}
}

func (d *defects) Flush() {}
