package server

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// The handlers that use keys.

func (c *conn) sign(m *protocol.Use) (*protocol.Output, error) {
	switch m.Op {
	case mech.OpSign:
		return c.output(c.session.keys.Sign(c.out, m.Ref, m.Scheme, m.Data))
	case mech.OpSignRecover:
		return c.output(c.session.keys.SignRecover(c.out, m.Ref, m.Scheme, m.Data))
	}
	return nil, errOp
}

func (c *conn) crypt(m *protocol.Use) (*protocol.Output, error) {
	switch m.Op {
	case mech.OpEncrypt:
		return c.output(c.session.keys.Encrypt(c.out, m.Ref, m.Scheme, m.Data))
	case mech.OpDecrypt:
		return c.output(c.session.keys.Decrypt(c.out, m.Ref, m.Scheme, m.Data))
	}
	return nil, errOp
}

var errOp = ck.Errorf(ck.CKR_ARGUMENTS_BAD, "the method does not do that operation")

func (c *conn) verify(m *protocol.Verify) (*protocol.Nothing, error) {
	return &protocol.Nothing{}, c.session.keys.Verify(m.Ref, m.Scheme, m.Data, m.MAC)
}

func (c *conn) wrap(m *protocol.Wrap) (*protocol.Output, error) {
	return c.output(c.session.keys.Wrap(c.out, m.By, m.Scheme, m.Key))
}

func (c *conn) wrapPublic(m *protocol.WrapPublic) (*protocol.Output, error) {
	return c.output(c.session.keys.WrapPublic(c.out, m.By, m.Scheme, m.Key))
}
