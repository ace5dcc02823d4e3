package local

import (
	"slices"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// attester is the TPM's word, which there is for keys that are isolated only.
func (g *Keys) attester() (seal.Attester, error) {
	attester, ok := g.sealer.(seal.Attester)
	if !ok || !g.client.Level.Isolated() {
		return nil, ck.Errorf(ck.CKR_FUNCTION_REJECTED, "keys in software have no TPM that could vouch for them: it takes a token with a guard")
	}
	return attester, nil
}

// Attest states what is known here of keys. A client can have a statement about keys that it has loaded.
func (g *Keys) Attest(keys []guard.Ref, asked *guard.Asked) ([]byte, *seal.Attestation, error) {
	if err := complete(asked != nil); err != nil {
		return nil, nil, err
	}
	attester, err := g.attester()
	if err != nil {
		return nil, nil, err
	}
	s := guard.Statement{Level: g.client.Level, Made: time.Now().Truncate(time.Second), Asked: *asked}
	for _, ref := range keys {
		stated, level, err := g.stated(ref)
		if err != nil {
			return nil, nil, err
		}
		s.Keys, s.Level = append(s.Keys, stated), min(s.Level, level)
	}
	if err := s.Valid(); err != nil {
		return nil, nil, err
	}
	statement := s.Encode()
	by, err := attester.Attest(statement)
	if err != nil {
		return nil, nil, sealError(err)
	}
	return statement, by, nil
}

// stated is what there is to say of a key, and how far from programs it always was.
func (g *Keys) stated(ref guard.Ref) (guard.StatedKey, guard.Level, error) {
	k, err := g.table.hold(ref)
	if err != nil {
		return guard.StatedKey{}, 0, err
	}
	defer k.release()
	public, err := k.material.public()
	if err != nil {
		return guard.StatedKey{}, 0, err
	}
	i := slices.IndexFunc(public, func(p guard.Part) bool { return p.Type == ck.CKA_PUBLIC_KEY_INFO })
	if k.policy.Class != ck.CKO_PRIVATE_KEY || i < 0 {
		return guard.StatedKey{}, 0, ck.Errorf(ck.CKR_KEY_TYPE_INCONSISTENT, "a statement is about private keys")
	}
	return guard.StatedKey{Public: public[i].Value, Policy: k.policy}, g.reach(k.home), nil
}

// leastCredential is how long a secret is, in bytes, that cannot be guessed.
const leastCredential = 32

// Activate opens a credential, and takes what is in it for a secret key, which is a confining one: whoever finds a credential learns nothing by having it opened.
func (g *Keys) Activate(v guard.Vault, blob, encrypted []byte, p *guard.Policy) (*guard.Key, error) {
	if err := complete(p != nil); err != nil {
		return nil, err
	}
	attester, err := g.attester()
	if err != nil {
		return nil, err
	}
	if p.Class != ck.CKO_SECRET_KEY || p.KeyType != ck.CKK_GENERIC_SECRET || p.Usage != guard.UseDerive || !p.Confining {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "what a credential has in it becomes a generic secret key for deriving, with CKA_NCRYPT_CONFINING")
	}
	value, err := attester.Activate(blob, encrypted)
	if err != nil {
		return nil, sealError(err)
	}
	if value.Len() < leastCredential {
		value.Close()
		return nil, ck.Errorf(ck.CKR_DATA_LEN_RANGE, "a credential with a secret that is shorter than %d bytes", leastCredential)
	}
	m, err := newSecretKey(p.KeyType, value)
	if err != nil {
		return nil, err
	}
	return g.admit(v, m, p)
}
