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
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// tokenStatus is a token in the JSON of `status` and `init`.
type tokenStatus struct {
	Label      string   `json:"label"`
	Serial     string   `json:"serial"`
	Slot       uint     `json:"slot"`
	URI        string   `json:"uri"`
	Scope      string   `json:"scope"`
	Path       string   `json:"path"`
	Policy     string   `json:"policy,omitempty"`
	Protection string   `json:"protection,omitempty"` // what the policy achieves here and now: isolated, software, unavailable
	Isolation  string   `json:"isolation,omitempty"`  // the level that it was made under: software, process, service, vm
	Lifetime   string   `json:"lifetime,omitempty"`   // cross-boot, per-boot
	Codes      string   `json:"codes,omitempty"`      // of failures: pkcs11, ncrypt
	Semantics  string   `json:"semantics,omitempty"`  // of what templates leave open: pkcs11, ncrypt
	Names      string   `json:"names,omitempty"`      // of keys: unique, free
	Profile    string   `json:"profile,omitempty"`    // smart-card; none is a token for everything
	Import     []string `json:"import,omitempty"`     // of a smart card: the roles of the private keys that it takes in
	KeysAlive  *bool    `json:"keys_alive,omitempty"` // of a per-boot token: its boot is not over
	Allow      []string `json:"allow,omitempty"`      // who may use it beside its maker: user:UID, group:GID
	Login      string   `json:"login,omitempty"`
	UserPIN    string   `json:"user_pin,omitempty"` // set, not-set, count-low, final-try, locked
	SOPIN      string   `json:"so_pin,omitempty"`
	ReadOnly   bool     `json:"read_only"`
	Error      string   `json:"error,omitempty"` // why the token cannot be used
}

// What is achieved.
const (
	protectionIsolated    = "isolated"
	protectionSoftware    = "software"
	protectionUnavailable = "unavailable"
)

// The lifetimes of keys.
const (
	crossBoot = "cross-boot"
	perBoot   = "per-boot"
)

// Whether two keys may have the same name.
const (
	namesFree   = "free"
	namesUnique = "unique"
)

// protectionOf says what the token gets of the guard that there is. A token that was made in software stays there, and one that was made under a guard
// needs one that isolates no less.
func protectionOf(h *store.Header, v vbs, g *guardStatus) string {
	made := token.Isolation(h)
	switch {
	case h.Policy == store.PolicySoftware, made == guard.Software && h.Policy != store.PolicyVBSRequired:
		return protectionSoftware
	case v.State == vbsUnavailable, g.Report != nil && g.level() < made:
		return protectionUnavailable
	}
	return protectionIsolated
}

// statusOf puts together what lies on disk, what the engine says, and what the machine s offers.
func (a *app) statusOf(t *stored, list []present, s *status) tokenStatus {
	ts := tokenStatus{Serial: t.Serial, Scope: string(t.scope), Path: t.Path}
	ts.URI = (&p11uri.URI{Path: map[string]string{p11uri.Serial: t.Serial}}).String()
	if t.Err != nil {
		ts.Error = oneLine(explain(t.Err))
		return ts
	}
	h := t.header
	ts.Label, ts.Policy, ts.Login, ts.Protection = h.Label, h.Policy, h.Login, protectionOf(h, s.VBS, s.Guard)
	ts.Isolation, ts.Lifetime, ts.Allow = token.Isolation(h).String(), crossBoot, token.Allowed(h)
	ts.Semantics, ts.Names = semanticsPKCS11, namesFree
	if token.NCryptSemantics(h) {
		ts.Semantics = semanticsNCrypt
	}
	ts.Codes = semanticsPKCS11
	if token.NCryptCodes(h) {
		ts.Codes = semanticsNCrypt
	}
	if token.UniqueNames(h) {
		ts.Names = namesUnique
	}
	ts.describeProfile(h)
	if token.PerBoot(h) {
		alive := !a.root.bootOver(token.Boot(h))
		ts.Lifetime, ts.KeysAlive = perBoot, &alive
	}
	ts.URI = (&p11uri.URI{Path: map[string]string{p11uri.Token: h.Label, p11uri.Serial: t.Serial}}).String()
	for i := range list {
		if list[i].info.SerialNumber == t.Serial {
			ts.describe(&list[i], h)
			return ts
		}
	}
	ts.Error = "the engine does not offer it"
	return ts
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
		return "keys are isolated from programs and sealed to this machine (level " + s.Isolation + ")"
	case s.Protection == protectionUnavailable:
		return "none now: VBS is unavailable, and its keys are used with nothing less (level " + s.Isolation + ")"
	case s.Policy == store.PolicyVBSPreferred:
		return "software only, because VBS was unavailable when the token was made: keys are in the memory of the program that uses them"
	}
	return "software: keys are in the memory of the program that uses them"
}

// lifetimeWords say for people how long keys live.
func (s *tokenStatus) lifetimeWords() string {
	switch {
	case s.KeysAlive == nil:
		return s.Lifetime
	case *s.KeysAlive:
		return "per-boot: keys live until the machine is restarted"
	}
	return "over: the machine was restarted, and its keys were for that boot only"
}

func (s *tokenStatus) allowWords() string {
	words := make([]string, len(s.Allow))
	for i, p := range s.Allow {
		words[i] = principalWords(p)
	}
	return strings.Join(words, ", ")
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
		line("Lifetime", s.lifetimeWords())
		line("Names", map[string]string{namesUnique: "unique: no two keys have the same"}[s.Names])
		line("Semantics", map[string]string{semanticsNCrypt: "NCrypt's: keys are sensitive and not extractable unless they are asked to be"}[s.Semantics])
		line("Codes", map[string]string{semanticsNCrypt: "ncrypt11's own where PKCS #11 has none"}[s.Codes])
		line("Profile", s.profileWords())
		line("Allowed", s.allowWords())
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
	g := findGuard(cfg, a.getenv)
	made, err := a.tokenStatuses(list, &status{VBS: vbsOf(cfg, g), Guard: g})
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
