package server

import (
	"fmt"
	"runtime"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/events"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// handler does what one method asks for.
type handler struct {
	lane lane
	// large: its answer may be large though its request is not.
	large bool
	run   func(*conn, protocol.Message) (protocol.Message, error)
}

// handlers has the handler of each method. Hello has none: it comes once, before all others.
var handlers = map[protocol.Method]handler{
	protocol.MethodStatus:       {sealing, false, typed((*conn).status)},
	protocol.MethodNewMaster:    {sealing, false, typed((*conn).newMaster)},
	protocol.MethodUnlock:       {sealing, false, typed((*conn).unlock)},
	protocol.MethodResume:       {sealing, false, typed((*conn).resume)},
	protocol.MethodReseal:       {sealing, false, typed((*conn).reseal)},
	protocol.MethodAuthorize:    {sealing, false, typed((*conn).authorize)},
	protocol.MethodAttest:       {sealing, false, typed((*conn).attest)},
	protocol.MethodActivate:     {sealing, false, typed((*conn).activate)},
	protocol.MethodLock:         {quick, false, typed((*conn).lock)},
	protocol.MethodGenerate:     {making, false, typed((*conn).generate)},
	protocol.MethodImport:       {quick, false, typed((*conn).importKey)},
	protocol.MethodUnwrap:       {quick, false, typed((*conn).unwrap)},
	protocol.MethodDerive:       {quick, false, typed((*conn).derive)},
	protocol.MethodEncapsulate:  {quick, false, typed((*conn).encapsulate)},
	protocol.MethodDecapsulate:  {quick, false, typed((*conn).decapsulate)},
	protocol.MethodLoad:         {quick, false, typed((*conn).loadKey)},
	protocol.MethodReissue:      {quick, true, typed((*conn).reissue)},
	protocol.MethodReveal:       {quick, true, typed((*conn).reveal)},
	protocol.MethodForget:       {quick, false, typed((*conn).forget)},
	protocol.MethodSign:         {quick, false, typed((*conn).sign)},
	protocol.MethodVerify:       {quick, false, typed((*conn).verify)},
	protocol.MethodCrypt:        {quick, false, typed((*conn).crypt)},
	protocol.MethodWrap:         {quick, false, typed((*conn).wrap)},
	protocol.MethodWrapPublic:   {quick, false, typed((*conn).wrapPublic)},
	protocol.MethodStream:       {quick, false, typed((*conn).stream)},
	protocol.MethodStreamUpdate: {quick, false, typed((*conn).streamUpdate)},
	protocol.MethodStreamFinal:  {quick, true, typed((*conn).streamFinal)},
	protocol.MethodStreamVerify: {quick, false, typed((*conn).streamVerify)},
	protocol.MethodStreamClose:  {quick, false, typed((*conn).streamClose)},
}

// typed makes a handler of a method that takes one type of request and gives one type of answer.
func typed[M any, R any, PM interface {
	*M
	protocol.Message
}, PR interface {
	*R
	protocol.Message
}](do func(*conn, PM) (PR, error)) func(*conn, protocol.Message) (protocol.Message, error) {
	return func(c *conn, m protocol.Message) (protocol.Message, error) {
		reply, err := do(c, m.(PM))
		if err != nil {
			return nil, err
		}
		return reply, nil
	}
}

// do has a request done when its turn comes, and logs what became of it. A defect in a handler is the end of that request, and not of the guard.
func (c *conn) do(method protocol.Method, m protocol.Message) (reply protocol.Message, err error) {
	h, ok := handlers[method]
	if !ok {
		return nil, ck.Errorf(ck.CKR_FUNCTION_REJECTED, "%v is not expected here", method)
	}
	if h.large {
		if err := c.load.reach(c.answerLen(m)); err != nil {
			return nil, err
		}
	}
	if err := c.tenant.enter(h.lane, method.Deadline()/2); err != nil {
		return nil, err
	}
	defer c.tenant.leave(h.lane)
	defer func() {
		if defect := recover(); defect != nil {
			reply, err = nil, c.defect(method, defect)
		}
	}()
	reply, err = h.run(c, m)
	c.observe(method, m, reply, err)
	return reply, err
}

// answerLen bounds the answer to a request of a method whose answer may be large: by what the key takes, where it is about a key.
func (c *conn) answerLen(m protocol.Message) int {
	var k *loaded
	switch m := m.(type) {
	case *protocol.OneRef:
		k = c.session.find(m.Ref)
	case *protocol.Reissue:
		k = c.session.find(m.Ref)
	}
	if k == nil {
		return protocol.MaxMessage
	}
	return k.memory
}

// defect tells of a panic what is safe to tell: a runtime error holds indexes and types, and no data.
func (c *conn) defect(method protocol.Method, value any) error {
	what := fmt.Sprintf("%T", value)
	if fault, ok := value.(runtime.Error); ok {
		what = fault.Error()
	}
	err := ck.Errorf(ck.CKR_GENERAL_ERROR, "a defect in the guard ended %v: %s", method, what)
	c.event(events.Event{Kind: events.GuardDefect}.Because(err))
	return err
}
