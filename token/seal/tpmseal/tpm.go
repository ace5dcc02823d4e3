// Package tpmseal seals master keys to a TPM 2.0, and has it attest statements. FORMAT.md has the bytes, and what they are worth.
//
// The TPM is used for a few commands at a time, an operation: connect, load, use, flush, disconnect. Between two operations nothing is
// held: no connection, so that other guards and tools get their turn at a TPM that serves one client at a time, and nothing in the TPM,
// which has room for three objects and three sessions. An operation that breaks off starts anew with the next one.
package tpmseal

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// DefaultPatience is how long a TPM may take for one answer, and an operation may wait for its turn.
const DefaultPatience = 10 * time.Second

// TPM is a TPM 2.0. Its methods may be called from any goroutine.
type TPM struct {
	place    place
	patience time.Duration
	turn     chan struct{} // has room for one: who has put something in has the TPM

	littered bool // belongs to who has the turn: an operation broke off, and what it had loaded may still be there

	maxAuthFail atomic.Uint32 // TPM_PT_MAX_AUTH_FAIL; 0: not known yet
	counts      counts
	tap         atomic.Pointer[func(command, answer []byte)] // tests listen here
}

// OpenOption changes what Open gives.
type OpenOption func(*TPM)

// WithPatience sets another limit than DefaultPatience.
func WithPatience(d time.Duration) OpenOption { return func(t *TPM) { t.patience = d } }

// Open reads the address of a TPM: a device, swtpm:unix:PATH, swtpm:HOST:PORT, none; empty: the machine's own, if it has one. The TPM is
// contacted when it is first needed, and as often as it is needed: one that is away now may be there later.
func Open(address string, options ...OpenOption) (*TPM, error) {
	at, err := parsePlace(address)
	if err != nil {
		return nil, err
	}
	t := &TPM{place: at, patience: DefaultPatience, turn: make(chan struct{}, 1)}
	for _, set := range options {
		set(t)
	}
	return t, nil
}

// operate runs do with the TPM, alone. Where the TPM's memory is full of what others left there, or one of our own operations that broke
// off, it is cleared and do runs again: do must bear that, up to the point where no command of it can fail so any more.
func (t *TPM) operate(do func(*operation) error) error {
	timer := time.NewTimer(t.patience)
	defer timer.Stop()
	select {
	case t.turn <- struct{}{}:
	case <-timer.C:
		return ck.Errorf(ck.CKR_FUNCTION_FAILED, "%w: another operation has it for more than %v", seal.ErrBusy, t.patience)
	}
	defer func() { <-t.turn }()

	o, err := t.begin()
	if err != nil {
		return err
	}
	defer o.end()
	err = do(o)
	if o.full && !o.managed && o.sweep() {
		err = do(o)
	}
	return err
}

// begin connects.
func (t *TPM) begin() (*operation, error) {
	at := t.place.found()
	c, err := at.dial(t.patience)
	if err != nil {
		return nil, err
	}
	o := &operation{tpm: t, conn: c, software: at.software(), managed: at.managed()}
	if t.littered && !o.managed {
		o.sweep()
	}
	t.littered = false
	return o, nil
}

// counts counts the commands that were sent, by name.
type counts struct {
	mu     sync.Mutex
	byName map[string]uint64
}

func (c *counts) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byName == nil {
		c.byName = make(map[string]uint64)
	}
	c.byName[name]++
}

// Commands counts the commands that were sent so far, by the names of TPM 2.0 Part 3. One that the TPM wants again counts once.
func (t *TPM) Commands() map[string]uint64 {
	t.counts.mu.Lock()
	defer t.counts.mu.Unlock()
	copied := make(map[string]uint64, len(t.counts.byName))
	for name, n := range t.counts.byName {
		copied[name] = n
	}
	return copied
}
