package server_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/events"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/peer"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// chip is a sealer that keeps every promise for as long as it lives: what a TPM is for a guard. It is shared by guards of one machine.
type chip struct {
	mu      sync.Mutex
	sealed  map[string]sealedMaster
	last    uint64
	unseals atomic.Int64    // without a PIN: of the keys of tickets, and of open master keys
	terms   error           // what it answers to terms
	hold    chan struct{}   // Unseal with a PIN waits until it is closed, if there is one
	given   []*secret.Bytes // by Unseal
}

type sealedMaster struct {
	master, auth, context string
	pin                   bool
	terms                 seal.Terms
}

func newChip() *chip { return &chip{sealed: map[string]sealedMaster{}} }

func (c *chip) Seal(master, auth *secret.Bytes, context []byte, terms *seal.Terms) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !terms.Empty() && c.terms != nil {
		return nil, c.terms
	}
	c.last++
	id := binary.BigEndian.AppendUint64([]byte("sealed "), c.last)
	of := sealedMaster{master: string(master.Bytes()), auth: string(auth.Bytes()), context: string(context), pin: auth != nil}
	if terms != nil {
		of.terms = *terms
	}
	c.sealed[string(id)] = of
	return id, nil
}

func (c *chip) Terms(sealed []byte) (*seal.Terms, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of, ok := c.sealed[string(sealed)]
	if !ok {
		return nil, seal.ErrDamaged
	}
	return &of.terms, nil
}

func (c *chip) Unseal(sealed []byte, auth *secret.Bytes, context []byte) (*secret.Bytes, error) {
	if c.hold != nil && auth != nil {
		<-c.hold
	}
	if auth.Equal([]byte("defect")) {
		panic("secret text")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	of, ok := c.sealed[string(sealed)]
	if !ok || of.context != string(context) {
		return nil, seal.ErrDamaged
	}
	if of.pin != (auth != nil) || of.auth != string(auth.Bytes()) {
		return nil, seal.ErrAuth
	}
	if auth == nil {
		c.unseals.Add(1)
	}
	master := secret.Copy([]byte(of.master))
	c.given = append(c.given, master)
	return master, nil
}

func (c *chip) PINLimit() int { return 5 }

// diary is a log in memory.
type diary struct {
	mu     sync.Mutex
	events []events.Event
}

func (d *diary) Write(e events.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
}

func (d *diary) Flush() {}

// of gives the events of a kind.
func (d *diary) of(kind events.Kind) (found []events.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	return found
}

// place is a running guard.
type place struct {
	testing.TB
	*server.Server
	dir    string
	chip   *chip
	diary  *diary
	served sync.WaitGroup
}

// network is what a guard listens on, and who its clients are.
type network struct {
	name string
	who  func(net.Conn) (peer.Peer, error)
}

var (
	packets = network{"unixpacket", nil}
	// bytestream has the framing of a vsock, and peers that say which machine they are by the address that they connect from.
	bytestream = network{"unix", func(net.Conn) (peer.Peer, error) { return peer.Peer{VM: true, CID: 42}, nil }}
)

func (n network) options(o *server.Options) {
	if o.Who == nil {
		o.Who = n.who
	}
}

// start starts a guard. Options that are not set are those of a guard of another user.
func start(t testing.TB, n network, o server.Options) *place {
	t.Helper()
	dir, err := os.MkdirTemp("", "guard")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return startIn(t, dir, n, o)
}

func startIn(t testing.TB, dir string, n network, o server.Options) *place {
	t.Helper()
	p := &place{TB: t, dir: dir, diary: &diary{}}
	if o.Sealer == nil {
		o.Sealer = newChip()
	}
	p.chip, _ = o.Sealer.(*chip)
	if o.Log == nil {
		o.Log = p.diary
	}
	n.options(&o)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(p.path(n))
	l, err := net.Listen(n.name, p.path(n))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(p.path(n), 0o666); err != nil {
		t.Fatal(err)
	}
	p.Server = server.New(o)
	p.served.Add(1)
	go func() {
		defer p.served.Done()
		if err := p.Serve(l); !errors.Is(err, server.ErrClosed) {
			t.Errorf("Serve: %v", err)
		}
	}()
	t.Cleanup(p.stop)
	return p
}

func (p *place) stop() {
	p.Close()
	p.served.Wait()
}

func (p *place) path(n network) string { return filepath.Join(p.dir, n.name) }

// client is one connection, and the session that it is in.
type client struct {
	testing.TB
	net  protocol.Transport
	wire *protocol.Conn
	protocol.Welcome
}

func (p *place) dial(n network) *client {
	p.Helper()
	c, err := net.Dial(n.name, p.path(n))
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = c.Close() })
	return &client{TB: p, net: c, wire: protocol.NewConn(c, n.name != "unixpacket")}
}

