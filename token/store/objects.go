package store

import (
	"zombiezen.com/go/sqlite"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

const (
	insert = `INSERT INTO objects(seq, id, rev, attrs, record, crc) VALUES (?1, ?2, ?1, ?3, ?4, ?5)`
	upsert = insert + ` ON CONFLICT(id) DO UPDATE SET rev = excluded.rev, attrs = excluded.attrs, record = excluded.record, crc = excluded.crc`
	update = `UPDATE objects SET rev = ?1, attrs = ?3, record = ?4, crc = ?5 WHERE id = ?2 AND rev = ?6`

	returningSeq = ` RETURNING seq`
)

// Put stores all objs, new ones and replacements, in one durable transaction.
func (s *Store) Put(objs ...*Object) error {
	if len(objs) == 0 {
		return nil
	}
	var put []Object
	err := s.change(func(c *sqlite.Conn) (err error) {
		put, err = putObjects(c, upsert+returningSeq, objs)
		return err
	})
	if err != nil {
		return err
	}
	learn(objs, put)
	return nil
}

// Add stores all objs in one durable transaction. ErrExists where one's ID is taken.
func (s *Store) Add(objs ...*Object) error {
	if len(objs) == 0 {
		return nil
	}
	return s.Commit(&Change{Add: objs})
}

// Replace stores obj in place of the one with its ID, if that is still at expectRev: else ErrConflict, or ErrNotFound where it is gone.
func (s *Store) Replace(obj *Object, expectRev int64) error {
	next := *obj
	err := s.change(func(c *sqlite.Conn) (err error) {
		if next.Rev, err = advance(c, 1); err != nil {
			return err
		}
		if err := next.put(c, update+returningSeq, expectRev); err != nil || next.Seq != 0 {
			return err
		}
		return whyNot(c, next.ID)
	})
	if err == nil {
		obj.Seq, obj.Rev = next.Seq, next.Rev
	}
	return err
}

// whyNot says why no row had the ID and revision that were asked for.
func whyNot(c *sqlite.Conn, id ID) error {
	reason := ErrNotFound
	err := run(c, `SELECT 1 FROM objects WHERE id = ?1`,
		func(q *sqlite.Stmt) { q.BindBytes(1, id[:]) },
		func(*sqlite.Stmt) error {
			reason = ErrConflict
			return nil
		})
	if err != nil {
		return err
	}
	return reason
}

// putObjects runs the statement for each object, and gives them as they are stored.
func putObjects(c *sqlite.Conn, statement string, objs []*Object) ([]Object, error) {
	if len(objs) == 0 {
		return nil, nil
	}
	last, err := advance(c, len(objs))
	if err != nil {
		return nil, err
	}
	stored := make([]Object, len(objs))
	for i, o := range objs {
		stored[i] = *o
		stored[i].Rev = last - int64(len(objs)-1-i)
		if err := stored[i].put(c, statement, 0); err != nil {
			return nil, err
		}
	}
	return stored, nil
}

// learn tells objects their places and revisions, once the transaction is durable.
func learn(objs []*Object, stored []Object) {
	for i, o := range objs {
		o.Seq, o.Rev = stored[i].Seq, stored[i].Rev
	}
}

// put runs one of the statements above. Seq is 0 afterwards where no row was touched.
func (o *Object) put(c *sqlite.Conn, statement string, expectRev int64) error {
	if len(o.Attrs)+len(o.Record) > MaxObject {
		return ck.Errorf(ck.CKR_DEVICE_MEMORY, "object %s has %d bytes, more than the %d that a token stores", o.ID, len(o.Attrs)+len(o.Record), MaxObject)
	}
	o.Seq = 0
	err := run(c, statement,
		func(q *sqlite.Stmt) {
			q.BindInt64(1, o.Rev)
			q.BindBytes(2, o.ID[:])
			q.BindBytes(3, o.Attrs)
			if len(o.Record) > 0 {
				q.BindBytes(4, o.Record)
			}
			q.BindInt64(5, o.crc())
			if expectRev != 0 {
				q.BindInt64(6, expectRev)
			}
		},
		func(row *sqlite.Stmt) error {
			o.Seq = row.ColumnInt64(0)
			return nil
		})
	if sqlite.ErrCode(err) == sqlite.ResultConstraintUnique {
		return ErrExists
	}
	return err
}

// Delete removes all of ids in one durable transaction: ErrNotFound where one is missing, and then none is removed.
func (s *Store) Delete(ids ...ID) error {
	if len(ids) == 0 {
		return nil
	}
	return s.change(func(c *sqlite.Conn) error { return remove(c, ids) })
}

func remove(c *sqlite.Conn, ids []ID) error {
	last, err := advance(c, len(ids))
	if err != nil {
		return err
	}
	for i, id := range ids {
		if err := bury(c, id, last-int64(len(ids)-1-i)); err != nil {
			return err
		}
	}
	return prune(c, last)
}
