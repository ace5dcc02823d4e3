package remote_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/peer"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/remote"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// A guard that ends over a request is not fed it for ever, and a PIN not even twice: who knows whether the try was counted.
func TestRequestsThatEndGuards(t *testing.T) {
	for _, test := range []struct {
		method protocol.Method
		pin    bool
		want   int
	}{
		{protocol.MethodSign, false, 3},
		{protocol.MethodUnlock, true, 1},
		{protocol.MethodUnlock, false, 3},
		{protocol.MethodAuthorize, true, 1},
	} {
		f := lie(t, loads(func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error) { return &hangUp{}, nil }))
		g := f.open()
		_, ref := load(t, g)
		f.mu.Lock()
		f.asked = map[protocol.Method]int{}
		f.mu.Unlock()
		auth := pin("1234")
		if !test.pin {
			auth = nil
		}
		var err error
		switch test.method {
		case protocol.MethodSign:
			err = sign(t, g, ref)
		case protocol.MethodAuthorize:
			_, err = g.Authorize(ref, []byte("sealed"), auth, context)
		case protocol.MethodUnlock:
			var g2 *remote.Keys
			ends := lie(t, func(_ net.Conn, method protocol.Method, _ protocol.Message) (protocol.Message, error) {
				if method == protocol.MethodHello {
					return nil, nil
				}
				return &hangUp{}, nil
			})
			g2, f = ends.open(), ends
			_, err = g2.Unlock([]byte("sealed"), auth, context)
		}
		if ck.Code(err) != ck.CKR_DEVICE_ERROR || f.count(test.method) != test.want {
			t.Errorf("%v, PIN %v: asked %d times, want %d: %v", test.method, test.pin, f.count(test.method), test.want, err)
		}
	}
}

