package token

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/token/guard"
)

// noteLost ends the session object whose key was in the memory of a guard that has ended, as err may say. The call that found out answers
// CKR_DEVICE_ERROR; afterwards there is no such object.
func (t *Token) noteLost(err error) error {
	var lost *guard.LostError
	if errors.As(err, &lost) {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.dropLost(err)
	}
	return err
}

// dropLost is noteLost where the token's lock is held. What could be archived of an object that is kept is lost alone.
func (t *Token) dropLost(err error) error {
	var lost *guard.LostError
	if !errors.As(err, &lost) {
		return err
	}
	for _, o := range t.objects.byHandle {
		switch {
		case o.archive != nil && o.archive.ref == lost.Ref:
			t.dropArchive(o)
		case o.ref == lost.Ref && !o.isToken():
			t.bury(o)
		}
	}
	return err
}
