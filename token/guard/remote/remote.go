// Package remote is a guard that is another process, as its client sees it. It keeps no key, only what it takes to have the keys opened again where
// the guard process has been replaced by another: sealed records, and for each unlocked master key a ticket that only a guard can read.
//
// Read in this order: endpoint.go (where a guard is, and whether to trust the address), line.go (one connection), session.go (the connections that
// share a client's keys, and what becomes of them when the guard ends), exchange.go (one request, on this guard or the next), silent.go, keys.go and
// vaults.go (what is opened again), then methods.go and stream.go.
package remote

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// Keys is a guard.Keys in another process.
type Keys struct {
	endpoint *Endpoint
	level    guard.Level
	pinLimit int

	lastRef   atomic.Uint64
	lastVault atomic.Uint64
	keys      sync.Map // guard.Ref: *key
	vaults    sync.Map // guard.Vault: *vault

	seeking sync.Mutex // one looks for a guard; taken before mu

	mu       sync.Mutex // guards what follows
	current  *session   // nil: none, or lost
	failures uint       // how often there was none to be found
	failure  error      // why not, the last time
	closed   bool
}

var _ guard.Keys = (*Keys)(nil)

// Open finds a guard that isolates and is of at least the level least. It waits for one that starts. The error says why there is none.
func Open(endpoint *Endpoint, least guard.Level) (*Keys, error) {
	g := &Keys{endpoint: endpoint}
	s, welcome, err := g.newSession(max(least, guard.Process), time.Now().Add(startTime+deadline(protocol.MethodHello)))
	if err != nil {
		return nil, err
	}
	g.current, g.level, g.pinLimit = s, welcome.Level, welcome.PINLimit
	return g, nil
}

// Level is how far the guard is from this process.
func (g *Keys) Level() guard.Level { return g.level }

// PINLimit is the guard's own.
func (g *Keys) PINLimit() int { return g.pinLimit }

// Close ends the session: the guard wipes all its keys.
func (g *Keys) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if g.current != nil {
		g.current.end()
		g.current = nil
	}
	return nil
}

// Report asks the guard at endpoint for its JSON report, without a session of its own.
func Report(endpoint *Endpoint) ([]byte, error) {
	g := &Keys{endpoint: endpoint}
	defer g.Close()
	var report protocol.Report
	var text []byte
	err := g.exchange(protocol.MethodStatus, fixed(&protocol.Nothing{}), &report, func() { text = append(text, report.JSON...) })
	return text, err
}
