package remote

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// Attest has the guard state what it knows of keys.
func (g *Keys) Attest(keys []guard.Ref, asked *guard.Asked) ([]byte, *seal.Attestation, error) {
	var m protocol.Attested
	var statement []byte
	var by *seal.Attestation
	request := func(t *turn) (protocol.Message, error) {
		refs := make([]guard.Ref, len(keys))
		for i, ref := range keys {
			var err error
			if refs[i], err = g.refIn(t, ref); err != nil {
				return nil, err
			}
		}
		return &protocol.Attest{Refs: refs, Asked: *asked}, nil
	}
	err := g.exchange(protocol.MethodAttest, request, &m, func() { statement, by = slices.Clone(m.Statement), cloneAttestation(&m.By) })
	return statement, by, err
}

// cloneAttestation copies one out of the message, which is wiped.
func cloneAttestation(a *seal.Attestation) *seal.Attestation {
	own := *a
	own.EKCertificates = slices.Clone(a.EKCertificates)
	for i := range own.EKCertificates {
		own.EKCertificates[i] = slices.Clone(own.EKCertificates[i])
	}
	for _, part := range []*[]byte{&own.EKPublic, &own.AKPublic, &own.KeyPublic, &own.Certified, &own.Certificate, &own.Signature} {
		*part = slices.Clone(*part)
	}
	return &own
}

// Activate has the guard open a credential, and keep what is in it.
func (g *Keys) Activate(v guard.Vault, blob, encrypted []byte, p *guard.Policy) (*guard.Key, error) {
	return g.made(protocol.MethodActivate, v, func(_ *turn, at guard.Vault) (protocol.Message, error) {
		return &protocol.Activate{Vault: at, Blob: blob, Encrypted: encrypted, Policy: p}, nil
	})
}
