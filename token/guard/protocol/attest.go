package protocol

import (
	"time"

	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// What a statement and its attestation have at most.
const (
	maxStated       = 8
	maxCertificates = 16
)

// Attest is guard.Keys.Attest.
type Attest struct {
	Refs  []guard.Ref
	Asked guard.Asked
}

func (m *Attest) code(c *coder) {
	list(c, &m.Refs, maxStated, func(c *coder, ref *guard.Ref) { number(c, ref, 8) })
	c.bytes(&m.Asked.Nonce, maxSmall)
	c.seconds(&m.Asked.Expires)
	c.bytes(&m.Asked.Context, maxSmall)
}

// seconds codes a time, in whole seconds since 1970.
func (c *coder) seconds(v *time.Time) {
	n := uint64(v.Unix())
	if number(c, &n, 8); c.reading {
		*v = time.Unix(int64(n), 0).UTC()
	}
}

// Attested answers Attest.
type Attested struct {
	Statement []byte
	By        seal.Attestation
}

func (m *Attested) code(c *coder) {
	c.bytes(&m.Statement, MaxMedium)
	list(c, &m.By.EKCertificates, maxCertificates, func(c *coder, certificate *[]byte) { c.bytes(certificate, maxSmall) })
	for _, part := range []*[]byte{&m.By.EKPublic, &m.By.AKPublic, &m.By.KeyPublic, &m.By.Certified, &m.By.Certificate, &m.By.Signature} {
		c.bytes(part, maxSmall)
	}
}

// Activate is guard.Keys.Activate.
type Activate struct {
	Vault     guard.Vault
	Blob      []byte
	Encrypted []byte
	Policy    *guard.Policy
}

func (m *Activate) code(c *coder) {
	number(c, &m.Vault, 8)
	c.bytes(&m.Blob, maxSmall)
	c.bytes(&m.Encrypted, maxSmall)
	c.policy(&m.Policy)
}
