// Package failure keeps, for each user, the last call that failed: PKCS #11 returns a number, and the reason would be lost with it.
//
// A failure has names, a return value and a reason in words. It never has arguments: among them are PINs and keys. Reasons are made of literal text, names
// and numbers (reasons_test.go reads them all).
package failure

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Failure is a call that failed, and why.
type Failure struct {
	Time     time.Time `json:"time"`
	Program  string    `json:"program"` // its file
	PID      int       `json:"pid"`
	Function string    `json:"function"`         // C_GenerateKey
	Code     uint64    `json:"code"`             // a CK_RV, or another interface's status: no number but 0 is both
	Reason   string    `json:"reason,omitempty"` // empty where the code says it all
}

// maxText bounds each text of a failure. The names of files have at most so many bytes.
const maxText = 1024

// maxFile bounds the file. JSON makes six bytes of one that does not print.
const maxFile = 32 << 10

// Reason is what err says beyond its CK_RV.
func Reason(err error) string {
	if _, bare := err.(ck.RV); bare || err == nil {
		return ""
	}
	var full *ck.Error
	if errors.As(err, &full) {
		return strings.Replace(err.Error(), full.Error(), full.Reason, 1)
	}
	return err.Error()
}

// cut shortens a text, at a character.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// encode makes the file's content.
func (f *Failure) encode() ([]byte, error) {
	short := *f
	for _, text := range []*string{&short.Program, &short.Function, &short.Reason} {
		*text = cut(*text)
	}
	content, err := json.Marshal(&short)
	return append(content, '\n'), err
}

// ErrNone says that no failure is kept.
var ErrNone = errors.New("no failed call is known")

// Read gives the failure that a file keeps. Only a file of this user's own is read: others could make people believe anything.
func Read(path string) (*Failure, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0 {
		return nil, fmt.Errorf("%s: not a file that this user alone may write; remove it", path)
	}
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	var f Failure
	if len(content) > maxFile || json.Unmarshal(content, &f) != nil || f.Function == "" {
		return nil, fmt.Errorf("%s: not a failure that was written down here; remove it", path)
	}
	return &f, nil
}
