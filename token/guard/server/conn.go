package server

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard/peer"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// conn is one connection. A goroutine reads a request, does it and answers it, one at a time; everything below is that goroutine's.
type conn struct {
	server    *Server
	transport net.Conn
	wire      *protocol.Conn
	who       peer.Peer
	tenant    *tenant
	refused   bool     // it is one too many
	session   *session // nil: no hello yet
	load      load
	closing   atomic.Bool // anybody's: no further request
	until     time.Time   // answers must be taken

	reply []byte // for replies
	out   []byte // for output of the engine
}

// smallBuffer holds most replies and outputs: what is larger is made when it comes, and not kept.
const smallBuffer = 4 << 10

func newConn(s *Server, transport net.Conn, who peer.Peer) *conn {
	c := &conn{server: s, transport: transport, who: who}
	c.wire = protocol.NewConn(transport, transport.LocalAddr().Network() != "unixpacket")
	c.wire.OnMore(c.more)
	c.reply, c.out = make([]byte, 0, smallBuffer), make([]byte, 0, smallBuffer)
	return c
}

// serve is the connection's goroutine.
func (c *conn) serve() {
	c.load = load{server: &c.server.limits, tenant: c.tenant}
	defer c.server.unregister(c)
	defer c.wire.Close() // which says why it fails to nobody
	defer c.load.release()
	if c.greet() != nil {
		return
	}
	for !c.closing.Load() {
		request, err := c.wire.Receive()
		if err != nil {
			return
		}
		if c.exchange(request) != nil {
			return
		}
	}
}

// hurry ends the connection after the request that is under way. It is called from another goroutine.
func (c *conn) hurry() {
	c.closing.Store(true)
	_ = c.transport.SetReadDeadline(time.Now()) // wakes it where it waits for a request
}

// more decides about a further packet of a message. Before the hello nobody may send long messages.
func (c *conn) more(length int) error {
	if c.session == nil {
		return errBusy
	}
	return c.load.reach(length)
}

// greet takes the first request, which must be Hello, and must come soon.
func (c *conn) greet() error {
	if err := c.transport.SetReadDeadline(time.Now().Add(helloTime)); err != nil {
		return err
	}
	request, err := c.wire.Receive()
	if err != nil {
		return err
	}
	_, m, err := protocol.DecodeRequest(request)
	hello, ok := m.(*protocol.Hello)
	switch {
	case err == nil && !ok:
		protocol.Release(m)
		err = errNoHello
	case err == nil && c.refused:
		err = ck.Errorf(ck.CKR_DEVICE_MEMORY, "%v has as many connections to the guard as it may have", c.tenant.name)
	}
	var welcome *protocol.Welcome
	if err == nil {
		welcome, err = c.server.welcome(c, hello)
	}
	c.wire.Wipe()
	if sendErr := c.answer(welcome, err); sendErr != nil {
		return sendErr
	}
	if err != nil {
		return err
	}
	if c.closing.Load() {
		return ErrClosed // and the deadline of hurry stays
	}
	return c.transport.SetReadDeadline(time.Time{})
}

var errNoHello = ck.Errorf(ck.CKR_FUNCTION_REJECTED, "the first request on a connection is Hello")

// exchange does a request and answers it. Its error ends the connection.
func (c *conn) exchange(request []byte) error {
	defer c.load.release()
	method, m, err := protocol.DecodeRequest(request)
	if err != nil {
		c.wire.Wipe()
		_ = c.answer(nil, ck.Errorf(ck.CKR_FUNCTION_REJECTED, "%w", err)) // whoever sends this may not listen
		return err
	}
	reply, err := c.do(method, m)
	protocol.Release(m)
	c.wire.Wipe()
	err = c.answer(reply, err)
	c.tidy()
	return err
}

// answer sends a reply, or the error in its place. A client that does not take it in time loses the connection.
func (c *conn) answer(reply protocol.Message, failure error) error {
	message, err := protocol.AppendReply(c.reply, reply, failure)
	if err != nil { // it is too long for a message
		secret.Wipe(message)
		if message, err = protocol.AppendReply(c.reply, nil, err); err != nil {
			return err
		}
	}
	if cap(message) <= smallBuffer {
		c.reply = message[:0]
	}
	if err := c.patience(); err != nil {
		secret.Wipe(message)
		return err
	}
	return c.wire.Send(message)
}

// patience limits how long a client may take to take an answer: for Stall, or half of it. The limit is wound up again when half of it is gone, because
// doing so costs more than the rest of an answer.
func (c *conn) patience() error {
	now := time.Now()
	if c.until.Sub(now) > protocol.Stall/2 {
		return nil
	}
	c.until = now.Add(protocol.Stall)
	return c.transport.SetWriteDeadline(c.until)
}

// tidy wipes what the engine gave out.
func (c *conn) tidy() {
	secret.Wipe(c.out[:cap(c.out)]) // what failed half-way may stand behind its end
	if c.out = c.out[:0]; cap(c.out) != smallBuffer {
		c.out = make([]byte, 0, smallBuffer)
	}
}

// output is the answer with bytes that the engine appended to c.out.
func (c *conn) output(out []byte, err error) (*protocol.Output, error) {
	if err != nil {
		return nil, err
	}
	c.out = out
	return &protocol.Output{Data: out}, nil
}
