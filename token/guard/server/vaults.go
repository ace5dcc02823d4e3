package server

import (
	"bytes"
	"strings"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// The handlers of master keys.

// ofClient refuses the one context that is the guard's own. The key of tickets is sealed for whoever asks, and stands in each ticket: a client must
// have neither that key for a vault, nor a key of its own taken for that.
func ofClient(context []byte) error {
	if bytes.Equal(context, ticketContext) {
		return ck.Errorf(ck.CKR_ACTION_PROHIBITED, "the key of tickets is no master key")
	}
	return nil
}

func (c *conn) newMaster(m *protocol.NewMaster) (*protocol.Opened, error) {
	if err := ofClient(m.Context); err != nil {
		return nil, err
	}
	v, sealed, err := c.session.keys.NewMaster(m.Auth, m.Context, m.Terms)
	if err != nil {
		return nil, err
	}
	return c.opened(v, serialOf(m.Context), sealed)
}

func (c *conn) unlock(m *protocol.Unlock) (*protocol.Opened, error) {
	if err := ofClient(m.Context); err != nil {
		return nil, err
	}
	v, err := c.session.keys.Unlock(m.Sealed, m.Auth, m.Context)
	if err != nil {
		return nil, err
	}
	return c.opened(v, serialOf(m.Context), nil)
}

func (c *conn) resume(m *protocol.Resume) (*protocol.Opened, error) {
	t, err := c.server.tickets.open(m.Ticket, c.tenant.name, c.who.PID)
	if err != nil {
		return nil, err
	}
	v, err := c.session.keys.Adopt(t.master, t.terms)
	if err != nil {
		return nil, err
	}
	return c.opened(v, t.serial, nil)
}

// opened is the answer with an open vault, unless its owner has no memory left for it, and a ticket for the guard that comes after this one. Where there
// is no ticket there will be no next time, which is better than none now.
func (c *conn) opened(v guard.Vault, serial string, sealed []byte) (*protocol.Opened, error) {
	if err := c.tenant.grow(vaultMemory); err != nil {
		c.session.keys.Lock(v)
		return nil, err
	}
	c.session.setToken(v, serial)
	reply := &protocol.Opened{Vault: v, Sealed: sealed}
	master, terms, err := c.session.keys.Master(v)
	if err != nil {
		return reply, nil // locked again meanwhile
	}
	defer master.Close()
	reply.Ticket = c.server.tickets.issue(&ticket{master, terms, serial}, c.tenant.name, c.who.PID)
	return reply, nil
}

func (c *conn) reseal(m *protocol.Reseal) (*protocol.Output, error) {
	if err := ofClient(m.Context); err != nil {
		return nil, err
	}
	return c.output(c.session.keys.Reseal(m.Vault, m.Auth, m.Context))
}

func (c *conn) lock(m *protocol.Lock) (*protocol.Nothing, error) {
	c.session.keys.Lock(m.Vault)
	if m.Vault != 0 {
		c.session.streams.endOf(m.Vault, c.tenant)
	}
	c.session.unload(func(k *loaded) bool { return m.Vault != 0 && k.vault == m.Vault })
	if c.session.forgetToken(m.Vault) {
		_ = c.tenant.grow(-vaultMemory) // giving back cannot fail
	}
	return &protocol.Nothing{}, nil
}

func (c *conn) authorize(m *protocol.Authorize) (*protocol.Ticket, error) {
	if err := ofClient(m.Context); err != nil {
		return nil, err
	}
	ticket, err := c.session.keys.Authorize(m.Ref, m.Sealed, m.Auth, m.Context)
	return &protocol.Ticket{Ticket: ticket}, err
}

// maxSerial bounds what is taken for a token's serial number.
const maxSerial = 64

// serialOf finds a token's serial number in the context that its master keys are bound to. It is for the log alone: until the master key was
// opened, it is what the client says.
func serialOf(context []byte) string {
	fields := strings.Fields(string(context[:min(len(context), 2*maxSerial)]))
	if len(fields) < 3 || fields[0] != "ncrypt11" || fields[1] != "token" || len(fields[2]) > maxSerial {
		return ""
	}
	return fields[2]
}

// setToken remembers an open vault, which was paid for, and its token.
func (n *session) setToken(v guard.Vault, serial string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tokens[v] = serial
}

// forgetToken forgets a vault, and says whether it was remembered.
func (n *session) forgetToken(v guard.Vault) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, ok := n.tokens[v]
	delete(n.tokens, v)
	return ok
}

// token is the serial number of a vault's token, as far as it is known.
func (n *session) token(v guard.Vault) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.tokens[v]
}
