package store

import (
	"fmt"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// FORMAT.md describes what follows. Any change of it is a new formatVersion.
const (
	applicationID = 0x6e633131 // "nc11", at offset 68 of the file
	formatVersion = 1          // PRAGMA user_version, at offset 60
)

// schema is kept in the file word for word by SQLite and compared when a token is opened, so that a file with triggers, views or other
// columns is refused before any statement of ours meets them.
var schema = []string{
	`CREATE TABLE header(one INTEGER PRIMARY KEY CHECK (one = 1), value BLOB NOT NULL) STRICT`,
	`CREATE TABLE objects(seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE CHECK (length(id) = 16), rev INTEGER NOT NULL UNIQUE, attrs BLOB NOT NULL, record BLOB, crc INTEGER NOT NULL) STRICT`,
	`CREATE TABLE state(one INTEGER PRIMARY KEY CHECK (one = 1), rev INTEGER NOT NULL, pruned INTEGER NOT NULL) STRICT`,
	`CREATE TABLE tombstones(rev INTEGER PRIMARY KEY, id BLOB NOT NULL) STRICT`,
}

// verify checks that the file is a token of this format, and whole as far as its first pages tell.
func (s *Store) verify(c *sqlite.Conn) error {
	file := s.read.db
	application, err := pragma(c, "PRAGMA application_id")
	if err != nil {
		return explain(file, err)
	}
	version, err := pragma(c, "PRAGMA user_version")
	if err != nil {
		return explain(file, err)
	}
	switch {
	case application != applicationID:
		return ck.Errorf(ck.CKR_TOKEN_NOT_RECOGNIZED, "%s: this is another program's database; move it away", file)
	case version > formatVersion:
		return ck.Errorf(ck.CKR_TOKEN_NOT_RECOGNIZED, "%s: its format is version %d and this module knows versions up to %d; use a newer module",
			file, version, formatVersion)
	case version < 1:
		return ck.Errorf(ck.CKR_TOKEN_NOT_RECOGNIZED, "%s: it has no format version; restore the token's directory from a backup", file)
	}
	found, err := schemaOf(c)
	if err != nil {
		return explain(file, err)
	}
	if found != strings.Join(schema, "\n") {
		return ck.Errorf(ck.CKR_TOKEN_NOT_RECOGNIZED, "%s: its tables are not a token's; restore the token's directory from a backup", file)
	}
	h, err := readHeader(c)
	if err != nil {
		return explain(file, err)
	}
	if h.Serial != s.serial {
		return ck.Errorf(ck.CKR_DEVICE_ERROR, "%s: it belongs to token %s; a token's directory bears its serial number", file, h.Serial)
	}
	return nil
}

// schemaOf gives the statements that made all there is in the database, in the order of the names. Only indexes that SQLite makes by itself have
// none. Names prove nothing: that those in sqlite_ are SQLite's own is not checked when a file is opened.
func schemaOf(c *sqlite.Conn) (string, error) {
	var all []string
	err := run(c, `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name`, nil,
		func(row *sqlite.Stmt) error {
			all = append(all, row.ColumnText(0))
			return nil
		})
	return strings.Join(all, "\n"), err
}

// format makes the tables of a new token and its header.
func format(c *sqlite.Conn, h *Header) error {
	value, err := h.encode()
	if err != nil {
		return err
	}
	script := append(slices.Clone(schema),
		fmt.Sprintf("PRAGMA application_id = %d", applicationID),
		fmt.Sprintf("PRAGMA user_version = %d", formatVersion),
		`INSERT INTO state VALUES (1, 0, 0)`)
	for _, statement := range script {
		if err := run(c, statement, nil, nil); err != nil {
			return err
		}
	}
	return run(c, `INSERT INTO header VALUES (1, ?1)`, func(q *sqlite.Stmt) { q.BindBytes(1, value) }, nil)
}
