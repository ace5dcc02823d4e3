package token

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// slot holds one token, or is the one that C_InitToken may fill. Its number is made from the token's serial number, so that it is the
// same in every process, and the same before and after C_InitToken.
type slot struct {
	id     ck.SlotID
	serial string

	mu    sync.Mutex // guards what follows; path and scope are written with the provider's lock held too, and may be read under either
	scope config.Scope
	path  string // the token's directory; "" while there is none
	tok   *Token // opened at first need
}

// initialized says whether there is a token in the slot.
func (s *slot) initialized() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.path != ""
}

// newSerial makes a token's serial number: 16 hexadecimal digits (CK_TOKEN_INFO.serialNumber has 16 bytes).
func newSerial() (string, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", ck.Errorf(ck.CKR_GENERAL_ERROR, "no randomness: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// slotNumber is the first 31 bits of the serial: programs print slot numbers and parse them as int.
func slotNumber(serial string) ck.SlotID {
	n, err := strconv.ParseUint(serial[:min(8, len(serial))], 16, 32)
	if err != nil {
		return 0
	}
	return ck.SlotID(n & 0x7fffffff)
}

// refreshSlots looks for tokens that appeared or went since the last look, and keeps one fresh slot at the end.
func (p *Provider) refreshSlots() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := map[string]bool{}
	for _, dir := range p.cfg.TokenDirs {
		entries, err := store.List(dir.Path)
		if err != nil {
			continue // a directory that this user may not read holds no tokens for it
		}
		for _, e := range entries {
			found[e.Serial] = true
			p.addSlot(e.Serial, e.Path, dir.Scope)
		}
	}
	p.slots = deleteGone(p.slots, found)
	if p.fresh == nil || p.fresh.path != "" {
		return p.addFresh()
	}
	return nil
}

// addSlot keeps the fresh slot last.
func (p *Provider) addSlot(serial, path string, scope config.Scope) {
	for _, s := range p.slots {
		if s.serial == serial {
			return
		}
	}
	s := &slot{id: p.freeNumber(serial), serial: serial, scope: scope, path: path}
	if p.fresh != nil && p.fresh.path == "" {
		last := len(p.slots) - 1
		p.slots = append(p.slots[:last:last], s, p.fresh)
		return
	}
	p.slots = append(p.slots, s)
}

func (p *Provider) addFresh() error {
	serial, err := newSerial()
	if err != nil {
		return err
	}
	p.fresh = &slot{id: p.freeNumber(serial), serial: serial, scope: config.User}
	p.slots = append(p.slots, p.fresh)
	return nil
}

// freeNumber is the serial's slot number, or the next one that no other slot has.
func (p *Provider) freeNumber(serial string) ck.SlotID {
	for id := slotNumber(serial); ; id++ {
		taken := false
		for _, s := range p.slots {
			taken = taken || s.id == id
		}
		if !taken {
			return id
		}
	}
}

// deleteGone drops the slots whose token's directory is gone, unless the token is in use.
func deleteGone(slots []*slot, found map[string]bool) []*slot {
	kept := slots[:0:0]
	for _, s := range slots {
		if s.path == "" || found[s.serial] || s.inUse() {
			kept = append(kept, s)
			continue
		}
		s.close()
	}
	return kept
}

func (s *slot) inUse() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tok != nil && s.tok.hasSessions()
}

func (s *slot) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tok != nil {
		s.tok.close()
		s.tok = nil
	}
}

// SlotList is C_GetSlotList. Every slot has its token in it, the fresh one an uninitialized one, as slots without CKF_REMOVABLE_DEVICE must.
// refresh is set on the call that asks for the count.
func (p *Provider) SlotList(refresh bool) ([]ck.SlotID, error) {
	if refresh {
		if err := p.refreshSlots(); err != nil {
			return nil, err
		}
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	ids := make([]ck.SlotID, len(p.slots))
	for i, s := range p.slots {
		ids[i] = s.id
	}
	return ids, nil
}

func (p *Provider) slot(id ck.SlotID) (*slot, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, s := range p.slots {
		if s.id == id {
			return s, nil
		}
	}
	return nil, ck.CKR_SLOT_ID_INVALID
}

// ErrEmptySlot is what is said of the slot that C_InitToken may fill. Programs try it as they try every slot.
var ErrEmptySlot = errors.New("its token is not initialized")

// token opens the slot's token. Error: CKR_TOKEN_NOT_RECOGNIZED where it is not initialized or its files are not ours.
func (p *Provider) token(s *slot) (*Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.path == "" {
		return nil, ck.Errorf(ck.CKR_TOKEN_NOT_RECOGNIZED, "slot %d: %w", s.id, ErrEmptySlot)
	}
	if s.tok == nil {
		if err := p.running(); err != nil {
			return nil, err
		}
		tok, err := openToken(s.path, s.scope, p.cfg, p.guardFor)
		if err != nil {
			return nil, err
		}
		s.tok = tok
	}
	return s.tok, nil
}

// SlotInfo is C_GetSlotInfo.
func (p *Provider) SlotInfo(id ck.SlotID) (ck.SlotInfo, error) {
	s, err := p.slot(id)
	if err != nil {
		return ck.SlotInfo{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	description := "ncrypt11 slot for a new token"
	if s.path != "" {
		description = "ncrypt11 " + string(s.scope) + " token " + filepath.Base(s.path)
	}
	return ck.SlotInfo{
		Description:     description,
		ManufacturerID:  Manufacturer,
		Flags:           ck.CKF_TOKEN_PRESENT,
		HardwareVersion: LibraryVersion,
		FirmwareVersion: LibraryVersion,
	}, nil
}

// MechanismList is C_GetMechanismList.
func (p *Provider) MechanismList(id ck.SlotID) ([]ck.MechanismType, error) {
	if _, err := p.slot(id); err != nil {
		return nil, err
	}
	rows := mech.All()
	types := make([]ck.MechanismType, len(rows))
	for i, row := range rows {
		types[i] = row.Type
	}
	return types, nil
}

// MechanismInfo is C_GetMechanismInfo.
func (p *Provider) MechanismInfo(id ck.SlotID, typ ck.MechanismType) (ck.MechanismInfo, error) {
	if _, err := p.slot(id); err != nil {
		return ck.MechanismInfo{}, err
	}
	row := mech.Lookup(typ)
	if row == nil {
		return ck.MechanismInfo{}, ck.CKR_MECHANISM_INVALID
	}
	return ck.MechanismInfo{MinKeySize: row.Min, MaxKeySize: row.Max, Flags: row.Flags}, nil
}
