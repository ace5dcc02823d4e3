// Package local is a guard that keeps keys in this process: the plaintext, the master keys that seal it, and the policy that says what
// each key may be used for. It is the guard of software tokens, and the engine inside a guard process.
//
// Read in this order: policy_check.go (what a key may do), key.go and table.go (how long it lives), vault.go and record.go (how it is
// kept), then make.go and use.go (what the seam's methods do), then one file per family of primitives.
//
// Key bytes live in secret.Bytes and are wiped when the last operation that uses them ends. The standard library's parsed keys hold
// copies that cannot be reached, and hence not be wiped, in the heap.
package local

import (
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// Keys is a guard.Keys in this process.
type Keys struct {
	sealer seal.Sealer
	client Client
	vaults vaults
	table  table
}

var _ guard.Keys = (*Keys)(nil)

// Client is whom a guard process keeps keys for. The zero value is this process itself.
type Client struct {
	Who     []seal.Principal // all that the client is; its first one owns what it makes. Empty: access is not checked
	Level   guard.Level      // how far the client is from its keys
	MaxKeys int              // how many keys it may have loaded at a time; 0: any number
}

// New returns a guard without keys, for this process, whose master keys sealer seals.
func New(sealer seal.Sealer) *Keys { return For(Client{}, sealer) }

// For returns a guard without keys for a client.
func For(client Client, sealer seal.Sealer) *Keys { return &Keys{sealer: sealer, client: client} }

// Level is what the client was given.
func (g *Keys) Level() guard.Level { return g.client.Level }

// PINLimit is the sealer's.
func (g *Keys) PINLimit() int { return g.sealer.PINLimit() }

// Close wipes all keys and master keys. Operations under way end first.
func (g *Keys) Close() error {
	g.vaults.closeAll()
	g.table.drop(func(*key) bool { return true })
	return nil
}

// Forget drops a loaded key. It is wiped when the operations that use it have ended.
func (g *Keys) Forget(ref guard.Ref) { g.table.remove(ref) }

// Policy is the policy of a loaded key, which never changes; nil: there is no such key.
func (g *Keys) Policy(ref guard.Ref) *guard.Policy {
	k, err := g.table.hold(ref)
	if err != nil {
		return nil
	}
	defer k.release()
	return k.policy
}

// Lock forgets the master key of v and all keys that came through it.
func (g *Keys) Lock(v guard.Vault) {
	if v == 0 || !g.vaults.remove(v) {
		return
	}
	g.table.drop(func(k *key) bool { return k.vault == v })
}
