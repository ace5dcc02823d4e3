package protocol

import (
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// Encapsulate is guard.Keys.Encapsulate.
type Encapsulate struct {
	Vault  guard.Vault
	By     []guard.Part
	Scheme *mech.Scheme
	Spec   *guard.KeySpec
	Policy *guard.Policy
}

func (m *Encapsulate) code(c *coder) {
	number(c, &m.Vault, 8)
	c.parts(&m.By)
	c.scheme(&m.Scheme)
	c.spec(&m.Spec)
	c.policy(&m.Policy)
}

// Encapsulated answers Encapsulate.
type Encapsulated struct {
	Made       Made
	Ciphertext []byte
}

func (m *Encapsulated) code(c *coder) {
	m.Made.code(c)
	c.bytes(&m.Ciphertext, maxSmall)
}

// Decapsulate is guard.Keys.Decapsulate.
type Decapsulate struct {
	Vault      guard.Vault
	By         guard.Ref
	Scheme     *mech.Scheme
	Ciphertext []byte
	Spec       *guard.KeySpec
	Policy     *guard.Policy
}

func (m *Decapsulate) code(c *coder) {
	number(c, &m.Vault, 8)
	number(c, &m.By, 8)
	c.scheme(&m.Scheme)
	c.bytes(&m.Ciphertext, maxSmall)
	c.spec(&m.Spec)
	c.policy(&m.Policy)
}
