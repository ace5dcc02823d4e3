package server

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// The handlers by which the TPM tells others what it is. A guard that does not count as isolating has nothing to say, whatever its level.

func (c *conn) attest(m *protocol.Attest) (*protocol.Attested, error) {
	if err := c.isolating(); err != nil {
		return nil, err
	}
	statement, by, err := c.session.keys.Attest(m.Refs, &m.Asked)
	if err != nil {
		return nil, err
	}
	return &protocol.Attested{Statement: statement, By: *by}, nil
}

func (c *conn) activate(m *protocol.Activate) (*protocol.Made, error) {
	if err := c.isolating(); err != nil {
		return nil, err
	}
	k, err := c.session.keys.Activate(m.Vault, m.Blob, m.Encrypted, m.Policy)
	return c.made(m.Vault, k, err)
}

func (c *conn) isolating() error {
	if reason := c.session.server.available.reason(); reason != "" {
		return ck.Errorf(ck.CKR_FUNCTION_REJECTED, "keys are not isolated here: %s", reason)
	}
	return nil
}
