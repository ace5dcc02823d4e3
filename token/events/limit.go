package events

import (
	"sync"
	"time"
)

// The limit: so many events about one subject in each window.
const (
	window      = time.Second
	maxInWindow = 10
	maxSubjects = 1024 // in one window; events of more subjects are counted by their kind alone
)

// subject is what events are the same in.
type subject struct {
	kind             Kind
	token, user, key string
}

// tally counts the events about a subject in this window.
type tally struct {
	passed int
	held   uint64 // that did not pass
	last   Event  // of those
}

// limiter holds back what there is too much of: who can make events must not be able to fill a disk with them, or to push others out of a
// file. Its zero value with write set is ready.
type limiter struct {
	write func(Event) // the sums

	mu    sync.Mutex
	since time.Time // of this window
	seen  map[subject]*tally
	timer *time.Timer // for the end of this window, where something is held back
}

// admit says whether e may be written, and gives the sums of the window before if it is over.
func (l *limiter) admit(e *Event) (sums []Event, pass bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.since) >= window {
		sums, l.since = l.take(), now
	}
	s := subject{e.Kind, e.Token, e.User, e.Key}
	if l.seen[s] == nil && len(l.seen) >= maxSubjects {
		s = subject{kind: e.Kind}
	}
	t := l.seen[s]
	if t == nil {
		t = &tally{}
		if l.seen == nil {
			l.seen = make(map[subject]*tally)
		}
		l.seen[s] = t
	}
	if t.passed < maxInWindow {
		t.passed++
		return sums, true
	}
	t.held += max(1, e.Count)
	t.last = *e
	if l.timer == nil {
		l.timer = time.AfterFunc(window-now.Sub(l.since), l.flush)
	}
	return sums, false
}

// flush ends the window.
func (l *limiter) flush() {
	l.mu.Lock()
	sums := l.take()
	l.mu.Unlock()
	for _, sum := range sums {
		l.write(sum)
	}
}

// take gives the sums and forgets the window. The next event begins another.
func (l *limiter) take() (sums []Event) {
	for _, t := range l.seen {
		if t.held > 0 {
			t.last.Count = t.held
			sums = append(sums, t.last)
		}
	}
	clear(l.seen)
	l.since = time.Time{}
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	return sums
}
