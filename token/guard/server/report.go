package server

import (
	"encoding/json"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard/harden"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/seal/tpmseal"
)

// Report is what a guard tells of itself to any local user: nothing of other users' keys but how many there are.
type Report struct {
	Version     string    `json:"version"`
	Protocol    int       `json:"protocol"`
	PID         int       `json:"pid"`
	UID         uint32    `json:"uid"`
	Since       time.Time `json:"since"`
	Level       string    `json:"level"`       // for who asks
	Unavailable string    `json:"unavailable"` // why keys do not count as isolated; empty: they do
	Idle        string    `json:"idle,omitempty"`
	Sessions    int       `json:"sessions"`
	Connections int       `json:"connections"`
	Keys        int       `json:"keys"` // loaded
	Uses        uint64    `json:"uses"` // since the guard started
	LogUses     bool      `json:"log_uses"`

	Hardening harden.Report `json:"hardening"`
	TPM       *tpmseal.Info `json:"tpm,omitempty"`
	TPMError  string        `json:"tpm_error,omitempty"` // why there is no TPM
}

// status answers Status.
func (c *conn) status(*protocol.Nothing) (*protocol.Report, error) {
	text, err := json.Marshal(c.server.report(c))
	if err != nil {
		return nil, ck.Errorf(ck.CKR_GENERAL_ERROR, "the report: %w", err)
	}
	return &protocol.Report{JSON: text}, nil
}

func (s *Server) report(c *conn) *Report {
	r := &Report{
		Version: s.options.Version, Protocol: protocol.Version, PID: s.options.PID, UID: s.options.UID, Since: s.since.UTC().Truncate(time.Second),
		Level: c.session.level.String(), Unavailable: s.available.reason(), Uses: s.uses.Load(),
		LogUses: s.options.LogUses, Hardening: append(harden.Report{}, s.options.Hardening...),
	}
	if s.options.Idle > 0 {
		r.Idle = s.options.Idle.String()
	}
	if s.options.TPM != nil {
		var err error
		if r.TPM, err = s.options.TPM(); err != nil {
			r.TPMError = err.Error()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Sessions, r.Connections = len(s.sessions), len(s.conns)
	for _, n := range s.sessions {
		n.loaded.Range(func(any, any) bool { r.Keys++; return true })
	}
	return r
}
