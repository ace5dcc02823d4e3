package server

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/events"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// done is the event of each method that went well, where it is one.
var done = map[protocol.Method]events.Kind{
	protocol.MethodNewMaster:   events.Master,
	protocol.MethodUnlock:      events.Unlock,
	protocol.MethodResume:      events.Unlock,
	protocol.MethodReseal:      events.Reseal,
	protocol.MethodGenerate:    events.Create,
	protocol.MethodImport:      events.Import,
	protocol.MethodUnwrap:      events.Unwrap,
	protocol.MethodDerive:      events.Derive,
	protocol.MethodEncapsulate: events.Derive,
	protocol.MethodDecapsulate: events.Derive,
	protocol.MethodAttest:      events.Attest,
	protocol.MethodActivate:    events.Unwrap,
	protocol.MethodReissue:     events.Reissue,
	protocol.MethodReveal:      events.Reveal,
	protocol.MethodWrap:        events.Wrap,
	protocol.MethodWrapPublic:  events.Wrap,
}

// failed is the event of each CK_RV that somebody should know of.
var failed = map[ck.RV]events.Kind{
	ck.CKR_PIN_INCORRECT:              events.PINWrong,
	ck.CKR_PIN_LOCKED:                 events.Lockout,
	ck.CKR_ACTION_PROHIBITED:          events.Refused,
	ck.CKR_KEY_FUNCTION_NOT_PERMITTED: events.Refused,
	ck.CKR_KEY_UNEXTRACTABLE:          events.Refused,
	ck.CKR_KEY_NOT_WRAPPABLE:          events.Refused,
	ck.CKR_ATTRIBUTE_SENSITIVE:        events.Refused,
	ck.CKR_ATTRIBUTE_READ_ONLY:        events.Refused,
}

// subject is what a request is about, for the log.
type subject struct {
	vault  guard.Vault
	policy *guard.Policy // of the key that is made; nil: none is
	key    *loaded       // the key that it is about; nil: none, or none that is known
	by     *loaded       // the key that is used; nil: none
	scheme *mech.Scheme
	token  string // where there is no vault yet
}

// subjectOf finds it.
func (c *conn) subjectOf(m protocol.Message) (s subject) {
	find := c.session.find
	switch m := m.(type) {
	case *protocol.NewMaster:
		s = subject{token: serialOf(m.Context)}
	case *protocol.Unlock:
		s = subject{token: serialOf(m.Context)}
	case *protocol.Reseal:
		s = subject{vault: m.Vault}
	case *protocol.Authorize:
		s = subject{token: serialOf(m.Context), key: find(m.Ref)}
	case *protocol.Generate:
		s = subject{vault: m.Vault, policy: m.Policy, scheme: m.Scheme}
	case *protocol.Import:
		s = subject{vault: m.Vault, policy: m.Policy}
	case *protocol.Unwrap:
		s = subject{vault: m.Vault, policy: m.Policy, by: find(m.By), scheme: m.Scheme}
	case *protocol.Derive:
		s = subject{vault: m.Vault, policy: m.Policy, by: find(m.Base), scheme: m.Scheme}
	case *protocol.Encapsulate:
		s = subject{vault: m.Vault, policy: m.Policy, scheme: m.Scheme}
	case *protocol.Decapsulate:
		s = subject{vault: m.Vault, policy: m.Policy, by: find(m.By), scheme: m.Scheme}
	case *protocol.Attest:
		if len(m.Refs) > 0 {
			s = subject{key: find(m.Refs[0])}
		}
	case *protocol.Activate:
		s = subject{vault: m.Vault, policy: m.Policy}
	case *protocol.Load:
		s = subject{vault: m.Vault}
	case *protocol.Reissue:
		s = subject{vault: m.Vault, key: find(m.Ref)}
	case *protocol.OneRef:
		s = subject{key: find(m.Ref)}
	case *protocol.Use:
		s = subject{by: find(m.Ref), scheme: m.Scheme}
	case *protocol.Verify:
		s = subject{by: find(m.Ref), scheme: m.Scheme}
	case *protocol.Wrap:
		s = subject{key: find(m.Key), by: find(m.By), scheme: m.Scheme}
	case *protocol.WrapPublic:
		s = subject{key: find(m.Key), scheme: m.Scheme}
	}
	s.settle()
	return s
}