func TestNonsenseInGreetings(t *testing.T) {
	id := protocol.SessionID{1}
	for name, test := range map[string]struct {
		welcome protocol.Message
		want    ck.RV
	}{
		"no session":       {&protocol.Welcome{Level: guard.Service}, ck.CKR_DEVICE_ERROR},
		"no isolation":     {&protocol.Welcome{Session: id, Level: guard.Software}, ck.CKR_DEVICE_ERROR},
		"a level too high": {&protocol.Welcome{Session: id, Level: guard.VM + 1}, ck.CKR_DEVICE_ERROR},
		"another message":  {&protocol.Output{Data: []byte("hello")}, ck.CKR_DEVICE_ERROR},
		"unavailable":      {&protocol.Welcome{Session: id, Level: guard.Service, Unavailable: "no TPM"}, ck.CKR_FUNCTION_REJECTED},
	} {
		f := lie(t, func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error) { return test.welcome, nil })
		within(t, time.Second, name, func() {
			if _, err := remote.Open(f.endpoint(), guard.Process); ck.Code(err) != test.want {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// What is wrong with an answer is said at once, and nothing is made of it.
func TestNonsenseInAnswers(t *testing.T) {
	shape := guard.StreamShape{Unit: 16}
	for name, test := range map[string]struct {
		answer protocol.Message
		call   func(g guard.Keys, v guard.Vault, ref guard.Ref) error
	}{
		"another message": {&protocol.Streaming{}, func(g guard.Keys, _ guard.Vault, ref guard.Ref) error { return sign(t, g, ref) }},
		"a key without a record": {&protocol.Made{Key: guard.Key{Ref: 3}}, func(g guard.Keys, v guard.Vault, _ guard.Ref) error {
			_, err := g.Import(v, &guard.Material{}, &guard.Policy{})
			return err
		}},
		"a session key with one": {&protocol.Made{Key: guard.Key{Ref: 3, Record: []byte("r")}}, func(g guard.Keys, _ guard.Vault, _ guard.Ref) error {
			_, err := g.Import(0, &guard.Material{}, &guard.Policy{})
			return err
		}},
		"no reference": {&protocol.Made{Key: guard.Key{Record: []byte("r")}}, func(g guard.Keys, v guard.Vault, _ guard.Ref) error {
			_, err := g.Import(v, &guard.Material{}, &guard.Policy{})
			return err
		}},
		"no vault": {&protocol.Opened{Sealed: []byte("s")}, func(g guard.Keys, _ guard.Vault, _ guard.Ref) error {
			_, _, err := g.NewMaster(nil, context, nil)
			return err
		}},
		"no sealed master key": {&protocol.Opened{Vault: 1}, func(g guard.Keys, _ guard.Vault, _ guard.Ref) error {
			_, _, err := g.NewMaster(nil, context, nil)
			return err
		}},
		"a shape that holds too much": {&protocol.Streaming{Stream: 1, Shape: guard.StreamShape{Unit: 16, Held: 1 << 30}}, func(g guard.Keys, _ guard.Vault, ref guard.Ref) error {
			_, err := g.Stream(ref, cbc(t), mech.OpEncrypt)
			return err
		}},
		"more output than was said": {&protocol.Streaming{Stream: 1, Shape: shape, Data: make([]byte, 32)}, func(g guard.Keys, _ guard.Vault, ref guard.Ref) error {
			st, err := g.Stream(ref, cbc(t), mech.OpEncrypt)
			if err != nil {
				return err
			}
			defer st.Close()
			_, err = st.Update(nil, make([]byte, 16))
			return err
		}},
	} {
		f := lie(t, loads(func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error) { return test.answer, nil }))
		g := f.open()
		v, ref := load(t, g)
		within(t, time.Second, name, func() {
			if err := test.call(g, v, ref); ck.Code(err) != ck.CKR_DEVICE_ERROR {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func cbc(t *testing.T) *mech.Scheme {
	return scheme(t, ck.Mechanism{Type: ck.CKM_AES_CBC_PAD, Params: ck.RawParams(make([]byte, 16))}, mech.OpEncrypt)
}

// One connection that fails does not take the session with it, and with the session the keys that are in the guard's memory only.
func TestAConnectionIsNotTheSession(t *testing.T) {
	var once, both sync.Once
	together := make(chan struct{})
	var two sync.WaitGroup
	two.Add(2)
	f := lie(t, loads(func(_ net.Conn, method protocol.Method, _ protocol.Message) (protocol.Message, error) {
		var end bool
		if method == protocol.MethodSign {
			both.Do(func() { go func() { two.Wait(); close(together) }() })
			select {
			case <-together:
				once.Do(func() { end = true })
			default:
				two.Done()
				<-together // so that there are two connections
			}
		}
		if end {
			return &hangUp{}, nil
		}
		return &protocol.Output{}, nil
	}))
	g := f.open()
	_, ref := load(t, g)
	var callers sync.WaitGroup
	for range 2 {
		callers.Go(func() {
			if err := sign(t, g, ref); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if err := sign(t, g, ref); err != nil {
		t.Error(err)
	}
	if n := f.count(protocol.MethodHello); n != 2 {
		t.Errorf("%d greetings for two connections", n)
	}
}

// A program that a guard cannot tell from its neighbours has no tickets. What needs no PIN opens again all the same.
func TestWithoutTickets(t *testing.T) {
	p := site(t)
	p.who = func(net.Conn) (peer.Peer, error) { return peer.Peer{UID: uint32(os.Geteuid())}, nil }
	p.up()
	g := p.open()
	open, sealed, err := g.NewMaster(nil, context, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := g.Unlock(sealed, nil, context)
	if err != nil {
		t.Fatal(err)
	}
	user, _, err := g.NewMaster(pin("1234"), context, nil)
	if err != nil {
		t.Fatal(err)
	}
	k1, public1 := p256(t, g, open)
	k2, public2 := p256(t, g, again)
	k3, public3 := p256(t, g, user)
	p.replace()
	if err := errors.Join(signs(t, g, k1.Ref, public1), signs(t, g, k2.Ref, public2)); err != nil {
		t.Error(err)
	}
	if err := signs(t, g, k3.Ref, public3); ck.Code(err) != ck.CKR_DEVICE_ERROR {
		t.Errorf("what needs a PIN: %v", err)
	}
}

// While the machine's guard is away for a moment, a user's own one is no replacement, nor is one started.
func TestALowerGuardIsNoReplacement(t *testing.T) {
	p, own := start(t), lie(t, func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error) {
		return &protocol.Welcome{Session: protocol.SessionID{2}, Level: guard.Process}, nil
	})
	e := p.endpoint()
	e.Sockets = append(e.Sockets, own.path)
	e.Own = filepath.Join(t.TempDir(), "none")
	e.Start = func() error { t.Error("started"); return errors.New("not here") }
	g, err := remote.Open(e, guard.Process)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	v, _, err := g.NewMaster(nil, context, nil)
	if err != nil {
		t.Fatal(err)
	}
	k, public := p256(t, g, v)
	p.down()
	back := time.AfterFunc(200*time.Millisecond, p.up)
	defer back.Stop()
	if err := signs(t, g, k.Ref, public); err != nil {
		t.Error(err)
	}
}

// A PIN that no guard has read is no try: a guard that is restarted does not make logins fail that have just come.
func TestAPINThatNobodyRead(t *testing.T) {
	var once sync.Once
	f := lie(t, loads(func(net.Conn, protocol.Method, protocol.Message) (protocol.Message, error) {
		var last protocol.Message = &protocol.OneRef{}
		once.Do(func() { last = &deaf{} })
		return last, nil
	}))
	g := f.open()
	load(t, g)
	if _, err := g.Authorize(1, []byte("sealed"), nil, context); err != nil { // the guard reads no more on this connection, and ends it soon
		t.Fatal(err)
	}
	before := f.count(protocol.MethodUnlock)
	if _, err := g.Unlock([]byte("sealed"), pin("1234"), context); err != nil {
		t.Error(err)
	}
	if n := f.count(protocol.MethodUnlock) - before; n != 1 {
		t.Errorf("%d guards read the PIN", n)
	}
}
