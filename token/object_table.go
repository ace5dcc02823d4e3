package token

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// maxAttributeSets bounds how many token objects' attributes are kept in memory; those of others are read again when asked for.
const maxAttributeSets = 8192

// objectTable is a token's objects in this process: an index of all that are stored, and those that a handle was given out for.
type objectTable struct {
	byHandle map[ck.ObjectHandle]*object
	byID     map[store.ID]*object        // token objects with a live handle
	unstored map[ck.ObjectHandle]*object // session objects and built-in ones
	last     ck.ObjectHandle
	sets     int // token objects whose attributes are in memory

	index   *store.Index // of stored objects
	rev     int64        // the store's revision that index is at
	version int64        // the store's version at the last look; -1: never looked
}

func newObjectTable() objectTable {
	t := objectTable{byHandle: map[ck.ObjectHandle]*object{}, byID: map[store.ID]*object{}, unstored: map[ck.ObjectHandle]*object{}, index: store.NewIndex(), version: -1}
	for _, set := range builtInObjects() {
		t.add(&object{builtIn: true, attrs: set})
	}
	return t
}

// add gives the object its handle, unless it takes over another's. Handles are not used twice.
func (t *objectTable) add(o *object) ck.ObjectHandle {
	if o.handle == 0 {
		t.last++
		o.handle = t.last
	}
	t.byHandle[o.handle] = o
	if !o.isToken() {
		t.unstored[o.handle] = o
		return o.handle
	}
	t.byID[o.id] = o
	if o.attrs != nil {
		t.sets++
	}
	return o.handle
}

// remove kills the object's handle.
func (t *objectTable) remove(o *object) {
	o.dead.Store(true)
	delete(t.byHandle, o.handle)
	delete(t.unstored, o.handle)
	if o.isToken() {
		delete(t.byID, o.id)
		if o.attrs != nil {
			t.sets--
		}
	}
}

// dropPrivate ends all private objects of this process: session objects are destroyed, handles of token objects die. The token's lock is held.
func (t *Token) dropPrivate() {
	for _, o := range t.objects.byHandle {
		if o.private {
			t.bury(o)
		}
	}
}

// dropSessionObjects destroys what the session made and did not store.
func (t *Token) dropSessionObjects(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.objects.unstored {
		if o.owner == s {
			t.bury(o)
		}
	}
}

// forget unloads the object's key from the guard. The token's lock is held.
func (t *Token) forget(o *object) {
	if o.ref != 0 {
		t.keys.Forget(o.ref)
		o.ref = 0
	}
}

// sync takes in what other processes, and this one, have written since the last look. The token's lock is held.
func (t *Token) sync() error {
	version, err := t.syncHeader()
	if err != nil || version == t.objects.version {
		return err
	}
	whole := t.objects.rev == 0
	rev, err := t.st.Since(t.objects.rev, t.sawChange, t.sawDeath)
	if errors.Is(err, store.ErrResync) {
		t.unread()
		whole = true
		rev, err = t.st.Since(0, t.sawChange, t.sawDeath)
	}
	if err != nil {
		return err
	}
	if whole {
		t.dropUnseen()
	}
	t.objects.rev, t.objects.version = rev, version
	return nil
}

// dropUnseen ends objects that this process made and another destroyed before the first look: a look at everything does not tell what is gone.
func (t *Token) dropUnseen() {
	for id, o := range t.objects.byID {
		if !t.objects.index.Has(id) {
			t.bury(o)
		}
	}
}

// syncHeader reads the header again where the store has changed, and gives the store's version. A new generation means that the token was
// initialized anew: nothing of before holds, the master keys least of all. The token's lock is held.
func (t *Token) syncHeader() (version int64, err error) {
	version, err = t.st.Version()
	if err != nil || t.head != nil && version == t.headVersion {
		return version, err
	}
	h, err := t.st.Header()
	if err != nil {
		return version, err
	}
	if t.head != nil && t.head.Generation != h.Generation {
		if t.login != public {
			t.logout()
		}
		t.restart()
		t.forgetKeys()
		t.dead = false
	}
	t.head, t.headVersion = h, version
	return version, nil
}

