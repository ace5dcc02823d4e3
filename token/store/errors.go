package store

import (
	"errors"

	"zombiezen.com/go/sqlite"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// What a caller may want to tell apart. errors.Is finds them.
var (
	ErrNotFound = ck.Errorf(ck.CKR_OBJECT_HANDLE_INVALID, "no such object in the token")
	ErrConflict = ck.Errorf(ck.CKR_FUNCTION_FAILED, "the object was changed meanwhile")
	ErrExists   = ck.Errorf(ck.CKR_FUNCTION_FAILED, "it exists already")
	ErrDamaged  = errors.New("is damaged on disk")
	ErrResync   = ck.Errorf(ck.CKR_FUNCTION_FAILED, "the token has changed too much: load all of it again")
	errClosed   = ck.Errorf(ck.CKR_DEVICE_REMOVED, "the token's store is closed")
)

// failure is what one of SQLite's primary result codes means to a PKCS #11 application and to its administrator.
type failure struct {
	rv     ck.RV
	advice string
}

var failures = map[sqlite.ResultCode]failure{
	sqlite.ResultBusy:     {ck.CKR_DEVICE_ERROR, "another process kept it locked for too long; see who has it open and try again"},
	sqlite.ResultLocked:   {ck.CKR_DEVICE_ERROR, "it is locked; try again"},
	sqlite.ResultProtocol: {ck.CKR_DEVICE_ERROR, "another process kept it locked for too long; see who has it open and try again"},
	sqlite.ResultFull:     {ck.CKR_DEVICE_MEMORY, "the disk is full or a quota is reached; nothing was changed, make room and try again"},
	sqlite.ResultTooBig:   {ck.CKR_DEVICE_MEMORY, "the object is too large"},
	sqlite.ResultNoMem:    {ck.CKR_HOST_MEMORY, "out of memory"},
	sqlite.ResultReadOnly: {ck.CKR_TOKEN_WRITE_PROTECTED, "this process may not write it"},
	sqlite.ResultPerm:     {ck.CKR_DEVICE_ERROR, "permission denied; check owner and mode"},
	sqlite.ResultCantOpen: {ck.CKR_DEVICE_ERROR, "it cannot be opened; check that it exists and its owner and mode"},
	sqlite.ResultCorrupt:  {ck.CKR_DEVICE_ERROR, "it is damaged; restore the token's directory from a backup"},
	sqlite.ResultNotADB:   {ck.CKR_TOKEN_NOT_RECOGNIZED, "it is not a token, or its beginning is damaged; restore the token's directory from a backup"},
	sqlite.ResultIOErr:    {ck.CKR_DEVICE_ERROR, "input or output failed; nothing was changed, check the disk and its limits"},
}

// explain turns an error of SQLite about file into one for PKCS #11. Other errors pass.
func explain(file string, err error) error {
	f, known := failures[sqlite.ErrCode(err).ToPrimary()]
	if !known {
		return err
	}
	return ck.Errorf(f.rv, "%s: %s (%w)", file, f.advice, err)
}
