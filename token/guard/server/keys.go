package server

import (
	"sync/atomic"

	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// loaded is what is remembered of a loaded key, beside the key itself.
type loaded struct {
	policy *guard.Policy // never changed
	vault  guard.Vault
	memory int // that it is taken to have
	uses   atomic.Uint64
}

// keep remembers a key that was made or loaded, unless its owner has no memory left for it. size is that of its record or its value.
func (c *conn) keep(v guard.Vault, ref guard.Ref, size int) error {
	n := c.session
	memory := keyMemory + 2*size
	if err := c.tenant.grow(memory); err != nil {
		n.keys.Forget(ref)
		return err
	}
	policy := n.keys.Policy(ref)
	if policy == nil { // its vault was locked meanwhile
		return c.tenant.grow(-memory)
	}
	n.loaded.Store(ref, &loaded{policy: policy, vault: v, memory: memory})
	if n.keys.Policy(ref) == nil { // it was locked just now, and whoever did so may have looked before there was something to forget
		n.drop(ref)
	}
	return nil
}

// find gives what is remembered of a key; nil: it is not loaded.
func (n *session) find(ref guard.Ref) *loaded {
	if k, ok := n.loaded.Load(ref); ok {
		return k.(*loaded)
	}
	return nil
}

// unload forgets the keys that match.
func (n *session) unload(match func(*loaded) bool) {
	n.loaded.Range(func(ref, k any) bool {
		if match(k.(*loaded)) {
			n.drop(ref.(guard.Ref))
		}
		return true
	})
}

// drop forgets a key, once, and logs how often it was used.
func (n *session) drop(ref guard.Ref) {
	k, ok := n.loaded.LoadAndDelete(ref)
	if !ok {
		return
	}
	_ = n.tenant.grow(-k.(*loaded).memory) // giving back cannot fail
	n.logUses(k.(*loaded))
}

// The handlers that make and drop keys.

// made is the answer with a key whose size its record tells, or where it has none its public half.
func (c *conn) made(v guard.Vault, k *guard.Key, err error) (*protocol.Made, error) {
	if err != nil {
		return nil, err
	}
	size := len(k.Record)
	if v == 0 {
		size = partsLen(k.Public)
	}
	return c.madeOf(size, v, k)
}

// madeOf is the answer with a key of a known size.
func (c *conn) madeOf(size int, v guard.Vault, k *guard.Key) (*protocol.Made, error) {
	if err := c.keep(v, k.Ref, size); err != nil {
		return nil, err
	}
	return &protocol.Made{Key: *k}, nil
}

func partsLen(parts []guard.Part) (n int) {
	for i := range parts {
		n += len(parts[i].Value)
	}
	return n
}

func (c *conn) generate(m *protocol.Generate) (*protocol.Made, error) {
	k, err := c.session.keys.Generate(m.Vault, m.Scheme, m.Spec, m.Policy)
	return c.made(m.Vault, k, err)
}

func (c *conn) importKey(m *protocol.Import) (*protocol.Made, error) {
	k, err := c.session.keys.Import(m.Vault, &m.Material, m.Policy)
	if err == nil && m.Vault == 0 { // what it takes is known from the request alone
		return c.madeOf(partsLen(m.Material.Parts), 0, k)
	}
	return c.made(m.Vault, k, err)
}

func (c *conn) unwrap(m *protocol.Unwrap) (*protocol.Made, error) {
	k, err := c.session.keys.Unwrap(m.Vault, m.By, m.Scheme, m.Wrapped, m.Spec, m.Policy)
	return c.made(m.Vault, k, err)
}

func (c *conn) derive(m *protocol.Derive) (*protocol.Made, error) {
	k, err := c.session.keys.Derive(m.Vault, m.Base, m.Scheme, m.Spec, m.Policy)
	return c.made(m.Vault, k, err)
}

func (c *conn) encapsulate(m *protocol.Encapsulate) (*protocol.Encapsulated, error) {
	k, ciphertext, err := c.session.keys.Encapsulate(m.Vault, m.By, m.Scheme, m.Spec, m.Policy)
	made, err := c.made(m.Vault, k, err)
	if err != nil {
		return nil, err
	}
	return &protocol.Encapsulated{Made: *made, Ciphertext: ciphertext}, nil
}

func (c *conn) decapsulate(m *protocol.Decapsulate) (*protocol.Made, error) {
	k, err := c.session.keys.Decapsulate(m.Vault, m.By, m.Scheme, m.Ciphertext, m.Spec, m.Policy)
	return c.made(m.Vault, k, err)
}

func (c *conn) loadKey(m *protocol.Load) (*protocol.OneRef, error) {
	ref, err := c.session.keys.Load(m.Vault, m.Record)
	if err != nil {
		return nil, err
	}
	if err := c.keep(m.Vault, ref, len(m.Record)); err != nil {
		return nil, err
	}
	return &protocol.OneRef{Ref: ref}, nil
}

func (c *conn) reissue(m *protocol.Reissue) (*protocol.Made, error) {
	size := 0
	if k := c.session.find(m.Ref); k != nil {
		size = (k.memory - keyMemory) / 2
	}
	k, err := c.session.keys.Reissue(m.Vault, m.Ref, m.Policy)
	if err != nil {
		return nil, err
	}
	return c.madeOf(size, m.Vault, k)
}

// reveal answers with a copy of the key in c.out, which is wiped with the answer.
func (c *conn) reveal(m *protocol.OneRef) (*protocol.Revealed, error) {
	r, err := c.session.keys.Reveal(m.Ref)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	c.out = append(make([]byte, 0, r.Secret.Len()), r.Secret.Bytes()...)
	rest, parts := c.out, make([]guard.Part, len(r.Parts))
	for i, p := range r.Parts {
		parts[i] = guard.Part{Type: p.Type, Value: rest[:len(p.Value)]}
		rest = rest[len(p.Value):]
	}
	return &protocol.Revealed{Parts: parts}, nil
}

func (c *conn) forget(m *protocol.OneRef) (*protocol.Nothing, error) {
	c.session.keys.Forget(m.Ref)
	c.session.drop(m.Ref)
	return &protocol.Nothing{}, nil
}
