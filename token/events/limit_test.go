package events_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ncrypt11/ncrypt11/token/events"
)

func TestRateLimit(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		log := events.OpenAt(dir, true, nowhere)
		wrong := events.Event{Kind: events.PINWrong, Token: "01", User: "user:33"}
		other := wrong
		other.User = "user:34"
		for range 1000 {
			log.Write(wrong)
		}
		log.Write(other)
		if got := all(t, dir); len(got) != 11 || got[10].User != other.User {
			t.Fatalf("%d events at once", len(got))
		}
		time.Sleep(time.Second) // the sum comes by itself
		synctest.Wait()
		got := all(t, dir)
		if len(got) != 12 || got[11].User != wrong.User || got[11].Count != 990 {
			t.Fatalf("%d events after a second, the last %+v", len(got), got[len(got)-1])
		}
		for range 11 {
			log.Write(wrong)
		}
		log.Flush()
		if got := all(t, dir)[12:]; len(got) != 11 || got[10].Count != 1 {
			t.Fatalf("%d events in the next second, the last %+v", len(got), got[len(got)-1])
		}
	})
}

// Sums of uses are added up.
func TestRateLimitOfSums(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		log := events.OpenAt(dir, true, nowhere)
		for range 15 {
			log.Write(events.Event{Kind: events.Used, Key: "ab", Count: 7})
		}
		log.Flush()
		if got := all(t, dir); len(got) != 11 || got[10].Count != 35 {
			t.Fatalf("%d events, the last %+v", len(got), got[len(got)-1])
		}
	})
}

// Who makes up names gets no room for each.
func TestRateLimitOfManySubjects(t *testing.T) {
	dir := t.TempDir()
	const names = 5000
	synctest.Test(t, func(t *testing.T) {
		log := events.OpenAt(dir, true, nowhere)
		for i := range names {
			log.Write(events.Event{Kind: events.Create, Key: fmt.Sprint(i)})
		}
		log.Write(events.Event{Kind: events.PINWrong, Key: "x"}) // is not pushed out
		log.Flush()
		got := all(t, dir)
		if len(got) > 1100 || got[len(got)-2].Kind != events.PINWrong {
			t.Fatalf("%d events", len(got))
		}
		if sum := got[len(got)-1]; uint64(len(got)-2)+sum.Count != names {
			t.Errorf("%d events and %d more", len(got)-2, sum.Count)
		}
	})
}