// settle makes the key that it is about the one that is used, where it is about no other, and takes from it what is not known better.
func (s *subject) settle() {
	if s.key == nil && s.policy == nil {
		s.key = s.by
	}
	if s.key == nil {
		return
	}
	if s.policy == nil {
		s.policy = s.key.policy
	}
	if s.vault == 0 {
		s.vault = s.key.vault
	}
}

// observe counts and logs what became of a request.
func (c *conn) observe(method protocol.Method, m protocol.Message, reply protocol.Message, err error) {
	if use, ok := m.(*protocol.Use); ok && err == nil { // the common case, in which nothing is to be found out
		if method != protocol.MethodStream { // which counts when it ends
			c.used(c.session.find(use.Ref), use.Scheme)
		}
		return
	}
	s := c.subjectOf(m)
	kind, ok := done[method]
	if err != nil {
		kind, ok = failure(method, &s, err)
	} else {
		c.used(s.by, s.scheme)
	}
	if !ok {
		return
	}
	e := events.Event{Kind: kind, Token: s.token}.Because(err)
	if opened, ok := reply.(*protocol.Opened); ok && err == nil {
		s.vault = opened.Vault
	}
	if method == protocol.MethodResume && err == nil {
		e.Reason = "taken over from a guard that ended"
	}
	c.event(c.session.about(e, &s))
}

// failure says which event an error is.
func failure(method protocol.Method, s *subject, err error) (events.Kind, bool) {
	code := ck.Code(err)
	switch {
	case code == ck.CKR_DEVICE_ERROR && (method == protocol.MethodUnlock || method == protocol.MethodResume || method == protocol.MethodLoad || method == protocol.MethodAuthorize):
		return events.CannotDecrypt, true
	case code == ck.CKR_MECHANISM_INVALID && s.policy != nil && len(s.policy.Allowed) > 0 && s.scheme != nil && !slices.Contains(s.policy.Allowed, s.scheme.Row.Type):
		return events.Refused, true
	case code == ck.CKR_USER_NOT_LOGGED_IN && s.policy != nil && s.policy.AlwaysAuthenticate:
		return events.Refused, true
	}
	kind, ok := failed[code]
	return kind, ok
}

// about fills in the subject.
func (n *session) about(e events.Event, s *subject) events.Event {
	s.settle()
	if e.Token == "" {
		e.Token = n.token(s.vault)
	}
	if s.policy != nil {
		e.Key, e.KeyType = hex.EncodeToString(s.policy.ID[:]), s.policy.KeyType.String()
	}
	if s.scheme != nil && s.scheme.Row != nil {
		e.Mechanism = s.scheme.Row.Type.String()
	}
	return e
}

// used counts a use of a key that went well.
func (c *conn) used(k *loaded, scheme *mech.Scheme) {
	if k == nil {
		return
	}
	k.uses.Add(1)
	c.server.uses.Add(1)
	if c.server.options.LogUses {
		c.event(c.session.about(events.Event{Kind: events.Use}, &subject{by: k, scheme: scheme}))
	}
}

// logUses says how often a key was used that is unloaded now.
func (n *session) logUses(k *loaded) {
	uses := k.uses.Load()
	if uses == 0 {
		return
	}
	e := n.about(events.Event{Kind: events.Used, Count: uses}, &subject{by: k})
	n.server.log(n.signed(e))
}

// signed fills in whose doing an event is. Where a user makes too much noise it leaves out what it is about, which is the user's to choose: so the log
// sums up, and keeps the room for what others do.
func (n *session) signed(e events.Event) events.Event {
	if !n.tenant.noise.passes(time.Now()) {
		e.Token, e.Key, e.KeyType, e.Mechanism = "", "", "", ""
	}
	e.User, e.PID, e.Guard = n.tenant.name.String(), int(n.pid), n.level.String()
	return e
}

func (c *conn) event(e events.Event) { c.server.log(c.session.signed(e)) }

func (s *Server) log(e events.Event) { s.options.Log.Write(e) }
