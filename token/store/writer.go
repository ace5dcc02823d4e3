package store

import (
	"encoding/binary"
	"hash/crc32"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// writer is the one connection that writes, opened by the first change: most processes only read.
type writer struct {
	db     string
	mu     sync.Mutex
	conn   *sqlite.Conn
	closed bool
}

func (w *writer) open() error {
	if w.closed {
		return errClosed
	}
	if w.conn != nil {
		return nil
	}
	c, err := dial(w.db, readWrite)
	if err != nil {
		return err
	}
	// FULL: a commit returns after fsync. secure_delete: what is deleted is overwritten with zeros in the database's pages.
	if err := set(c, "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=1000", "journal_size_limit=4194304", "secure_delete=ON"); err != nil {
		return err
	}
	w.conn = c
	return nil
}

// transact runs fn as one durable transaction: when it returns nil the change is on disk, otherwise nothing was changed. IMMEDIATE takes
// the write lock first, so that fn never works on what another process is about to change.
func (w *writer) transact(fn func(*sqlite.Conn) error) error {
	if err := run(w.conn, "BEGIN IMMEDIATE", nil, nil); err != nil {
		return err
	}
	err := fn(w.conn)
	if err == nil {
		err = run(w.conn, "COMMIT", nil, nil)
	}
	if err != nil && !w.conn.AutocommitEnabled() {
		// SQLite has undone the transaction by itself after some errors; then there is nothing to roll back.
		_ = run(w.conn, "ROLLBACK", nil, nil)
	}
	return err
}

func (w *writer) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.conn == nil {
		return nil
	}
	err := w.conn.Close()
	w.conn = nil
	return explain(w.db, err)
}

// change is the way of every write.
func (s *Store) change(fn func(*sqlite.Conn) error) error {
	s.write.mu.Lock()
	defer s.write.mu.Unlock()
	if s.ReadOnly() {
		return ck.Errorf(ck.CKR_TOKEN_WRITE_PROTECTED, "%s: the directory or its file system is read-only", s.path)
	}
	// A token that was deleted or replaced meanwhile would take the change and lose it.
	if now, err := checkToken(s.path); err != nil {
		return err
	} else if now != s.file {
		return ck.Errorf(ck.CKR_DEVICE_REMOVED, "%s: the token was replaced by another; open it again", s.path)
	}
	if err := s.write.open(); err != nil {
		return explain(s.write.db, err)
	}
	return explain(s.write.db, s.write.transact(fn))
}

// advance gives out the next n revisions and returns the last.
func advance(c *sqlite.Conn, n int) (rev int64, err error) {
	err = run(c, `UPDATE state SET rev = rev + ?1 RETURNING rev`,
		func(q *sqlite.Stmt) { q.BindInt64(1, int64(n)) },
		func(row *sqlite.Stmt) error {
			rev = row.ColumnInt64(0)
			return nil
		})
	return rev, err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// crc finds accidental damage, which SQLite does not look for. It protects against nobody.
func (o *Object) crc() int64 {
	head := append(make([]byte, 0, 32), o.ID[:]...)
	head = binary.BigEndian.AppendUint64(head, uint64(o.Rev))
	head = binary.BigEndian.AppendUint64(head, uint64(len(o.Attrs)))
	sum := crc32.Update(0, castagnoli, head)
	sum = crc32.Update(sum, castagnoli, o.Attrs)
	return int64(crc32.Update(sum, castagnoli, o.Record))
}
