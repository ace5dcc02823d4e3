package server

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// slots are permissions to do something, as many as there is room in the channel.
type slots chan struct{}

// take waits for a permission, which give gives back.
func (s slots) take(wait time.Duration) bool {
	select {
	case s <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case s <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}

func (s slots) give() { <-s }

// tenant is a principal with at least one connection, and what it takes of the guard.
type tenant struct {
	name     seal.Principal
	conns    int // these two under the server's lock
	sessions int

	memory        atomic.Int64 // of keys, vaults and streams
	noise         noise
	medium, large slots
	lanes         [laneCount]slots
}

func newTenant(name seal.Principal) *tenant {
	t := &tenant{name: name, medium: make(slots, tenantMedium), large: make(slots, tenantLarge)}
	for lane, size := range [laneCount]int{quick: quickLane(), making: makingLane(), sealing: tenantSealing} {
		t.lanes[lane] = make(slots, size)
	}
	return t
}

// noise counts the events of a tenant in this second.
type noise struct {
	mu     sync.Mutex
	since  time.Time
	events int
}

// passes says whether one more may say what it is about.
func (n *noise) passes(now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Sub(n.since) >= time.Second {
		n.since, n.events = now, 0
	}
	n.events++
	return n.events <= tenantEvents
}

// lane is a kind of request by what it takes: computing for moments, computing for long, the TPM.
type lane byte

const (
	quick lane = iota
	making
	sealing
	laneCount
)

// enter waits until the tenant may do one more request of the lane. leave ends it.
func (t *tenant) enter(l lane, wait time.Duration) error {
	if !t.lanes[l].take(wait) {
		return ck.Errorf(ck.CKR_FUNCTION_FAILED, "the guard is busy with other requests of %v; try again later", t.name)
	}
	return nil
}

func (t *tenant) leave(l lane) { t.lanes[l].give() }

// grow takes memory for keys or streams; negative: gives it back.
func (t *tenant) grow(n int) error {
	if t.memory.Add(int64(n)) > tenantMemory && n > 0 {
		t.memory.Add(-int64(n))
		return ck.Errorf(ck.CKR_DEVICE_MEMORY, "the loaded keys of %v take all the memory that the guard gives to one user", t.name)
	}
	return nil
}

// load is what long messages a connection has permission for. They are asked for in the order medium, large, and a tenant's before everybody's, so
// that no two connections wait for each other.
type load struct {
	server *limits
	tenant *tenant
	held   [4]slots
	n      int
}

var errBusy = ck.Errorf(ck.CKR_DEVICE_MEMORY, "too many long messages are under way")

// reach gets permission for a message, or an answer, of a length.
func (l *load) reach(length int) error {
	wanted := 0
	switch {
	case length > mediumMessage:
		wanted = 4
	case length > protocol.MaxPacket:
		wanted = 2
	}
	classes := [4]slots{l.tenant.medium, l.server.medium, l.tenant.large, l.server.large}
	for ; l.n < wanted; l.n++ {
		if !classes[l.n].take(protocol.Stall) {
			return errBusy
		}
		l.held[l.n] = classes[l.n]
	}
	return nil
}

func (l *load) release() {
	for ; l.n > 0; l.n-- {
		l.held[l.n-1].give()
	}
}
