package ncryptmap_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// database is the file that the objects of the only token in a home are in.
func database(t *testing.T, home string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(home, "tokens", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if start, _ := os.ReadFile(file); bytes.HasPrefix(start, []byte("SQLite format 3")) {
			return file
		}
	}
	t.Fatalf("there is no database in %s: %v", home, files)
	return ""
}

// damage changes the stored objects.
func damage(t *testing.T, home, statement string) {
	t.Helper()
	db, err := sqlite.OpenConn(database(t, home), sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := sqlitex.ExecuteScript(db, statement, nil); err != nil {
		t.Fatal(err)
	}
}

// once runs a program to its end.
func once(t *testing.T, home string, program func(*site)) {
	t.Helper()
	t.Run("program", func(t *testing.T) { program(open(t, home)) })
}

// Keys are rows of one file, with checksums: damage to one of them is told to all who look, since nobody knows what else has happened to the file.
func TestB81B81aDamagedKey(t *testing.T) {
	home := t.TempDir()
	once(t, home, func(s *site) {
		s.created("AES", "bad", 0)
		s.created("AES", "good", 0)
	})
	damage(t, home, `UPDATE objects SET crc = crc + 1 WHERE seq = (SELECT min(seq) FROM objects)`)
	once(t, home, func(s *site) {
		s.opens("a damaged key", "bad", 0, nte.NTE_BAD_KEY)
		_, err := s.EnumKeys(s.provider, "", 0)
		s.want("Enum", err, nte.NTE_BAD_KEY)
		_, err = s.CreatePersistedKey(s.provider, "AES", "bad", 0, 0)
		s.want("Create", err, nte.NTE_BAD_KEY)
	})
}

// What was deleted is not in the file any more: its pages are overwritten. Besides, its secret was sealed.
func TestB81cDeletedKey(t *testing.T) {
	home := t.TempDir()
	var modulus []byte
	once(t, home, func(s *site) {
		h := s.created("RSA", "to be deleted", 0)
		s.created("AES", "stays", 0)
		modulus = s.export(h, "RSAPUBLICBLOB")[24+3:]
		s.must(s.DeleteKey(h, 0))
	}) // what was in the log is in the database now
	content, err := os.ReadFile(database(t, home))
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range [][]byte{[]byte("to be deleted"), modulus} {
		if bytes.Contains(content, gone) {
			t.Errorf("%.20x... is still there", gone)
		}
	}
	if !bytes.Contains(content, []byte("stays")) {
		t.Error("nothing is there: this is no test")
	}
}