// greet connects and makes a session.
func (p *place) greet(n network) *client {
	p.Helper()
	c := p.dial(n)
	if err := c.ask(protocol.MethodHello, &protocol.Hello{Version: protocol.Version}, &c.Welcome); err != nil {
		p.Fatal(err)
	}
	return c
}

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// ask is one exchange. What reply has aliases the connection's buffer until the next.
func (c *client) ask(method protocol.Method, m, reply protocol.Message) error {
	message, err := protocol.AppendRequest(nil, method, m)
	if err != nil {
		return err
	}
	c.hurry()
	if err := c.wire.Send(message); err != nil {
		return err
	}
	c.hurry()
	answer, err := c.wire.Receive()
	if err != nil {
		return err
	}
	return protocol.DecodeReply(answer, reply)
}

// must is ask where all must go well.
func (c *client) must(method protocol.Method, m, reply protocol.Message) {
	c.Helper()
	if err := c.ask(method, m, reply); err != nil {
		c.Fatalf("%v: %v", method, err)
	}
}

// refuses is ask where the answer must be rv.
func (c *client) refuses(what string, rv ck.RV, method protocol.Method, m protocol.Message) {
	c.Helper()
	if err := c.ask(method, m, &protocol.Nothing{}); ck.Code(err) != rv || !errors.Is(err, rv) {
		c.Errorf("%s: %v, want %v", what, err, rv)
	}
}

// want checks an error's CK_RV.
func want(t testing.TB, what string, err error, rv ck.RV) {
	t.Helper()
	if rv == ck.CKR_OK && err != nil || rv != ck.CKR_OK && !errors.Is(err, rv) {
		t.Errorf("%s: %v, want %v", what, err, rv)
	}
}

var (
	context = []byte("ncrypt11 token 0123456789abcdef user")
	someKey = bytes.Repeat([]byte{7}, 32)
	digest  = sha256.Sum256([]byte("data"))
)

var p256 = &guard.KeySpec{KeyType: ck.CKK_EC, ECParams: pubkey.P256.Params}

func pin() *secret.Bytes { return secret.Copy([]byte("1234")) }

// all is a policy that permits everything.
func all(class ck.ObjectClass, keyType ck.KeyType) *guard.Policy {
	return &guard.Policy{ID: [16]byte{1, 2, 3}, Class: class, KeyType: keyType, Usage: 1<<9 - 1, Extractable: true}
}

func scheme(t testing.TB, m ck.MechanismType, params any, op mech.Op) *mech.Scheme {
	t.Helper()
	s, err := mech.Parse(ck.Mechanism{Type: m, Params: params}, op)
	if err != nil {
		t.Fatalf("%v: %v", m, err)
	}
	return s
}

func part(t ck.AttributeType, value []byte) guard.Part { return guard.Part{Type: t, Value: value} }

// open makes a master key under a PIN and gives its vault, what it was sealed to, and a ticket.
func (c *client) open(terms *seal.Terms) *protocol.Opened {
	c.Helper()
	var opened protocol.Opened
	c.must(protocol.MethodNewMaster, &protocol.NewMaster{Auth: pin(), Context: context, Terms: terms}, &opened)
	opened.Sealed, opened.Ticket = bytes.Clone(opened.Sealed), bytes.Clone(opened.Ticket)
	return &opened
}

// aes imports an AES key.
func (c *client) aes(v guard.Vault, p *guard.Policy) *guard.Key {
	c.Helper()
	var made protocol.Made
	c.must(protocol.MethodImport, &protocol.Import{Vault: v, Policy: p, Material: guard.Material{
		Class: p.Class, KeyType: p.KeyType, Parts: []guard.Part{part(ck.CKA_VALUE, someKey)},
	}}, &made)
	made.Key.Record = bytes.Clone(made.Key.Record)
	return &made.Key
}

// ec generates a P-256 key.
func (c *client) ec(v guard.Vault, p *guard.Policy) *guard.Key {
	c.Helper()
	var made protocol.Made
	c.must(protocol.MethodGenerate, &protocol.Generate{
		Vault: v, Policy: p, Scheme: scheme(c, ck.CKM_EC_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair),
		Spec: p256,
	}, &made)
	made.Key.Record = bytes.Clone(made.Key.Record)
	return &made.Key
}

// eventually waits for something that happens soon.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("it never came to %s", what)
		}
	}
}

// hurry bounds what the client waits for.
func (c *client) hurry() {
	_ = c.net.SetReadDeadline(time.Now().Add(patience))
	_ = c.net.SetWriteDeadline(time.Now().Add(patience))
}

// listens says whether somebody listens: nil.
func (p *place) listens(n network) error {
	c, err := net.Dial(n.name, p.path(n))
	if err == nil {
		_ = c.Close()
	}
	return err
}
