package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/remote"
	"github.com/ncrypt11/ncrypt11/wire"
)

// guardStatus is the guard that a login of this user finds.
type guardStatus struct {
	Running bool         `json:"running"`
	Where   string       `json:"where,omitempty"`  // unix:PATH or vsock:CID:PORT
	Reason  string       `json:"reason,omitempty"` // why none answers
	Report  *guardReport `json:"report,omitempty"` // what it says of itself

	absent bool // nobody listens: one may be started
}

// errNotRunning says that nobody listens, and that nobody was started.
var errNotRunning = errors.New("no guard is running")

// How long a guard may take to answer: one that is there, and one that has to come first.
const (
	guardPatience = 5 * time.Second
	startPatience = 30 * time.Second
)

// findGuard asks the guard that runs, and starts none. Where systemd listens for the machine's guard, asking makes systemd start that one.
func findGuard(cfg *config.Config, getenv config.Getenv) *guardStatus {
	if cfg.Guard.Off {
		return &guardStatus{Reason: "NCRYPT11_GUARD is none"}
	}
	for _, where := range guardAddresses(cfg) {
		e := wire.Endpoint(cfg, getenv)
		e.Start = func() error { return errNotRunning }
		if path, ok := strings.CutPrefix(where, "unix:"); ok && cfg.Guard.Address == "" {
			e.Sockets, e.Own = []string{path}, path
		}
		text, err := askGuard(e, guardPatience)
		if errors.Is(err, errNotRunning) {
			continue
		}
		return readReport(where, text, err)
	}
	return &guardStatus{Reason: errNotRunning.Error(), absent: true}
}

// guardAddresses are where a guard may be, in the order in which they are tried.
func guardAddresses(cfg *config.Config) (all []string) {
	if cfg.Guard.Address != "" {
		return []string{cfg.Guard.Address}
	}
	for _, path := range cfg.Guard.Sockets {
		all = append(all, "unix:"+path)
	}
	return all
}

// startedGuard is findGuard, but where no guard runs it starts one as a login would.
func startedGuard(cfg *config.Config, getenv config.Getenv) *guardStatus {
	g := findGuard(cfg, getenv)
	if vbsOf(cfg, g).State != vbsStartable {
		return g
	}
	text, err := askGuard(wire.Endpoint(cfg, getenv), startPatience)
	return readReport("unix:"+cfg.Guard.Own, text, err)
}

// askGuard gives up on a guard that hangs: whoever asks for the status wants to know that, and soon.
func askGuard(e *remote.Endpoint, patience time.Duration) ([]byte, error) {
	type answer struct {
		text []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := remote.Report(e)
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		return a.text, a.err
	case <-time.After(patience):
		return nil, fmt.Errorf("the guard does not answer within %v", patience)
	}
}

// readReport reads what a guard answered.
func readReport(where string, text []byte, err error) *guardStatus {
	if err != nil {
		return &guardStatus{Where: where, Reason: oneLine(strings.TrimPrefix(reason(err), vbsPrefix))}
	}
	report := &guardReport{}
	if err := json.Unmarshal(text, report); err != nil {
		return &guardStatus{Running: true, Where: where, Reason: "its report cannot be read: " + oneLine(err.Error())}
	}
	return &guardStatus{Running: true, Where: where, Report: report}
}

// level is how far the guard is from this user; guard.Software where there is none.
func (g *guardStatus) level() guard.Level {
	if g.Report == nil {
		return guard.Software
	}
	level, _ := guard.ParseLevel(g.Report.Level) // what is no level is none
	return level
}

// vbsPrefix begins the errors of whoever looked for a guard.
const vbsPrefix = "VBS is unavailable: "

// vbs says whether keys can be isolated on this machine.
type vbs struct {
	Available bool   `json:"available"`
	State     string `json:"state"` // available, startable (no guard runs, and one can be tried), unavailable
	Reason    string `json:"reason,omitempty"`
}

// The states.
const (
	vbsAvailable   = "available"
	vbsStartable   = "startable"
	vbsUnavailable = "unavailable"
)

func (v vbs) String() string {
	switch v.State {
	case vbsAvailable:
		return "available"
	case vbsStartable:
		return v.Reason
	}
	return "unavailable: " + v.Reason
}

// vbsOf says whether tokens can be isolated, by the guard that was found or may be started.
func vbsOf(cfg *config.Config, g *guardStatus) vbs {
	least, _ := guard.ParseLevel(cfg.MinIsolation) // config has checked it
	switch {
	case g.Report != nil && g.Report.Unavailable != "":
		return vbs{State: vbsUnavailable, Reason: g.Report.Unavailable}
	case g.Report != nil && g.level() < least:
		return vbs{State: vbsUnavailable, Reason: fmt.Sprintf("the guard's isolation is of level %v, and min_isolation asks for %v", g.level(), least)}
	case g.Report != nil:
		return vbs{Available: true, State: vbsAvailable}
	case !g.absent:
		return vbs{State: vbsUnavailable, Reason: g.Reason}
	case !cfg.Guard.HasTPM():
		return vbs{State: vbsUnavailable, Reason: "no guard is running, and none can be started without a TPM (NCRYPT11_TPM says where one is)"}
	case cfg.Guard.Own == "":
		return vbs{State: vbsUnavailable, Reason: "no guard is running, and this user has no directory for one of its own"}
	case least > guard.Process:
		return vbs{State: vbsUnavailable, Reason: fmt.Sprintf("no guard is running, and one of this user's own is less than min_isolation asks for: %v", least)}
	}
	return vbs{State: vbsStartable, Reason: "no guard is running; the first token that needs one starts it"}
}
