package store

import (
	"math"

	"zombiezen.com/go/sqlite"
)

// keepTombstones is how many of the newest revisions keep their tombstones. Whoever has not looked for longer loads all anew.
const keepTombstones = 16384

// batch is how many changes Since reads at a time.
const batch = 512

// bury removes one object and leaves its tombstone.
func bury(c *sqlite.Conn, id ID, rev int64) error {
	if err := run(c, `DELETE FROM objects WHERE id = ?1`, func(q *sqlite.Stmt) { q.BindBytes(1, id[:]) }, nil); err != nil {
		return err
	}
	if c.Changes() == 0 {
		return ErrNotFound
	}
	return run(c, `INSERT INTO tombstones(rev, id) VALUES (?1, ?2)`, func(q *sqlite.Stmt) {
		q.BindInt64(1, rev)
		q.BindBytes(2, id[:])
	}, nil)
}

// prune forgets old tombstones and records up to where they are gone.
func prune(c *sqlite.Conn, last int64) error {
	horizon := func(q *sqlite.Stmt) { q.BindInt64(1, last-keepTombstones) }
	if err := run(c, `DELETE FROM tombstones WHERE rev <= ?1`, horizon, nil); err != nil || c.Changes() == 0 {
		return err
	}
	return run(c, `UPDATE state SET pruned = ?1`, horizon, nil)
}

// changed is an object that is new or has new contents; or, without an Object, one that is gone.
type changed struct {
	rev    int64
	id     ID
	object *Object
}

// Since reports what has changed after revision rev, in the order of the changes: put for each object that is new or has new contents, gone
// for each that was deleted. It returns the revision to ask from the next time. Since(0) reports every object, and then only deletions that
// happen while it runs. ErrResync means that deletions after rev are no longer known: forget all objects and ask from 0.
//
// put and gone run without a lock held and may use the Store. When one fails Since ends with its error and the revision before it.
func (s *Store) Since(rev int64, put func(*Object) error, gone func(ID) error) (int64, error) {
	deletions := rev // those up to here are known to the caller, or concern objects that it never saw
	if rev == 0 {
		deletions = math.MaxInt64
	}
	for {
		list, now, err := s.changes(rev, deletions)
		if err != nil {
			return rev, err
		}
		for _, ch := range list {
			if ch.object != nil {
				err = put(ch.object)
			} else {
				err = gone(ch.id)
			}
			if err != nil {
				return rev, err
			}
			rev = ch.rev
		}
		if len(list) < batch {
			return now, nil
		}
		// Each batch sees the token as it is by then. What changes between two of them has a later revision and comes later.
		deletions = max(rev, min(deletions, now))
	}
}

// changes reads the next batch: objects after revision rev, tombstones after revision deletions. now is the newest revision there is.
func (s *Store) changes(rev, deletions int64) (list []changed, now int64, err error) {
	err = s.read.snapshot(func(c *sqlite.Conn) error {
		var pruned int64
		err := run(c, `SELECT rev, pruned FROM state`, nil, func(row *sqlite.Stmt) error {
			now, pruned = row.ColumnInt64(0), row.ColumnInt64(1)
			return nil
		})
		if err != nil {
			return err
		}
		// A revision from the future was read from another file: this one was put back from a backup.
		if pruned > deletions || rev > now {
			return ErrResync
		}
		list, err = readChanges(c, rev, deletions)
		return err
	})
	return list, now, err
}

func readChanges(c *sqlite.Conn, rev, deletions int64) (list []changed, err error) {
	err = run(c, `SELECT id, seq, rev, attrs, record, crc FROM objects WHERE rev > ?1
		UNION ALL SELECT id, NULL, rev, NULL, NULL, NULL FROM tombstones WHERE rev > ?2
		ORDER BY rev LIMIT ?3`,
		func(q *sqlite.Stmt) {
			q.BindInt64(1, rev)
			q.BindInt64(2, deletions)
			q.BindInt64(3, batch)
		},
		func(row *sqlite.Stmt) error {
			ch := changed{rev: row.ColumnInt64(2)}
			row.ColumnBytes(0, ch.id[:])
			if !row.ColumnIsNull(1) {
				if ch.object, err = scan(row); err != nil {
					return err
				}
			}
			list = append(list, ch)
			return nil
		})
	return list, err
}
