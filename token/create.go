package token

import (
	"bytes"
	"crypto"
	"encoding/hex"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// draft is an object on its way to existing: its attributes are built, its key is in the guard, nothing is stored yet.
type draft struct {
	id  store.ID
	set *attr.Set
	key *guard.Key    // nil for keyless objects
	row *store.Object // what keep stored; nil for session objects

	generation int64 // of the token, when the object was admitted
	logouts    uint  // that there had been
	overwrite  bool  // the key may take the place of one of the same name (CKA_NCRYPT_OVERWRITE)

	unfinished bool      // the key is to be final later (CKA_NCRYPT_DO_NOT_FINALIZE)
	from       *object   // what becomes final, and keeps its handle
	archiving  uint32    // plan.Archiving of the template
	open       bool      // the guard's policy is that of the key that leaves once
	archive    guard.Ref // that key; 0: none
	byLabel    bool      // its label is its name, for as long as it is not final
	demand     demand    // what the key that it came out of has it be, for as long as it is not final
}

// errInitialized is for what was begun before C_InitToken in another process.
var errInitialized = ck.Errorf(ck.CKR_FUNCTION_FAILED, "another process has just initialized the token")

// draftOf is the draft of what a template makes.
func draftOf(built *attr.New) *draft {
	d := newDraft(built.Set)
	d.overwrite = built.Asked.Bool(ck.CKA_NCRYPT_OVERWRITE)
	d.unfinished = built.Asked.Bool(ck.CKA_NCRYPT_DO_NOT_FINALIZE)
	if d.archiving = plan.Archiving(d.set); d.archiving != 0 {
		d.wasOutside()
	}
	return d
}

// wasOutside says of a key that may leave once that it did: nobody who relies on these attributes can know when.
func (d *draft) wasOutside() {
	d.set.PutBool(ck.CKA_NEVER_EXTRACTABLE, false)
	if d.archiving&plan.NCRYPT_ALLOW_PLAINTEXT_ARCHIVING_FLAG != 0 {
		d.set.PutBool(ck.CKA_ALWAYS_SENSITIVE, false)
	}
}

// newDraft gives the attributes an identity.
func newDraft(set *attr.Set) *draft {
	d := &draft{id: store.NewID(), set: set}
	set.Put(ck.CKA_UNIQUE_ID, []byte(hex.EncodeToString(d.id[:])))
	return d
}

func (d *draft) isToken() bool { return d.set.Bool(ck.CKA_TOKEN) }
func (d *draft) private() bool { return d.set.Bool(ck.CKA_PRIVATE) }

// policy is what the guard shall enforce. A key that is not final can do nothing.
func (d *draft) policy() *guard.Policy {
	p := policyOf(d.id, d.set)
	switch {
	case d.open:
		return openPolicy(p, d.archiving)
	case d.unfinished && !p.Confining: // whose usage cannot grow
		p.Usage = 0
	}
	return p
}

// wipePrivateData zeroes the value of a private data object, which was in the attributes until the guard had it.
func wipePrivateData(set *attr.Set) {
	if value, ok := set.Get(ck.CKA_VALUE); ok && keyed(set) {
		secret.Wipe(value)
	}
}

// admit checks that the session may make such an object, and gives the guard and the master key for its key. Session objects' keys
// live in the guard's memory only: vault 0.
func (s *Session) admit(d *draft) (guard.Keys, guard.Vault, error) {
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	if d.isToken() {
		if _, err := t.syncHeader(); err != nil {
			return nil, 0, err
		}
		d.generation = t.head.Generation
		if err := takesIn(t.head, d.set); err != nil {
			return nil, 0, err
		}
	}
	d.logouts = t.logouts
	if err := s.mayWrite(d.isToken(), d.private()); err != nil {
		return nil, 0, err
	}
	if !keyed(d.set) {
		return nil, 0, nil
	}
	keys, err := t.guard()
	if err != nil {
		return nil, 0, err
	}
	if err := t.protect(d, keys); err != nil || !d.isToken() {
		return keys, 0, err
	}
	if t.perBootKey(d.set) {
		vault, err := t.bootVault()
		return keys, vault, err
	}
	vault, err := t.vault(d.private())
	return keys, vault, err
}

// accept takes the key that the guard made into the draft.
func (d *draft) accept(key *guard.Key) error {
	d.key = key
	return d.agree(key.Public)
}

// agree makes the key's public half attributes, which must be what the template said where it said anything.
func (d *draft) agree(public []guard.Part) error {
	for _, part := range public {
		given, ok := d.set.Get(part.Type)
		if ok && len(given) > 0 && !same(d.set, part, given) {
			return ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "%v does not belong to this key", part.Type)
		}
		if ok && len(given) == 0 && part.Type == ck.CKA_CHECK_VALUE {
			continue // the caller's way to say that none is wanted (section 4.10.2)
		}
		if !ok || len(given) == 0 || part.Type == ck.CKA_EC_POINT { // a point is stored in one form, however it was given
			d.set.Put(part.Type, part.Value)
		}
	}
	return nil
}

// same compares what a template said of a public half with what the key has. Numbers and points may be written in more than one way.
func same(set *attr.Set, part guard.Part, given []byte) bool {
	switch part.Type {
	case ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT:
		return bytes.Equal(bytes.TrimLeft(given, "\x00"), part.Value)
	case ck.CKA_EC_PARAMS:
		return true // the guard has understood them; curve names and object identifiers stand side by side
	case ck.CKA_EC_POINT:
		return samePoint(set, part.Value, given)
	}
	return bytes.Equal(given, part.Value)
}

