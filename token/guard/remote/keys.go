package remote

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// key is a key that the guard has loaded, and its sealed record, from which the next guard can load it.
type key struct {
	vault  guard.Vault
	record []byte // nil: it is in the guard's memory only
	at     atomic.Pointer[keyAt]
	mu     sync.Mutex // one loads it again
}

// keyAt is where a key is loaded.
type keyAt struct {
	session *session
	ref     guard.Ref
}

// refIn gives the key's reference in a session, loading it again where the session is a new one. A key that was in the lost guard's memory only is
// forgotten: the first to ask is told so.
func (g *Keys) refIn(t *turn, ref guard.Ref) (guard.Ref, error) {
	found, ok := g.keys.Load(ref)
	if !ok {
		return 0, ck.CKR_KEY_HANDLE_INVALID
	}
	k := found.(*key)
	if at := k.at.Load(); at.session == t.session {
		return at.ref, nil
	}
	err := t.alone(&k.mu, func() error {
		if k.at.Load().session == t.session { // somebody else was faster
			return nil
		}
		if k.record == nil {
			g.keys.Delete(ref)
			return &guard.LostError{Ref: ref}
		}
		loaded, err := g.loadIn(t, k.vault, k.record)
		if err == nil {
			k.at.Store(&keyAt{t.session, loaded})
		}
		return err
	})
	return k.at.Load().ref, err
}

func (g *Keys) loadIn(t *turn, v guard.Vault, record []byte) (guard.Ref, error) {
	at, err := g.vaultIn(t, v)
	if err != nil {
		return 0, err
	}
	var m protocol.OneRef
	err = g.on(t, protocol.MethodLoad, &protocol.Load{Vault: at, Record: record}, &m, deadline(protocol.MethodLoad), func() {})
	return m.Ref, err
}

// add gives a reference of ours to a key that was loaded in a session.
func (g *Keys) add(s *session, v guard.Vault, ref guard.Ref, record []byte) guard.Ref {
	k := &key{vault: v, record: record}
	k.at.Store(&keyAt{s, ref})
	own := guard.Ref(g.lastRef.Add(1))
	g.keys.Store(own, k)
	return own
}

// Load opens a sealed record in the guard.
func (g *Keys) Load(v guard.Vault, record []byte) (guard.Ref, error) {
	var in *session
	var m protocol.OneRef
	var ref guard.Ref
	request := func(t *turn) (protocol.Message, error) {
		in = t.session
		at, err := g.vaultIn(t, v)
		return &protocol.Load{Vault: at, Record: record}, err
	}
	err := g.exchange(protocol.MethodLoad, request, &m, func() { ref = g.add(in, v, m.Ref, slices.Clone(record)) })
	return ref, err
}

// made runs a request that makes a key.
func (g *Keys) made(method protocol.Method, v guard.Vault, build func(t *turn, at guard.Vault) (protocol.Message, error)) (*guard.Key, error) {
	var m protocol.Made
	return g.madeAs(method, v, build, &m, &m, func() {})
}

// madeAs is made for an answer that says more: m is in it, and also is called while it can be read.
func (g *Keys) madeAs(method protocol.Method, v guard.Vault, build func(t *turn, at guard.Vault) (protocol.Message, error), answer protocol.Message,
	m *protocol.Made, also func()) (*guard.Key, error) {
	var in *session
	var result *guard.Key
	request := func(t *turn) (protocol.Message, error) {
		in = t.session
		at, err := g.vaultIn(t, v)
		if err != nil {
			return nil, err
		}
		return build(t, at)
	}
	err := g.exchange(method, request, answer, func() {
		if hasRecord := len(m.Key.Record) > 0; m.Key.Ref == 0 || hasRecord != (v != 0) {
			return // a key that would be stored without what it can be opened from
		}
		result = &guard.Key{Public: cloneParts(m.Key.Public)}
		if v != 0 {
			result.Record = slices.Clone(m.Key.Record)
		}
		result.Ref = g.add(in, v, m.Key.Ref, result.Record)
		also()
	})
	if err == nil && result == nil {
		err = errUnsound
	}
	return result, err
}

func cloneParts(parts []guard.Part) []guard.Part {
	copied := slices.Clone(parts)
	for i := range copied {
		copied[i].Value = slices.Clone(copied[i].Value)
	}
	return copied
}

// Forget drops a key.
func (g *Keys) Forget(ref guard.Ref) {
	found, ok := g.keys.LoadAndDelete(ref)
	if !ok {
		return
	}
	at := found.(*key).at.Load()
	g.tell(at.session, protocol.MethodForget, &protocol.OneRef{Ref: at.ref})
}
