package events

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Damage is a line that is no event, or that is one after something else.
type Damage struct {
	Source string // a file's path, or "the journal"
	Line   int    // the first is 1
	Err    error
}

// Error says where, and what is wrong.
func (d *Damage) Error() string { return fmt.Sprintf("%s: line %d: %v", d.Source, d.Line, d.Err) }

// Unwrap gives what is wrong.
func (d *Damage) Unwrap() error { return d.Err }

// maxJournalLine is more than journalctl makes of an event.
const maxJournalLine = 16 * MaxLine

// reader is what one reading is about.
type reader struct {
	since time.Time
	keep  func(*Event) bool
	yield func(Event, error) bool
}

// Read gives the events in a log's directory, from a time on, that keep wants (nil: all), in the order in which they were written. Damaged lines
// are errors between them (*Damage). A directory or file that does not exist has none.
func Read(dir string, since time.Time, keep func(*Event) bool) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		r := &reader{since, keep, yield}
		// The newer one first: if it is renamed meanwhile it is seen twice, which shows, instead of not at all.
		files := [2]*os.File{}
		for i, name := range []string{FileName, OldName} {
			f, err := openRegular(filepath.Join(dir, name))
			if err != nil && !errors.Is(err, fs.ErrNotExist) && !yield(Event{}, err) {
				return
			}
			if f != nil {
				defer f.Close()
			}
			files[i] = f
		}
		if same(files[0], files[1]) {
			files[1] = nil
		}
		for _, f := range []*os.File{files[1], files[0]} {
			if f != nil && !r.file(f) {
				return
			}
		}
	}
}

// ReadJournal gives the events in the output of journalctl -o json, like Read. Entries of others are passed over.
func ReadJournal(output io.Reader, since time.Time, keep func(*Event) bool) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		r := &reader{since, keep, yield}
		r.lines(output, "the journal", maxJournalLine, func(line []byte, damage func(error) bool) bool {
			var entry struct {
				Event *json.RawMessage `json:"NCRYPT11_EVENT"`
				UID   string           `json:"_UID"`
			}
			if err := json.Unmarshal(line, &entry); err != nil {
				return damage(fmt.Errorf("not an entry: %w", err))
			}
			if entry.Event == nil {
				return true
			}
			var text string
			if err := json.Unmarshal(*entry.Event, &text); err != nil {
				return damage(errNotEvent) // bytes that are no text, or more than one
			}
			return r.event([]byte(text), writer(entry.UID), damage)
		})
	}
}

func writer(uid string) string {
	if uid == "" {
		return ""
	}
	return cut("user:"+uid, maxName)
}

// file reads a file. False: the caller has enough.
func (r *reader) file(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return r.yield(Event{}, err)
	}
	by := writer(strconv.FormatUint(uint64(info.Sys().(*syscall.Stat_t).Uid), 10))
	return r.lines(f, f.Name(), MaxLine, func(line []byte, damage func(error) bool) bool {
		// A disk that was full for a while leaves a piece of a line, and the next line behind it.
		if at := bytes.LastIndex(line, []byte(lineStart)); at > 0 {
			if !damage(errors.New("a piece of another line before an event")) {
				return false
			}
			line = line[at:]
		}
		return r.event(line, by, damage)
	})
}

// lines hands on the lines of a source. Those that are too long, and one that nobody ended, are damage.
func (r *reader) lines(from io.Reader, source string, most int, each func(line []byte, damage func(error) bool) bool) bool {
	in := bufio.NewReaderSize(from, 2*most)
	for number := 1; ; number++ {
		damage := func(err error) bool { return r.yield(Event{}, &Damage{source, number, err}) }
		line, err := in.ReadSlice('\n')
		long := false
		for errors.Is(err, bufio.ErrBufferFull) {
			long = true
			_, err = in.ReadSlice('\n')
		}
		more := true
		switch {
		case long:
			more = damage(errors.New("it is too long"))
		case errors.Is(err, io.EOF) && len(line) > 0:
			more = damage(errors.New("it has no end"))
		case err == nil:
			more = each(bytes.TrimSuffix(line, []byte{'\n'}), damage)
		}
		switch {
		case !more:
			return false
		case errors.Is(err, io.EOF):
			return true
		case err != nil:
			return r.yield(Event{}, fmt.Errorf("%s: %w", source, err))
		}
	}
}

// event hands on the event in a line, if it is wanted.
func (r *reader) event(line []byte, by string, damage func(error) bool) bool {
	e, err := parse(line)
	if err != nil {
		return damage(err)
	}
	e.LoggedBy = by
	if e.Time.Before(r.since) || r.keep != nil && !r.keep(&e) {
		return true
	}
	return r.yield(e, nil)
}

// openRegular opens an ordinary file, and waits for nobody: who reads others' logs must not be led elsewhere.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", path)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func same(a, b *os.File) bool {
	if a == nil || b == nil {
		return false
	}
	one, err1 := a.Stat()
	other, err2 := b.Stat()
	return err1 == nil && err2 == nil && os.SameFile(one, other)
}
