package local

import (
	"sync"
	"sync/atomic"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

// table finds loaded keys by their Ref. A Ref is never used again, so a stale one finds nothing.
type table struct {
	last   atomic.Uint64
	count  atomic.Int64
	shards [16]shard // by the Ref's low bits, so that uses of different keys do not meet
}

type shard struct {
	mu   sync.RWMutex
	keys map[guard.Ref]*key
}

func (t *table) shard(ref guard.Ref) *shard { return &t.shards[ref%16] }

// add takes over the caller's hold of k, unless there are limit keys (0: any number).
func (t *table) add(k *key, limit int) (guard.Ref, error) {
	if n := t.count.Add(1); limit > 0 && n > int64(limit) {
		t.count.Add(-1)
		return 0, ck.Errorf(ck.CKR_DEVICE_MEMORY, "%d keys are loaded, which is all that one program may have", limit)
	}
	ref := guard.Ref(t.last.Add(1))
	s := t.shard(ref)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = make(map[guard.Ref]*key)
	}
	s.keys[ref] = k
	return ref, nil
}

// hold finds a key for an operation, which must release it.
func (t *table) hold(ref guard.Ref) (*key, error) {
	s := t.shard(ref)
	s.mu.RLock()
	defer s.mu.RUnlock()
	k := s.keys[ref]
	if k == nil {
		return nil, ck.CKR_KEY_HANDLE_INVALID
	}
	k.holders.Add(1) // the table's own hold cannot end under the lock
	return k, nil
}

func (t *table) remove(ref guard.Ref) {
	s := t.shard(ref)
	s.mu.Lock()
	k := s.keys[ref]
	delete(s.keys, ref)
	s.mu.Unlock()
	if k != nil {
		t.count.Add(-1)
		k.gone.Store(true)
		k.release()
	}
}

// drop removes all keys that match.
func (t *table) drop(match func(*key) bool) {
	for i := range t.shards {
		s := &t.shards[i]
		var dropped []*key
		s.mu.Lock()
		for ref, k := range s.keys {
			if match(k) {
				delete(s.keys, ref)
				dropped = append(dropped, k)
			}
		}
		s.mu.Unlock()
		t.count.Add(-int64(len(dropped)))
		for _, k := range dropped {
			k.gone.Store(true)
			k.release()
		}
	}
}
