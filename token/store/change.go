package store

import "zombiezen.com/go/sqlite"

// Change is what becomes of several objects in one durable transaction: all of it, or nothing.
type Change struct {
	// Check is called when no other process can write any more, and before anything is written; nil: nothing to check. What it reads of the store is
	// what the change will find. It may fill in the other fields. Where it fails the change is not made.
	Check  func() error
	Delete []ID // ErrNotFound where one is missing
	Add    []*Object
}

// Commit makes the change. ErrExists where the ID of an object to add is taken. The objects learn their revisions when the transaction is durable.
func (s *Store) Commit(ch *Change) error {
	var added []Object
	err := s.change(func(c *sqlite.Conn) error {
		if ch.Check != nil {
			if err := ch.Check(); err != nil {
				return err
			}
		}
		if len(ch.Delete) > 0 {
			if err := remove(c, ch.Delete); err != nil {
				return err
			}
		}
		var err error
		added, err = putObjects(c, insert+returningSeq, ch.Add)
		return err
	})
	if err != nil {
		return err
	}
	learn(ch.Add, added)
	return nil
}
