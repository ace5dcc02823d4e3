package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// closed makes a token with objects and closes it, so that all of it is in token.db, and returns its directory and the file's bytes.
func closed(t *testing.T, objects int) (path string, whole []byte) {
	t.Helper()
	s, err := store.Create(t.TempDir(), header(serial))
	if err != nil {
		t.Fatal(err)
	}
	for n := range objects {
		if err := s.Put(object(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err = os.ReadFile(filepath.Join(s.Path(), "token.db"))
	if err != nil {
		t.Fatal(err)
	}
	return s.Path(), whole
}

func overwrite(t *testing.T, path string, db []byte) {
	t.Helper()
	for _, name := range []string{"token.db-wal", "token.db-shm"} {
		if err := os.Remove(filepath.Join(path, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(path, "token.db"), db, 0o600); err != nil {
		t.Fatal(err)
	}
}

// readAll opens a token and reads everything in it. What it returns without error must be what was stored.
func readAll(t *testing.T, path string) error {
	t.Helper()
	s, err := store.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.Header(); err != nil {
		return err
	}
	_, err = s.Since(0, func(o *store.Object) error {
		n := int(o.ID[14])<<8 | int(o.ID[15])
		if want := object(n); o.ID != want.ID || string(o.Attrs) != string(want.Attrs) || string(o.Record) != string(want.Record) {
			t.Errorf("object %d came back as something else", n)
		}
		return nil
	}, nil)
	return err
}

// explained says whether err is one of the two that damage may give, and names the file or the object and what to do.
func explained(err error) bool {
	return (errors.Is(err, ck.CKR_DEVICE_ERROR) || errors.Is(err, ck.CKR_TOKEN_NOT_RECOGNIZED)) && strings.Contains(err.Error(), "restore")
}

func TestTruncated(t *testing.T) {
	path, whole := closed(t, 200)
	sizes := []int{0, 1, 15, 16, 99, 100, 511, 512, 1024, 4095, 4096, 4097, 8192, 20480, len(whole) / 2, len(whole) - 4096, len(whole) - 1}
	for _, size := range sizes {
		overwrite(t, path, whole[:size])
		if err := readAll(t, path); !explained(err) {
			t.Errorf("cut to %d of %d bytes: %v", size, len(whole), err)
		}
	}
	overwrite(t, path, whole)
	if err := readAll(t, path); err != nil {
		t.Errorf("whole again: %v", err)
	}
}

// Garbage anywhere in the file is noticed or harmless: it never crashes and never changes what is read.
func TestGarbage(t *testing.T) {
	path, whole := closed(t, 200)
	random := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range 150 {
		db := append([]byte(nil), whole...)
		at, n := random.IntN(len(db)), 1+random.IntN(300)
		for i := at; i < min(at+n, len(db)); i++ {
			db[i] = byte(random.Uint32())
		}
		overwrite(t, path, db)
		if err := readAll(t, path); err != nil {
			refused++
			if !explained(err) {
				t.Errorf("%d random bytes at %d: %v", n, at, err)
			}
		}
	}
	if refused < 75 {
		t.Errorf("only %d of 150 damages were noticed", refused)
	}
	noise := make([]byte, len(whole))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	overwrite(t, path, noise)
	if err := readAll(t, path); !explained(err) {
		t.Errorf("nothing but noise: %v", err)
	}
}

// Files that are sound databases, and not tokens of this version.
func TestForeign(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         ck.RV
		says         string
	}{
		{"another program's", `PRAGMA application_id = 0`, ck.CKR_TOKEN_NOT_RECOGNIZED, "another program's"},
		{"newer", `PRAGMA user_version = 2`, ck.CKR_TOKEN_NOT_RECOGNIZED, "version 2"},
		{"no version", `PRAGMA user_version = 0`, ck.CKR_TOKEN_NOT_RECOGNIZED, "version"},
		{"a trigger", `CREATE TRIGGER thief AFTER INSERT ON objects BEGIN DELETE FROM objects; END`, ck.CKR_TOKEN_NOT_RECOGNIZED, "tables"},
		{"a trigger with a name that is SQLite's", `PRAGMA writable_schema = ON;
			INSERT INTO sqlite_schema VALUES ('trigger', 'sqlite_thief', 'header', 0, 'CREATE TRIGGER sqlite_thief AFTER UPDATE ON header BEGIN DELETE FROM objects; END')`,
			ck.CKR_TOKEN_NOT_RECOGNIZED, "tables"},
		{"another column", `ALTER TABLE state ADD COLUMN more INTEGER`, ck.CKR_TOKEN_NOT_RECOGNIZED, "tables"},
		{"a table missing", `DROP TABLE tombstones`, ck.CKR_TOKEN_NOT_RECOGNIZED, "tables"},
		{"no header", `DELETE FROM header`, ck.CKR_DEVICE_ERROR, "header is missing"},
		{"no JSON", `UPDATE header SET value = x'00'`, ck.CKR_DEVICE_ERROR, "header is damaged"},
		{"an unknown field", `UPDATE header SET value = CAST(json_insert(value, '$.Colour', 1) AS BLOB)`, ck.CKR_DEVICE_ERROR, "Colour"},
		{"an unknown policy", `UPDATE header SET value = CAST(json_set(value, '$.Policy', 'none') AS BLOB)`, ck.CKR_DEVICE_ERROR, "policy"},
		{"another token", `UPDATE header SET value = CAST(json_set(value, '$.Serial', 'fedcba9876543210') AS BLOB)`, ck.CKR_DEVICE_ERROR, "fedcba9876543210"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, _ := closed(t, 1)
			edit(t, path, c.script)
			err := readAll(t, path)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %s and %q", err, c.want, c.says)
			}
		})
	}
}

// edit runs SQL on a token's file as a stranger would.
func edit(t *testing.T, path, script string) {
	t.Helper()
	c, err := sqlite.OpenConn(filepath.Join(path, "token.db"), sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlitex.ExecuteScript(c, script, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// What is in the token's place must be ours and only ours to write.
func TestPlace(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(path, db string) error
		want ck.RV
		says string
	}{
		{"nothing", func(path, _ string) error { return os.RemoveAll(path) }, ck.CKR_TOKEN_NOT_PRESENT, "no such file"},
		{"no database", func(_, db string) error { return os.Remove(db) }, ck.CKR_TOKEN_NOT_PRESENT, "token.db"},
		{"a directory for a database", func(_, db string) error { return errors.Join(os.Remove(db), os.Mkdir(db, 0o700)) }, ck.CKR_TOKEN_NOT_RECOGNIZED, "regular"},
		{"a link to the database", func(_, db string) error { return errors.Join(os.Rename(db, db+".x"), os.Symlink(db+".x", db)) }, ck.CKR_TOKEN_NOT_RECOGNIZED, "links"},
		{"a second name", func(_, db string) error { return os.Link(db, db+".x") }, ck.CKR_DEVICE_ERROR, "hard links"},
		{"a link to the directory", func(path, _ string) error {
			return errors.Join(os.Rename(path, path+".x"), os.Symlink(path+".x", path))
		}, ck.CKR_TOKEN_NOT_RECOGNIZED, "link"},
		{"everybody's database", func(_, db string) error { return os.Chmod(db, 0o606) }, ck.CKR_DEVICE_ERROR, "chmod o-w"},
		{"everybody's directory", func(path, _ string) error { return os.Chmod(path, 0o707) }, ck.CKR_DEVICE_ERROR, "chmod o-w"},
		{"someone else's", func(_, db string) error { return os.Chown(db, 12345, -1) }, ck.CKR_DEVICE_ERROR, "user 12345"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, _ := closed(t, 1)
			if err := c.harm(path, filepath.Join(path, "token.db")); err != nil {
				if errors.Is(err, os.ErrPermission) {
					t.Skip("only root can give files away: ", err)
				}
				t.Fatal(err)
			}
			err := readAll(t, path)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %s and %q", err, c.want, c.says)
			}
		})
	}
}

// A token whose directory was removed, or replaced, takes no changes that would be lost.
func TestReplacedUnderneath(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"removed": os.RemoveAll,
		"replaced": func(path string) error {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
			s, err := store.Create(filepath.Dir(path), header(serial))
			if err != nil {
				return fmt.Errorf("create again: %w", err)
			}
			return s.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := create(t)
			if err := s.Put(object(1)); err != nil {
				t.Fatal(err)
			}
			if err := replace(s.Path()); err != nil {
				t.Fatal(err)
			}
			if err := s.Put(object(2)); !errors.Is(err, ck.CKR_DEVICE_REMOVED) && !errors.Is(err, ck.CKR_TOKEN_NOT_PRESENT) {
				t.Errorf("a change to a token that is gone: %v", err)
			}
		})
	}
}
