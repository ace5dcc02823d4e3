package store

import (
	"fmt"
	"net/url"
	"time"

	"zombiezen.com/go/sqlite"
)

// lockWait is how long a call waits for another process before it gives up with CKR_DEVICE_ERROR.
const lockWait = 5 * time.Second

// access is how a connection may use the file.
type access int

const (
	readWrite  access = iota
	readShared        // no write permission here; other processes may write, through the shared log
	readFrozen        // no write permission and no log: the file is taken as it is until it changes
)

// dial opens a connection. The settings are those of a database that may come from elsewhere: no SQL in it is trusted.
func dial(db string, how access) (*sqlite.Conn, error) {
	name, flags := db, sqlite.OpenReadWrite
	switch how {
	case readShared:
		flags = sqlite.OpenReadOnly
	case readFrozen:
		name = (&url.URL{Scheme: "file", Path: db, RawQuery: "immutable=1"}).String()
		flags = sqlite.OpenReadOnly | sqlite.OpenURI
	}
	c, err := sqlite.OpenConn(name, flags)
	if err != nil {
		return nil, err
	}
	c.SetBusyTimeout(lockWait)
	c.Limit(sqlite.LimitLength, MaxObject+1<<16)
	c.Limit(sqlite.LimitAttached, 0)
	if err := c.SetDefensive(true); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, set(c, "trusted_schema=OFF", "cell_size_check=ON", "temp_store=MEMORY")
}

// set applies PRAGMAs and closes the connection where one fails.
func set(c *sqlite.Conn, pragmas ...string) error {
	for _, p := range pragmas {
		if err := runOnce(c, "PRAGMA "+p); err != nil {
			_ = c.Close()
			return fmt.Errorf("PRAGMA %s: %w", p, err)
		}
	}
	return nil
}

// run executes one prepared statement: bind gives its parameters, row takes each row. Both may be nil.
func run(c *sqlite.Conn, sql string, bind func(*sqlite.Stmt), row func(*sqlite.Stmt) error) (err error) {
	q, err := c.Prepare(sql)
	if err != nil {
		return err
	}
	defer func() {
		if resetErr := q.Reset(); err == nil {
			err = resetErr
		}
		if bind != nil {
			_ = q.ClearBindings() // gives the parameters' memory back
		}
	}()
	if bind != nil {
		bind(q)
	}
	for {
		more, err := q.Step()
		if err != nil || !more {
			return err
		}
		if row == nil {
			continue
		}
		if err := row(q); err != nil {
			return err
		}
	}
}

// runOnce executes a statement that is not worth keeping prepared.
func runOnce(c *sqlite.Conn, sql string) error {
	q, _, err := c.PrepareTransient(sql)
	if err != nil {
		return err
	}
	_, err = q.Step()
	if finalErr := q.Finalize(); err == nil {
		err = finalErr
	}
	return err
}

// pragma asks for a number.
func pragma(c *sqlite.Conn, sql string) (value int64, err error) {
	err = run(c, sql, nil, func(row *sqlite.Stmt) error {
		value = row.ColumnInt64(0)
		return nil
	})
	return value, err
}

// blob copies a column's bytes; nil for NULL and for none.
func blob(row *sqlite.Stmt, column int) []byte {
	n := row.ColumnLen(column)
	if n == 0 {
		return nil
	}
	b := make([]byte, n)
	row.ColumnBytes(column, b)
	return b
}