func samePoint(set *attr.Set, a, b []byte) bool {
	params, _ := set.Get(ck.CKA_EC_PARAMS)
	curve, err := pubkey.DecodeParams(params, keyTypeOf(set))
	if err != nil {
		return false
	}
	rawA, errA := pubkey.DecodePoint(curve, a)
	rawB, errB := pubkey.DecodePoint(curve, b)
	return errA == nil && errB == nil && bytes.Equal(rawA, rawB)
}

// keep makes the drafts into objects: the token objects among them in one durable step. Where it fails, none of them exists and the guard
// has forgotten their keys.
func (s *Session) keep(drafts ...*draft) ([]ck.ObjectHandle, error) {
	drafts, err := s.withProperties(drafts)
	if err != nil {
		return nil, err
	}
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	var rows []*store.Object
	for _, d := range drafts {
		if !d.isToken() || d.unfinished {
			if err := t.stillAdmits(d); err != nil {
				return nil, err
			}
			if err := t.nameIsFree(d); err != nil {
				return nil, err
			}
			continue
		}
		d.row = &store.Object{ID: d.id, Attrs: d.set.Encode()}
		if d.key != nil {
			d.row.Record = d.key.Record
		}
		rows = append(rows, d.row)
	}
	if err := t.commit(rows, drafts); err != nil {
		return nil, err
	}
	handles := make([]ck.ObjectHandle, len(drafts))
	for i, d := range drafts {
		o := s.newObject(d)
		handles[i] = t.objects.add(o)
		if o.ref != 0 && o.isToken() {
			t.noteLoaded(o)
		}
	}
	return handles, nil
}

// commit stores the token objects among the drafts, in the place of those whose names they take over. The token's lock is held.
func (t *Token) commit(rows []*store.Object, drafts []*draft) error {
	if len(rows) == 0 {
		return nil
	}
	change := &store.Change{Add: rows}
	change.Check = func() error { return t.claim(change, drafts) }
	if err := t.st.Commit(change); err != nil {
		return err
	}
	for _, id := range change.Delete {
		if err := t.sawDeath(id); err != nil {
			return err
		}
	}
	return nil
}

// stillAdmits says whether what admit saw still holds. The guard has taken its time since, and the key may be of a master key that is no longer the token's, or
// gone in a logout. The token's lock is held.
func (t *Token) stillAdmits(d *draft) error {
	if d.isToken() {
		if _, err := t.syncHeader(); err != nil {
			return err
		}
		if t.head.Generation != d.generation {
			return errInitialized
		}
	}
	if d.private() && t.logouts != d.logouts {
		return ck.CKR_USER_NOT_LOGGED_IN
	}
	return nil
}

// newObject makes the object of a draft.
func (s *Session) newObject(d *draft) *object {
	o := &object{id: d.id, private: d.private(), attrs: d.set}
	if d.key != nil {
		o.ref = d.key.Ref
	}
	if d.row == nil {
		o.owner = s
	} else {
		o.rev = d.row.Rev
	}
	if d.unfinished {
		o.draft = d
	}
	if d.archive != 0 {
		s.mayArchive(o, d.archive, d.archiving)
	}
	if d.from != nil {
		s.inherit(d, o)
	}
	return o
}

// discard undoes what the guard did for drafts that will not be.
func discard(keys guard.Keys, drafts ...*draft) {
	for _, d := range drafts {
		if d != nil && d.key != nil {
			keys.Forget(d.key.Ref)
		}
		if d != nil && d.archive != 0 {
			keys.Forget(d.archive)
		}
	}
}

// publicOf is the public key of a set. That of a generated ML-KEM or ML-DSA pair came from the guard in CKA_PUBLIC_KEY_INFO alone, for a private key's CKA_VALUE
// is something else.
func publicOf(set *attr.Set) (crypto.PublicKey, error) {
	_, written := set.Get(ck.CKA_VALUE)
	keyType := keyTypeOf(set)
	if info, ok := set.Get(ck.CKA_PUBLIC_KEY_INFO); ok && !written && (keyType == ck.CKK_ML_KEM || keyType == ck.CKK_ML_DSA) {
		return pubkey.ParseSPKI(info)
	}
	return pubkey.Parse(keyType, valuesOf(set))
}

// completePublic checks a public key's values and fills in what follows from them.
func completePublic(set *attr.Set) error {
	key, err := publicOf(set)
	if err != nil {
		return err
	}
	switch key := key.(type) {
	case *pubkey.KEMKey:
		set.Put(ck.CKA_VALUE, key.Bytes())
	case *pubkey.MLDSAKey:
		set.Put(ck.CKA_VALUE, key.Bytes())
	}
	if curve, raw := pubkey.Point(key); curve != nil {
		set.Put(ck.CKA_EC_POINT, pubkey.EncodePoint(curve, raw)) // clients read the DER form only, and write either
	}
	info, err := pubkey.SPKI(key)
	if err != nil {
		return err
	}
	if given, ok := set.Get(ck.CKA_PUBLIC_KEY_INFO); ok && len(given) > 0 && !bytes.Equal(given, info) {
		return ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_PUBLIC_KEY_INFO does not belong to this key")
	}
	set.Put(ck.CKA_PUBLIC_KEY_INFO, info)
	if modulus, ok := set.Get(ck.CKA_MODULUS); ok {
		set.PutULong(ck.CKA_MODULUS_BITS, uint(bitLen(modulus)))
	}
	return nil
}
