package token

import "github.com/ncrypt11/ncrypt11/token/ck"

// Attach opens a read-write session of an interface beside C_*. No handle finds it, and what ends the sessions of C_* leaves it. For the token it is a session
// like others: objects of sessions, and logins, are those of the whole process.
func (p *Provider) Attach(id ck.SlotID) (*Session, error) {
	slot, err := p.slot(id)
	if err != nil {
		return nil, err
	}
	tok, err := p.token(slot)
	if err != nil {
		return nil, err
	}
	s := &Session{slotID: id, rw: true, own: true, tok: tok, table: p.sessions, board: noBoard{}}
	return s, p.enter(s)
}

// Leave is C_Finalize where another interface goes on with the provider: the sessions of C_* end, and who waits in WaitForSlotEvent returns.
func (p *Provider) Leave() {
	p.mu.Lock()
	slots := p.slots
	close(p.waiting)
	p.waiting = make(chan struct{})
	p.mu.Unlock()
	for _, s := range slots {
		p.closeSessions(s, false)
	}
}
