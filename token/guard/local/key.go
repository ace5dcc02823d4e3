package local

import (
	"sync/atomic"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// key is a loaded key. The table holds it, and so does every operation under way; who lets go last wipes it. So a key can be forgotten
// at any moment, and no operation sees it half wiped.
type key struct {
	policy *guard.Policy // never changed
	vault  guard.Vault
	home   guard.Vault // the vault that it came under, also for a copy in memory; 0: it was made in memory
	// authorities are the vaults whose PIN permits a use, if that is asked for each time: its own, or for what was made in memory those that were open
	// then. A vault that somebody opens later has nothing to say.
	authorities []guard.Vault
	begotten    bool // it came out of a confining key, or by secure key injection, since it was loaded
	material    material
	tickets     tickets
	holders     atomic.Int64
	gone        atomic.Bool // forgotten: operations of many steps end at their next one
}

func newKey(v guard.Vault, m material, p *guard.Policy) *key {
	k := &key{policy: p, vault: v, home: v, material: m}
	k.holders.Store(1)
	return k
}

// readable says whether the plaintext may be given out.
func (k *key) readable() bool {
	p := k.policy
	return p.Class == ck.CKO_DATA || p.Extractable && !p.Sensitive
}

// stays says whether the key is to be seen by nobody, whatever he has access to beside this guard.
func (k *key) stays() bool { return k.policy.Confining || k.begotten || injects(k.policy) }

func (k *key) release() {
	if k.holders.Add(-1) == 0 {
		k.material.wipe()
	}
}

// material is the key itself. What it can do beyond this is said by the interfaces below, one per operation.
type material interface {
	// plain gives the plaintext of the key's record (RECORD.md).
	plain() (*secret.Bytes, error)
	// public gives the parts that everyone may know.
	public() ([]guard.Part, error)
	// private gives copies of the secret parts.
	private() []guard.Part
	wipe()
}

type signer interface {
	sign(dst []byte, s *mech.Scheme, data []byte) ([]byte, error)
}

type encrypter interface {
	encrypt(dst []byte, s *mech.Scheme, data []byte) ([]byte, error)
}

type decrypter interface {
	decrypt(dst []byte, s *mech.Scheme, data []byte) ([]byte, error)
}

// agreer computes a shared secret with the scheme's peer.
type agreer interface {
	agree(s *mech.Scheme) (*secret.Bytes, error)
}

type streamer interface {
	stream(s *mech.Scheme, op mech.Op) (state, error)
}
