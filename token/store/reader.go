package store

import (
	"errors"
	"io/fs"
	"os"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// reader is the one connection that reads. A lookup takes a few microseconds, so one connection under a mutex serves more than a processor
// can ask for, and PRAGMA data_version, which counts per connection, stays meaningful.
type reader struct {
	db string

	mu     sync.Mutex
	conn   *sqlite.Conn
	access access
	epoch  int64     // counts reconnections, since each connection numbers versions anew
	frozen fileStamp // what a readFrozen connection was opened on
}

// open connects with the most that the file system allows.
func (r *reader) open() (err error) {
	for _, how := range []access{readWrite, readShared, readFrozen} {
		if how == readFrozen && hasLog(r.db) {
			// The log holds changes that a frozen view would miss.
			return ck.Errorf(ck.CKR_DEVICE_ERROR, "%s: it is read-only here and a writer left its log behind; open it once where it can be written (%w)", r.db, err)
		}
		if err = r.connect(how); err == nil || !lacksPermission(err) {
			break
		}
	}
	return explain(r.db, err)
}

func (r *reader) connect(how access) error {
	if how == readWrite && !mayWrite(r.db) {
		return sqlite.ResultReadOnly.ToError()
	}
	stamp, err := stampOf(r.db)
	if err != nil {
		return inaccessible(r.db, err)
	}
	c, err := dial(r.db, how)
	if err != nil {
		return err
	}
	if err := set(c, "query_only=ON"); err != nil {
		return err
	}
	// The first read decides: only it opens the log and its index.
	if _, err := pragma(c, "PRAGMA schema_version"); err != nil {
		_ = c.Close()
		return err
	}
	r.conn, r.access, r.frozen = c, how, stamp
	r.epoch++
	return nil
}

// lacksPermission says that less access could succeed.
func lacksPermission(err error) bool {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultReadOnly, sqlite.ResultCantOpen, sqlite.ResultPerm:
		return true
	}
	return errors.Is(err, fs.ErrPermission)
}

// do runs fn with the connection, which is current: a frozen view is opened anew when the file has changed.
func (r *reader) do(fn func(*sqlite.Conn) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == nil {
		return errClosed
	}
	if r.access == readFrozen {
		if err := r.thaw(); err != nil {
			return err
		}
	}
	return explain(r.db, fn(r.conn))
}

// thaw reconnects where the file is no longer what the frozen view was opened on.
func (r *reader) thaw() error {
	now, err := stampOf(r.db)
	if err != nil {
		return inaccessible(r.db, err)
	}
	if now == r.frozen && !hasLog(r.db) {
		return nil
	}
	old := r.conn
	if err := r.open(); err != nil {
		return err
	}
	return old.Close()
}

// snapshot runs fn within one read transaction.
func (r *reader) snapshot(fn func(*sqlite.Conn) error) error {
	return r.do(func(c *sqlite.Conn) error {
		if err := run(c, "BEGIN", nil, nil); err != nil {
			return err
		}
		defer func() { _ = run(c, "ROLLBACK", nil, nil) }() // there is nothing to commit
		return fn(c)
	})
}

func (r *reader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == nil {
		return nil
	}
	err := r.conn.Close()
	r.conn = nil
	return explain(r.db, err)
}

// hasLog says that there is a write-ahead log with something in it.
func hasLog(db string) bool {
	info, err := os.Lstat(db + "-wal")
	return err == nil && info.Size() > 0
}

// Version changes whenever the token may have changed, through this Store or another process. It costs a microsecond or two. Ask for it
// before Since, so that a change between the two is seen the next time.
func (s *Store) Version() (version int64, err error) {
	err = s.read.do(func(c *sqlite.Conn) error {
		data, err := pragma(c, "PRAGMA data_version")
		version = s.read.epoch<<32 + data
		return err
	})
	return version, err
}

// Get reads one object.
func (s *Store) Get(id ID) (o *Object, err error) {
	err = s.read.do(func(c *sqlite.Conn) error {
		return run(c, `SELECT id, seq, rev, attrs, record, crc FROM objects WHERE id = ?1`,
			func(q *sqlite.Stmt) { q.BindBytes(1, id[:]) },
			func(row *sqlite.Stmt) (err error) {
				o, err = scan(row)
				return err
			})
	})
	if err == nil && o == nil {
		return nil, ErrNotFound
	}
	return o, err
}

// scan reads a row of id, seq, rev, attrs, record, crc.
func scan(row *sqlite.Stmt) (*Object, error) {
	o := &Object{Seq: row.ColumnInt64(1), Rev: row.ColumnInt64(2), Attrs: blob(row, 3), Record: blob(row, 4)}
	row.ColumnBytes(0, o.ID[:])
	if row.ColumnInt64(5) != o.crc() {
		return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "object %s %w; restore the token's directory from a backup", o.ID, ErrDamaged)
	}
	return o, nil
}
