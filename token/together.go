package token

import (
	"errors"
	"iter"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// ErrTwice is what UnwrapTogether answers where the token has an object already that it is to have once. It comes as CKR_ACTION_PROHIBITED.
var ErrTwice = errors.New("the token has an object already that says that this was done")

// Intake is what UnwrapTogether does in one durable step.
type Intake struct {
	By   ck.ObjectHandle   // the unwrapping key
	Keys iter.Seq[Wrapped] // all are token objects
	Note attr.Template     // a data object that says that it was done
	Once attr.Template     // where a stored object matches this, it was done before: ErrTwice. At least one attribute is indexed
	Gone []ck.ObjectHandle // objects that are destroyed with it
}

// Wrapped is a key of an Intake, for C_UnwrapKeyAuthenticated.
type Wrapped struct {
	Mechanism  ck.Mechanism
	Key        []byte // encrypted
	Associated []byte
	Template   attr.Template
	Half       attr.Template // of a private key: its public half, kept beside it, is this in addition to its numbers; nil: none is kept
}

// Taken are a key and its public half; 0: there is none.
type Taken struct{ Key, Half ck.ObjectHandle }

// UnwrapTogether unwraps keys and keeps them, with a note, in one durable step in which other objects go: all of that, or nothing. The keys are not
// loaded then: there may be more than a guard holds at a time. Errors: those of UnwrapKeyAuthenticated, DestroyTogether, ErrTwice.
func (s *Session) UnwrapTogether(in *Intake) ([]Taken, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	note, err := s.drafted(in.Note)
	if err != nil {
		return nil, err
	}
	drafts := []*draft{note}
	var halves []bool // of each key, whether its half comes after it
	for w := range in.Keys {
		more, err := s.unwrapped(in.By, &w)
		if err != nil {
			return nil, ck.Errorf(ck.Code(err), "key %d: %w", len(halves)+1, renamed(s.tok.noteLost(err), unwrapErrors))
		}
		drafts, halves = append(drafts, more...), append(halves, len(more) == 2)
	}
	if err := distinct(drafts); err != nil {
		return nil, err
	}
	handles, err := s.keepTogether(drafts, in)
	if err != nil {
		return nil, err
	}
	taken := make([]Taken, len(halves))
	handles = handles[1:]
	for i, half := range halves {
		taken[i].Key, handles = handles[0], handles[1:]
		if half {
			taken[i].Half, handles = handles[0], handles[1:]
		}
	}
	return taken, nil
}

// drafted is the draft of a data object. The guard forgets it again: it is read when somebody asks for it.
func (s *Session) drafted(t attr.Template) (*draft, error) {
	built, err := s.build(attr.Create, t)
	if err != nil {
		return nil, err
	}
	d := draftOf(built)
	defer wipePrivateData(d.set)
	keys, vault, err := s.admit(d)
	if err != nil {
		return nil, err
	}
	if !keyed(d.set) {
		return d, nil
	}
	if err := d.importKey(keys, vault, built.Secret); err != nil {
		return nil, err
	}
	d.unload(keys)
	return d, nil
}

// unwrapped are the draft of one key, whose record is made, and that of its public half.
func (s *Session) unwrapped(by ck.ObjectHandle, w *Wrapped) ([]*draft, error) {
	scheme, err := authenticated(w.Mechanism, mech.OpUnwrap, w.Associated)
	if err != nil {
		return nil, err
	}
	ref, set, err := s.useFor(by, scheme, mech.OpUnwrap, ck.CKR_UNWRAPPING_KEY_HANDLE_INVALID)
	if err != nil {
		return nil, err
	}
	t := w.Template
	if t, err = demandOf(set, ck.CKA_UNWRAP_TEMPLATE).on(t); err != nil {
		return nil, err
	}
	built, err := s.build(attr.Unwrap, t)
	if err != nil {
		return nil, err
	}
	d := draftOf(built)
	if !d.isToken() || d.unfinished || d.archiving != 0 {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "keys that are kept together are token objects, final, and not to be archived")
	}
	keys, vault, err := s.admit(d)
	if err != nil {
		return nil, err
	}
	key, err := keys.Unwrap(vault, ref, scheme, w.Key, specOf(d.set), d.policy())
	if err != nil {
		return nil, err
	}
	err = d.accept(key)
	d.unload(keys)
	if err != nil {
		return nil, err
	}
	if w.Half == nil || classOf(d.set) != ck.CKO_PRIVATE_KEY {
		return []*draft{d}, nil
	}
	half, err := s.halfOf(d, w.Half)
	return []*draft{d, half}, err
}

// unload has the guard forget the draft's key, whose record is what will be stored.
func (d *draft) unload(keys guard.Keys) {
	keys.Forget(d.key.Ref)
	d.key.Ref = 0
}

// distinct refuses two drafts of one name, which the store does not have yet (claim).
func distinct(drafts []*draft) error {
	seen := map[string]bool{}
	for _, d := range drafts {
		unique, named := d.set.Get(ck.CKA_NCRYPT_UNIQUE_NAME)
		if named && seen[string(unique)] {
			return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "another of the keys: %w", taken(d.set))
		}
		seen[string(unique)] = seen[string(unique)] || named
	}
	return nil
}

// keepTogether is keep, for drafts that are token objects.
func (s *Session) keepTogether(drafts []*draft, in *Intake) ([]ck.ObjectHandle, error) {
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	change := &store.Change{}
	for _, d := range drafts {
		d.row = &store.Object{ID: d.id, Attrs: d.set.Encode()}
		if d.key != nil {
			d.row.Record = d.key.Record
		}
		change.Add = append(change.Add, d.row)
	}
	gone, err := s.going(in.Gone)
	if err != nil {
		return nil, err
	}
	change.Check = func() error {
		change.Delete = slices.Clone(gone)
		if err := t.claim(change, drafts); err != nil {
			return err
		}
		if err := t.sync(); err != nil {
			return err
		}
		twice, err := t.having(in.Once)
		if err == nil && len(twice) > 0 {
			err = ck.Errorf(ck.CKR_ACTION_PROHIBITED, "%w", ErrTwice)
		}
		return err
	}
	if err := t.st.Commit(change); errors.Is(err, store.ErrNotFound) {
		return nil, ck.Errorf(ck.CKR_OBJECT_HANDLE_INVALID, "an object that was to be destroyed has gone")
	} else if err != nil {
		return nil, err
	}
	for _, id := range change.Delete {
		if err := t.sawDeath(id); err != nil {
			return nil, err
		}
	}
	handles := make([]ck.ObjectHandle, len(drafts))
	for i, d := range drafts {
		handles[i] = t.objects.add(s.newObject(d))
	}
	return handles, nil
}

// going are the identities of objects that this session may destroy. The token's lock is held.
func (s *Session) going(handles []ck.ObjectHandle) ([]store.ID, error) {
	var gone []store.ID
	for _, h := range handles {
		o, err := s.destroyable(h)
		if err != nil {
			return nil, err
		}
		gone = append(gone, o.id)
	}
	return gone, nil
}
