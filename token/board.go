package token

import "github.com/ncrypt11/ncrypt11/token/ck"

// Board is told where each session's digest operation stands, so that the C boundary can begin one without coming here (cabi/digest.h): the crossing takes longer than
// a short digest. Calls for one session are made under its lock, but for Idle of a new one.
type Board interface {
	Idle(ck.SessionHandle)       // open, no digest operation
	Claim(ck.SessionHandle) bool // a digest operation begins here; false where the boundary has one
	Closed(ck.SessionHandle)
}

// noBoard serves providers without a C boundary.
type noBoard struct{}

func (noBoard) Idle(ck.SessionHandle)       {}
func (noBoard) Claim(ck.SessionHandle) bool { return true }
func (noBoard) Closed(ck.SessionHandle)     {}

// SetBoard makes the provider's sessions known to b. It is called before the first session is opened.
func (p *Provider) SetBoard(b Board) { p.board = b }