// restart ends all stored objects, since the token was initialized anew.
func (t *Token) restart() {
	for _, o := range t.objects.byID {
		t.bury(o)
	}
	t.unread()
}

// unread forgets what was read of the stored objects, but not the handles that were given out for them.
func (t *Token) unread() {
	for _, o := range t.objects.byID {
		t.forget(o)
	}
	t.dropAttributes()
	t.objects.index = store.NewIndex()
	t.objects.rev = 0
}

// sawChange takes in one stored row, new or changed.
func (t *Token) sawChange(row *store.Object) error {
	set, err := attr.Decode(row.Attrs)
	if err != nil {
		return ck.Errorf(ck.CKR_DEVICE_ERROR, "object %v: %w", row.ID, err)
	}
	t.objects.index.Put(row.ID, row.Seq, set.All())
	if o := t.objects.byID[row.ID]; o != nil && o.rev != row.Rev {
		if o.attrs == nil || classOf(set) == ck.CKO_DATA || !samePolicy(o.id, o.attrs, set) {
			t.forget(o) // else the key is the same, and operations may be under way with it
		}
		t.setAttrs(o, set, row.Rev)
	}
	return nil
}

func (t *Token) sawDeath(id store.ID) error {
	t.objects.index.Remove(id)
	if o := t.objects.byID[id]; o != nil {
		t.bury(o)
	}
	return nil
}

func (t *Token) setAttrs(o *object, set *attr.Set, rev int64) {
	if o.attrs == nil && o.isToken() {
		t.objects.sets++
	}
	o.attrs, o.rev = set, rev
}

// attributes gives the object's attributes, from the store where they are not in memory. The token's lock is held.
func (t *Token) attributes(o *object) (*attr.Set, error) {
	if o.attrs != nil {
		return o.attrs, nil
	}
	row, err := t.st.Get(o.id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ck.CKR_OBJECT_HANDLE_INVALID
	}
	if err != nil {
		return nil, err
	}
	set, err := attr.Decode(row.Attrs)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "object %v: %w", o.id, err)
	}
	if t.objects.sets >= maxAttributeSets {
		t.dropAttributes()
	}
	t.setAttrs(o, set, row.Rev)
	return set, nil
}

func (t *Token) dropAttributes() {
	for _, o := range t.objects.byID {
		o.attrs = nil
	}
	t.objects.sets = 0
}

// stored gives the token object with this id, with a new handle where it had none. The token's lock is held.
func (t *Token) stored(id store.ID) (*object, error) {
	if o := t.objects.byID[id]; o != nil {
		return o, nil
	}
	o := &object{id: id}
	set, err := t.attributes(o)
	if err != nil {
		return nil, err
	}
	t.objects.sets-- // add counts it again
	o.private = set.Bool(ck.CKA_PRIVATE)
	t.objects.add(o)
	return o, nil
}

// object finds a visible object by its handle, as the store has it now. Error: CKR_OBJECT_HANDLE_INVALID. The token's lock is held.
func (t *Token) object(h ck.ObjectHandle) (*object, error) {
	o := t.objects.byHandle[h]
	if o != nil && o.isToken() {
		if err := t.sync(); err != nil {
			return nil, err
		}
		o = t.objects.byHandle[h]
	}
	if o == nil || o.private && !t.seesPrivate() {
		return nil, ck.CKR_OBJECT_HANDLE_INVALID
	}
	return o, nil
}

// load gives the guard's reference for the object's key, loading it at its first use. The token's lock is held.
func (t *Token) load(o *object) (guard.Ref, error) {
	if o.ref != 0 {
		t.loaded.touch(o)
		return o.ref, nil
	}
	row, err := t.st.Get(o.id)
	if err != nil {
		return 0, err
	}
	set, err := t.attributes(o)
	if err != nil {
		return 0, err
	}
	vault, err := t.vaultOf(set)
	if err != nil {
		return 0, err
	}
	keys, err := t.guard()
	if err != nil {
		return 0, err
	}
	ref, err := keys.Load(vault, row.Record)
	if err = t.noteDeath(err); err != nil {
		return 0, ck.Errorf(ck.CKR_DEVICE_ERROR, "the key of object %v cannot be opened: %w", o.id, err)
	}
	o.ref = ref
	t.noteLoaded(o)
	return ref, nil
}
