package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/p11uri"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// tokenStatus is a token in the JSON of `status` and `init`.
type tokenStatus struct {
	Label      string `json:"label"`
	Serial     string `json:"serial"`
	Slot       uint   `json:"slot"`
	URI        string `json:"uri"`
	Scope      string `json:"scope"`
	Path       string `json:"path"`
	Policy     string `json:"policy,omitempty"`
	Protection string `json:"protection,omitempty"` // what the policy achieves here and now: isolated, software, unavailable
	Login      string `json:"login,omitempty"`
	UserPIN    string `json:"user_pin,omitempty"` // set, not-set, count-low, final-try, locked
	SOPIN      string `json:"so_pin,omitempty"`
	ReadOnly   bool   `json:"read_only"`
	Error      string `json:"error,omitempty"` // why the token cannot be used
}

// What is achieved.
const (
	protectionIsolated    = "isolated"
	protectionSoftware    = "software"
	protectionUnavailable = "unavailable"
)

// vbsStatus asks for a guard as a token that demands isolation would.
func vbsStatus(guards token.GuardFor) vbs {
	keys, err := guards(&store.Header{Policy: store.PolicyVBSRequired})
	if err != nil {
		return vbs{Reason: strings.TrimPrefix(reason(err), "VBS is unavailable: ")}
	}
	defer keys.Close()
	return vbs{Available: keys.Level().Isolated()}
}

// protectionOf asks the guard that the token would get.
func protectionOf(guards token.GuardFor, h *store.Header) string {
	keys, err := guards(h)
	if err != nil {
		return protectionUnavailable
	}
	defer keys.Close()
	if keys.Level().Isolated() {
		return protectionIsolated
	}
	return protectionSoftware
}

// statusOf puts together what lies on disk and what the engine says.
func statusOf(t *stored, list []present, guards token.GuardFor) tokenStatus {
	s := tokenStatus{Serial: t.Serial, Scope: string(t.scope), Path: t.Path}
	s.URI = (&p11uri.URI{Path: map[string]string{p11uri.Serial: t.Serial}}).String()
	if t.Err != nil {
		s.Error = oneLine(explain(t.Err))
		return s
	}
	h := t.header
	s.Label, s.Policy, s.Login, s.Protection = h.Label, h.Policy, h.Login, protectionOf(guards, h)
	s.URI = (&p11uri.URI{Path: map[string]string{p11uri.Token: h.Label, p11uri.Serial: t.Serial}}).String()
	for i := range list {
		if list[i].info.SerialNumber == t.Serial {
			s.describe(&list[i], h)
			return s
		}
	}
	s.Error = "the engine does not offer it"
	return s
}

func (s *tokenStatus) describe(p *present, h *store.Header) {
	flags := p.info.Flags
	s.Slot = uint(p.slot)
	s.ReadOnly = flags&ck.CKF_WRITE_PROTECTED != 0
	if h.Login == store.LoginPIN {
		s.UserPIN = pinState(h.UserPINSet, flags, ck.CKF_USER_PIN_LOCKED, ck.CKF_USER_PIN_FINAL_TRY, ck.CKF_USER_PIN_COUNT_LOW)
	}
	s.SOPIN = pinState(len(h.Sealed.SO) > 0, flags, ck.CKF_SO_PIN_LOCKED, ck.CKF_SO_PIN_FINAL_TRY, ck.CKF_SO_PIN_COUNT_LOW)
}

// pinState reads the flags of CK_TOKEN_INFO, the worst first.
func pinState(set bool, flags, locked, final, low ck.Flags) string {
	switch {
	case !set:
		return "not-set"
	case flags&locked != 0:
		return "locked"
	case flags&final != 0:
		return "final-try"
	case flags&low != 0:
		return "count-low"
	}
	return "set"
}

// pinWords are the states for people.
var pinWords = map[string]string{
	"not-set": "not set", "locked": "locked", "final-try": "one try left", "count-low": "wrong PINs were tried", "set": "set",
}

// protectionWords say for people what a policy came to.
func (s *tokenStatus) protectionWords() string {
	switch {
	case s.Protection == protectionIsolated:
		return "keys are isolated from programs and sealed to this machine"
	case s.Protection == protectionUnavailable:
		return "none: VBS is unavailable, and the policy allows nothing less"
	case s.Policy == store.PolicyVBSPreferred:
		return "software only, because VBS is unavailable: keys are in the memory of the program that uses them"
	}
	return "software: keys are in the memory of the program that uses them"
}

func (s *tokenStatus) print(w io.Writer) {
	fmt.Fprintf(w, "Token %s\n", display(s.Label))
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "  %-12s  %s\n", name+":", value)
		}
	}
	line("URI", s.URI)
	line("Serial", s.Serial)
	if s.Error == "" {
		line("Slot", strconv.FormatUint(uint64(s.Slot), 10))
		line("Policy", s.Policy)
		line("Protection", s.protectionWords())
		line("Login", s.Login)
		line("User PIN", pinWords[s.UserPIN])
		line("SO PIN", pinWords[s.SOPIN])
		if s.ReadOnly {
			line("Access", "this user may not write it")
		}
	}
	line("Scope", s.Scope)
	line("Path", s.Path)
	line("Error", s.Error)
}

// showMade shows a token that was just made.
func (a *app) showMade(serial string) error {
	cfg, err := config.Load(a.getenv)
	if err != nil {
		return err
	}
	list, _ := storedTokens(cfg) // what is wrong with others is not to be told now
	list = slices.DeleteFunc(list, func(t stored) bool { return t.Serial != serial })
	made, err := a.tokenStatuses(list)
	if err != nil {
		return err
	}
	if len(made) != 1 {
		return fmt.Errorf("the token of serial number %s is gone", serial)
	}
	if a.json {
		return a.printJSON(made[0])
	}
	made[0].print(a.stdout)
	return nil
}
