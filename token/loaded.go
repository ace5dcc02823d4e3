package token

import "github.com/ncrypt11/ncrypt11/token/guard"

// A guard process gives each program room for a number of keys only (8192), since it keeps them for all. A token may have more: those that have not been used
// for long make room for others, and are loaded again when their turn comes. Keys of session objects are nowhere else, and stay.
const (
	mostLoaded = 4096
	// fewLoaded are left when keys are unloaded: the most recently used ones, so that a call which has just got a key's reference still finds the key.
	fewLoaded = mostLoaded / 2
)

// loadedKeys counts loads and uses of stored keys. The token's lock is held for all of it.
type loadedKeys struct {
	some int    // at most as many are loaded
	uses uint64 // so far
}

// touch notes that a key is being used.
func (l *loadedKeys) touch(o *object) {
	l.uses++
	o.used = l.uses
}

// noteLoaded counts a key that was loaded or made, and unloads others where there are too many. The token's lock is held.
func (t *Token) noteLoaded(o *object) {
	l := &t.loaded
	l.touch(o)
	if l.some++; l.some <= mostLoaded || t.keys.Level() == guard.Software {
		return
	}
	l.some = 0
	for _, o := range t.objects.byID {
		if o.ref == 0 {
			continue
		}
		if o.used+fewLoaded > l.uses || o.operations.Load() > 0 {
			l.some++
			continue
		}
		t.forget(o)
	}
}
