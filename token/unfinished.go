package token

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

// A key whose template has CKA_NCRYPT_DO_NOT_FINALIZE is made in two steps, as NCrypt's are: it is in the guard's memory, can do nothing, and only its session
// sees it, whatever its CKA_TOKEN says. What was said of it may be said anew, until CKA_NCRYPT_STATE is set to CK_NCRYPT_STATE_FINAL: then it is sealed
// and stored, or becomes a session key like others, under the handle that it had. It ends with its session where that never happens.

// ErrNotFinal: the key cannot be used before it is final (NTE_BAD_KEY_STATE). It comes as CKR_KEY_FUNCTION_NOT_PERMITTED.
var ErrNotFinal = errors.New("the key is not final")

var errNotFinal = ck.Errorf(ck.CKR_KEY_FUNCTION_NOT_PERMITTED, "%w: set its CKA_NCRYPT_STATE to CK_NCRYPT_STATE_FINAL first", ErrNotFinal)

// object is Token.object for this session: a key that is not final is for the session that made it. The token's lock is held.
func (s *Session) object(h ck.ObjectHandle) (*object, error) {
	o, err := s.tok.object(h)
	if err == nil && !s.sees(o) {
		return nil, ck.CKR_OBJECT_HANDLE_INVALID
	}
	return o, err
}

func (s *Session) sees(o *object) bool { return o.draft == nil || o.owner == s }

// pair has the two halves of a key that is not final become final together.
func (s *Session) pair(public, private ck.ObjectHandle) {
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	if o := t.objects.byHandle[private]; o != nil && o.draft != nil {
		o.half = t.objects.byHandle[public]
	}
}

// setUnfinished is SetAttributes for a key that is not final; false: it is, or there is none.
func (s *Session) setUnfinished(h ck.ObjectHandle, tmpl attr.Template, f attr.Facts) (bool, error) {
	t := s.tok
	t.mu.Lock()
	o, err := s.object(h)
	t.mu.Unlock()
	if err != nil || o.draft == nil {
		return false, nil
	}
	d, final, err := redraft(o, tmpl, f)
	if err != nil {
		return true, err
	}
	keys, vault, err := s.admit(d)
	switch {
	case err != nil:
		return true, err
	case final:
		return true, s.finalize(d, keys, vault)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	d.from = nil
	o.attrs, o.private, o.draft = d.set, d.private(), d
	return true, nil
}

// redraft applies a template to what a key is to be, and says whether it is to be final.
func redraft(o *object, tmpl attr.Template, f attr.Facts) (*draft, bool, error) {
	final, rest, err := takeState(tmpl)
	if err != nil {
		return nil, false, err
	}
	if final && classOf(o.attrs) == ck.CKO_PUBLIC_KEY {
		return nil, false, ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "a public half becomes final with its private key, and not by itself")
	}
	archiving, err := keepArchivePolicy(o.draft.archiving, rest)
	if err != nil {
		return nil, false, err
	}
	set := o.attrs.Clone()
	if len(rest) > 0 { // what is only made final is not changed, and so CKA_MODIFIABLE has no say
		if set, err = saidAnew(o, rest, f); err != nil {
			return nil, false, err
		}
	}
	if keyed(set) {
		set.PutULong(ck.CKA_NCRYPT_EXPORT_POLICY, uint(plan.ExportPolicy(set)|archiving)) // all of it counts when the key is planned
	}
	d := &draft{id: o.id, set: set, from: o, unfinished: !final, archiving: archiving, overwrite: o.draft.overwrite, demand: o.draft.demand}
	if over, ok := rest.Find(ck.CKA_NCRYPT_OVERWRITE); ok {
		d.overwrite, _ = attr.ParseBool(over)
	}
	return d, final, nil
}

// saidAnew are the attributes of a key that is not final, with what a template says of it now. What goes one way only does so here, too.
func saidAnew(o *object, t attr.Template, f attr.Facts) (*attr.Set, error) {
	before, t := plan.Anew(o.attrs, t)
	if o.draft.byLabel { // whatever that is now
		before = before.Clone()
		before.Delete(ck.CKA_NCRYPT_KEY_NAME)
		before.Delete(ck.CKA_NCRYPT_UNIQUE_NAME)
	}
	t, err := plan.Expand(t, classOf(before), keyTypeOf(before))
	if err != nil {
		return nil, err
	}
	if _, err := o.draft.demand.on(t); err != nil {
		return nil, err
	}
	set, err := attr.SetUntilFinal(before, t, f)
	switch {
	case err != nil || !keyed(set):
		return set, err
	case o.attrs.Bool(ck.CKA_NCRYPT_PER_BOOT) && !set.Bool(ck.CKA_NCRYPT_PER_BOOT):
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "that a key dies with the boot cannot be taken back")
	}
	return set, guard.Narrower(policyOf(o.id, o.attrs), policyOf(o.id, set))
}

// takeState takes CKA_NCRYPT_STATE out of a template: it is for the last step only, and has one value then.
func takeState(tmpl attr.Template) (final bool, rest attr.Template, err error) {
	for _, a := range tmpl {
		if a.Type != ck.CKA_NCRYPT_STATE {
			rest = append(rest, a)
			continue
		}
		if final {
			return false, nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "%v is given twice", a.Type)
		}
		if state, err := attr.ParseULong(a.Value); err != nil || state != ck.CK_NCRYPT_STATE_FINAL {
			return false, nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_NCRYPT_STATE is set to CK_NCRYPT_STATE_FINAL, %#x, and to nothing else", ck.CK_NCRYPT_STATE_FINAL)
		}
		final = true
	}
	return final, rest, nil
}

// finalize makes of a key what it is to be, with its public half where it has one. Where that fails, the key is as it was.
func (s *Session) finalize(d *draft, keys guard.Keys, vault guard.Vault) error {
	drafts := []*draft{d}
	if half := d.from.half; half != nil && !half.dead.Load() {
		public := &draft{id: half.id, set: half.attrs.Clone(), from: half}
		if _, _, err := s.admit(public); err != nil {
			return err
		}
		drafts = append(drafts, public)
	}
	if keyed(d.set) {
		key, err := keys.Reissue(vault, d.from.ref, d.policy())
		if err != nil {
			return s.tok.noteLost(err)
		}
		d.key = key
	}
	if _, err := s.keep(drafts...); err != nil {
		discard(keys, d)
		return err
	}
	return nil
}

// inherit has the object of a draft take the place of the one that was not final. What may be archived of it is the key that this one had. The token's lock is held.
func (s *Session) inherit(d *draft, o *object) {
	o.handle = d.from.handle
	if d.archiving != 0 && d.from.ref != 0 {
		s.mayArchive(o, d.from.ref, d.archiving)
		d.from.ref = 0
	}
	d.from.half = nil // which becomes final in the same step
	s.tok.bury(d.from)
}
