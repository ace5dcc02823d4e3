package token

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

// A key whose template allows archiving (bits 4 and 8 of CKA_NCRYPT_EXPORT_POLICY) leaves once, through the session that made it, and never again. So the guard
// makes it under a policy that lets it leave and do nothing else, keeps that one in memory for the session, and the same key under the policy of its
// attributes is the object's. No other session, and nothing on a disk, has anything to archive.

// archive is the key that may leave once.
type archive struct {
	owner *Session
	ref   guard.Ref
	bits  uint32 // NCRYPT_ALLOW_ARCHIVING_FLAG, or with NCRYPT_ALLOW_PLAINTEXT_ARCHIVING_FLAG it may be read, too
}

// openPolicy is what a key is made under that may be archived.
func openPolicy(p *guard.Policy, archiving uint32) *guard.Policy {
	p.Usage, p.Extractable, p.WrapBy = 0, true, 0
	p.Sensitive = archiving&plan.NCRYPT_ALLOW_PLAINTEXT_ARCHIVING_FLAG == 0
	return p
}

// make has the guard make the draft's key, by a way that makes it in a vault and under the draft's policy. A key that is not final lives in the guard's memory,
// for no use.
func (d *draft) make(keys guard.Keys, vault guard.Vault, by func(guard.Vault) (*guard.Key, error)) error {
	if d.unfinished {
		vault = 0
	}
	if d.archiving == 0 || d.unfinished {
		d.open = d.archiving != 0
		key, err := by(vault)
		if err != nil {
			return err
		}
		return d.accept(key)
	}
	d.open = true
	first, err := by(0)
	d.open = false
	if err != nil {
		return err
	}
	kept, err := keys.Reissue(vault, first.Ref, d.policy())
	if err != nil {
		keys.Forget(first.Ref)
		return err
	}
	d.archive = first.Ref
	return d.accept(kept)
}

// mayArchive gives the session a key that may leave once. The token's lock is held.
func (s *Session) mayArchive(o *object, ref guard.Ref, archiving uint32) {
	o.archive = &archive{s, ref, archiving}
	if s.archives == nil {
		s.archives = map[*object]bool{}
	}
	s.archives[o] = true
}

// archiving are the bits of CKA_NCRYPT_EXPORT_POLICY by which the session may let a key leave, still or once it is final. The token's lock is held.
func (s *Session) archiving(o *object) uint32 {
	switch {
	case o.draft != nil:
		return o.draft.archiving
	case o.archive == nil || o.archive.owner != s:
		return 0
	}
	return o.archive.bits
}

// archiveOf gives what the session may let leave of a key once, by one of these bits; 0: nothing. The token's lock is held.
func (s *Session) archiveOf(o *object, bits uint32) guard.Ref {
	if o.draft != nil || s.archiving(o)&bits == 0 {
		return 0
	}
	return o.archive.ref
}

// archived ends what there was to archive, since it left. The session's lock is held.
func (s *Session) archived(o *object) {
	s.tok.mu.Lock()
	defer s.tok.mu.Unlock()
	s.tok.dropArchive(o)
}

// dropArchive has the guard forget the key that could leave. The token's lock is held.
func (t *Token) dropArchive(o *object) {
	if o.archive != nil {
		t.keys.Forget(o.archive.ref)
		delete(o.archive.owner.archives, o)
		o.archive = nil
	}
}

// limitArchive leaves these bits of what may be archived of a key, by whichever session. The token's lock is held.
func (t *Token) limitArchive(o *object, bits uint32) {
	switch {
	case o.archive == nil:
	case bits == 0:
		t.dropArchive(o)
	default:
		o.archive.bits = bits
	}
}

// archiveToWrap gives the key that may leave once, where the object's own may not leave; 0: nothing. It is a copy under what the attributes say now, for
// CKA_WRAP_WITH_TRUSTED may have come since the key was made, and is the caller's to forget.
func (s *Session) archiveToWrap(h ck.ObjectHandle, by ck.MechanismType) (guard.Ref, *object, error) {
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	o, err := s.object(h)
	if err != nil {
		return 0, nil, handleError(err, ck.CKR_KEY_HANDLE_INVALID)
	}
	set, err := t.attributes(o)
	if err != nil {
		return 0, nil, err
	}
	ref := s.archiveOf(o, plan.ArchivingFlags)
	only := plan.WrapBy(set)
	if leaves := set.Bool(ck.CKA_EXTRACTABLE) && (only == 0 || only == by); ref == 0 || leaves {
		return 0, nil, nil
	}
	key, err := t.keys.Reissue(0, ref, openPolicy(policyOf(o.id, set), o.archive.bits))
	if err != nil {
		return 0, nil, t.dropLost(err)
	}
	return key.Ref, o, nil
}

// dropArchives ends what a session could archive, when it ends.
func (t *Token) dropArchives(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for o := range s.archives {
		t.dropArchive(o)
	}
}

// bury ends an object in this process: its handle, and whatever the guard has of its key. The token's lock is held.
func (t *Token) bury(o *object) {
	t.forget(o)
	t.dropArchive(o)
	t.objects.remove(o)
	if half := o.half; half != nil && half.draft != nil {
		t.bury(half) // neither becomes final without the other
	}
}

// keepArchivePolicy gives the export policy that a change of attributes asks for: what may be archived can be given up, and not be asked for later.
func keepArchivePolicy(now uint32, t attr.Template) (uint32, error) {
	value, ok := t.Find(ck.CKA_NCRYPT_EXPORT_POLICY)
	if !ok {
		return now, nil
	}
	number, err := attr.ParseULong(value)
	if err != nil {
		return 0, err
	}
	bits := uint32(number) & plan.ArchivingFlags
	if bits&^now != 0 {
		return 0, ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "that a key may be archived is said when it is made")
	}
	return bits, nil
}
