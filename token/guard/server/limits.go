package server

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// What one principal (a user, or another machine) may take of the guard, and all of them together. Everything that a client can make the guard
// hold on to has a bound here. What is per principal is there for the others: a flood of one leaves them their own.
const (
	// A program has one connection for each call under way, at most 64, and keeps 8; a web server's user has dozens of such programs.
	tenantConns = 1024
	allConns    = 4096
	// Connections beyond these that are let in only to be told so. Without an answer a program would take the guard for dead.
	refusals = 32
	// Descriptors that are not connections: listeners, the TPM, logs, counters of wrong PINs.
	otherFiles = 64

	// A program has a session for each token that it uses.
	tenantSessions = 512
	// Keys in a session. A program loads those that it has used; a token of more keys than this is possible, using them all at once is not.
	sessionKeys = 8192
	// Memory of loaded keys, and of multi-part operations that keep their data, for each principal.
	tenantMemory = 256 << 20
	keyMemory    = 4 << 10 // what a key takes at least: an RSA key with its precomputed numbers
	vaultMemory  = 4 << 10 // an open master key: less, but there shall be no more of them than of keys, as secrets have a memory of their own
	// Multi-part operations in a session: one for each session of PKCS #11 that digests or encrypts at the moment. What each takes at least; it pays
	// for its parameter and what it gathers, too.
	sessionStreams = 512
	streamMemory   = 1 << 10

	// Messages of one packet (64 KiB) need no permission: there are no more of them than connections. Medium ones hold a part of a long stream,
	// large ones a certificate store or a file; as many may be under way at once, their answers included.
	mediumMessage = protocol.MaxMedium
	tenantMedium  = 8
	allMedium     = 64
	tenantLarge   = 2
	allLarge      = 8

	// Events in a second that say which token and key they are about. The log sums up those that say the same.
	tenantEvents = 100

	// Requests for the TPM that are under way, or wait for it: it does one at a time, and takes some milliseconds to half a second for each.
	tenantSealing = 2

	// How long a connection may take to say hello.
	helloTime = 10 * time.Second
)

// limits are those that depend on the machine.
type limits struct {
	conns, tenantConns int
	medium, large      slots
}

func newLimits() limits {
	l := limits{conns: allConns, tenantConns: tenantConns, medium: make(slots, allMedium), large: make(slots, allLarge)}
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err == nil && files.Cur < allConns+refusals+otherFiles {
		l.conns = max(1, int(files.Cur)-refusals-otherFiles)
	}
	l.tenantConns = min(l.tenantConns, max(1, l.conns/2))
	return l
}

// quickLane is how many requests of one principal compute at a time: as many as there are processors. More would not be faster, and would leave
// another principal's single request a smaller share of them. makingLane is for generating keys, which may take a minute each.
func quickLane() int { return max(2, runtime.GOMAXPROCS(0)) }

func makingLane() int { return max(1, runtime.GOMAXPROCS(0)/2) }
