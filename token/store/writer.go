package store

import (
	"encoding/binary"
	"hash/crc32"
	"path/filepath"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// writer is the one connection that writes, opened by the first change: most processes only read.
type writer struct {
	db     string
	mu     sync.Mutex
	conn   *sqlite.Conn
	turn   *turnstile
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
	if err := set(c, "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=1000", "journal_size_limit=4194304", "secure_delete=ON"); err != nil {
		return err
	}
	var turn *turnstile
	if err = promises(c); err == nil {
		turn, err = newTurnstile(filepath.Dir(w.db), courtesy)
	}
	if err != nil {
		_ = c.Close()
		return err
	}
	c.SetBusyTimeout(0) // begin waits, in its own way
	w.conn, w.turn = c, turn
	return nil
}

// promises checks the settings that durability rests on: a PRAGMA that cannot do what it is told says nothing.
func promises(c *sqlite.Conn) error {
	for _, p := range []struct{ pragma, want string }{
		{"journal_mode", "wal"},
		{"synchronous", "2"},   // FULL: a commit returns after fsync
		{"secure_delete", "1"}, // what is deleted is overwritten with zeros in the database's pages
	} {
		err := run(c, "PRAGMA "+p.pragma, nil, func(row *sqlite.Stmt) error {
			if got := row.ColumnText(0); got != p.want {
				return ck.Errorf(ck.CKR_DEVICE_ERROR, "the file system does not allow a durable database: %s is %s", p.pragma, got)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// begin takes the write lock. IMMEDIATE takes it at once, so that the transaction never works on what another process is about to change.
func (w *writer) begin() error {
	deadline := time.Now().Add(lockWait)
	w.turn.enter()
	defer w.turn.leave()
	for ; ; pause(lockPause) {
		err := run(w.conn, "BEGIN IMMEDIATE", nil, nil)
		if sqlite.ErrCode(err).ToPrimary() != sqlite.ResultBusy || time.Now().After(deadline) {
			return err
		}
	}
}

// transact runs fn as one durable transaction: when it returns nil the change is on disk, otherwise nothing was changed.
func (w *writer) transact(fn func(*sqlite.Conn) error) error {
	if err := w.begin(); err != nil {
		return err
	}
	defer func() {
		// Not after success, and not after errors that made SQLite undo the transaction by itself; but also when fn panics.
		if !w.conn.AutocommitEnabled() {
			_ = run(w.conn, "ROLLBACK", nil, nil)
		}
	}()
	if err := fn(w.conn); err != nil {
		return err
	}
	return run(w.conn, "COMMIT", nil, nil)
}

func (w *writer) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.conn == nil {
		return nil
	}
	w.turn.close()
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
	isNew := s.write.conn == nil
	if err := s.write.open(); err != nil {
		return explain(s.write.db, err)
	}
	err := s.write.transact(fn)
	if isNew {
		s.open.keep(s.path) // the transaction has opened the log
	}
	return explain(s.write.db, err)
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
