// Package store keeps a token's sealed records and public attributes on disk: one SQLite database a token, shared by every process that
// uses the token. What it stores is opaque to it. FORMAT.md describes the file.
//
// A Store may be used by many goroutines. It must not be carried across fork: POSIX drops a process's locks in the child, so a child opens
// its own. And nothing in this process may open and close token.db by itself while a Store is open: closing any descriptor of a file drops
// all of the process's locks on it. That is why this package looks at the file with lstat only.
package store

import (
	"crypto/rand"
	"encoding/hex"
	"path/filepath"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// ID names an object for ever, in every process.
type ID [16]byte

// NewID makes a random ID.
func NewID() (id ID) {
	_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the program instead
	return id
}

// String is the ID in hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Object is a token object as stored. The store sets Seq and Rev.
type Object struct {
	ID     ID
	Seq    int64  // place in the order of creation; kept by replacements
	Rev    int64  // revision of the token at which the object got these contents
	Attrs  []byte // the object's attributes, encoded by the caller
	Record []byte // sealed key; nil where there is none
}

// MaxObject is the largest number of bytes that Attrs and Record may have together.
const MaxObject = 16 << 20

// Store is an open token.
type Store struct {
	path   string // the token's directory
	serial string
	file   fileID // what token.db was when it was opened

	read  reader
	write writer
	open  descriptors
}

// Open opens the token in the directory path. Nothing is written. The errors say what is wrong with the token and what to do:
// CKR_TOKEN_NOT_PRESENT where there is none, CKR_TOKEN_NOT_RECOGNIZED where there is something else, CKR_DEVICE_ERROR where it is damaged or
// must not be trusted.
func Open(path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "%s: %w", path, err)
	}
	file, err := checkToken(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, serial: filepath.Base(path), file: file}
	s.read.db = filepath.Join(path, fileName)
	s.write.db = s.read.db
	if err := s.read.open(); err != nil {
		return nil, err
	}
	if err := s.read.do(s.verify); err != nil {
		_ = s.Close()
		return nil, err
	}
	s.open.keep(path)
	return s, nil
}

// Path is the token's directory.
func (s *Store) Path() string { return s.path }

// ReadOnly says that this process cannot change the token: its directory or file system is not writable.
func (s *Store) ReadOnly() bool {
	s.read.mu.Lock()
	defer s.read.mu.Unlock()
	return s.read.access != readWrite
}

// Close ends the use of the token, after the calls that are under way. The last process to close it folds the write-ahead log into the database.
func (s *Store) Close() error {
	s.open.drop()
	writeErr := s.write.close()
	readErr := s.read.close()
	if writeErr != nil {
		return writeErr
	}
	return readErr
}
