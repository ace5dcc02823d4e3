package events

import (
	"sync/atomic"
	"time"
)

// Log takes events. Its methods may be called from any goroutine, never fail and never wait for long.
type Log interface {
	// Write logs an event. The same happening to the same user, token and key more than ten times in a second is summed up.
	Write(Event)
	// Flush writes the sums that are waiting for their second to end. It is for the end of a process.
	Flush()
}

// Discard is a Log that keeps nothing.
var Discard Log = discard{}

type discard struct{}

func (discard) Write(Event) {}
func (discard) Flush()      {}

// sink is a place for events.
type sink interface {
	// put takes an event, and the same as a line.
	put(e *Event, line []byte) error
}

// log writes each event to the first of its sinks that takes it.
type log struct {
	sinks []sink
	limit limiter
	lost  atomic.Uint64
}

// Open gives the log of a directory (FileName in it, made with the first event) and of the journal. The journal comes first, unless fileFirst
// says that the file does: in programs of others, and where everything is to be in one directory. "" is no directory. No descriptor is kept
// open: programs close those that they do not know, and what is opened next has the same number.
func Open(dir string, fileFirst bool) Log {
	l := &log{sinks: []sink{journal{journalSocket}}}
	l.limit.write = l.write
	switch {
	case dir == "":
	case fileFirst:
		l.sinks = []sink{file{dir}, l.sinks[0]}
	default:
		l.sinks = append(l.sinks, file{dir})
	}
	return l
}

// Write logs an event.
func (l *log) Write(e Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	e.Time, e.LoggedBy = e.Time.Round(time.Microsecond).UTC(), ""
	e.bound()
	sums, pass := l.limit.admit(&e)
	for _, sum := range sums {
		l.write(sum)
	}
	if pass {
		l.write(e)
	}
}

// Flush writes the sums.
func (l *log) Flush() { l.limit.flush() }

// write writes an event, and after it, where that succeeds, how many before it were lost.
func (l *log) write(e Event) {
	if !l.put(&e) {
		l.lost.Add(1)
		return
	}
	lost := l.lost.Swap(0)
	if lost > 0 && !l.put(&Event{Time: e.Time, Kind: Lost, Count: lost}) {
		l.lost.Add(lost)
	}
}

func (l *log) put(e *Event) bool {
	line, err := e.line()
	if err != nil {
		return false
	}
	for _, s := range l.sinks {
		if s.put(e, line) == nil {
			return true
		}
	}
	return false
}
