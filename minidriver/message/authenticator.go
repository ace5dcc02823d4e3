package message

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// The PINs of a card. Extra ones, 3 to 7, are not here.
const (
	ROLE_EVERYONE uint32 = 0
	ROLE_USER     uint32 = 1
	ROLE_ADMIN    uint32 = 2
)

// The flags of CARD_CHANGE_AUTHENTICATOR and CARD_AUTHENTICATE.
const (
	PIN_CHANGE_FLAG_UNBLOCK                uint32 = 0x00000001
	PIN_CHANGE_FLAG_CHANGEPIN              uint32 = 0x00000002
	CARD_AUTHENTICATE_GENERATE_SESSION_PIN uint32 = 0x10000000
	CARD_AUTHENTICATE_SESSION_PIN          uint32 = 0x20000000
	authenticatePermitted                         = CARD_AUTHENTICATE_GENERATE_SESSION_PIN | CARD_AUTHENTICATE_SESSION_PIN
	changeAuthenticatorLen                        = 28 // pbAuthenticatingPinData and then pbTargetData
	authenticateLen                               = 16 // pbPinData
	changeAuthenticatorResponseLen                = 8
	authenticateResponseLen                       = 12 // pbSessionPin
	nameChange, nameAuthenticate                  = "CARD_CHANGE_AUTHENTICATOR", "CARD_AUTHENTICATE"
)

// ChangeAuthenticator is CARD_CHANGE_AUTHENTICATOR: a PIN is changed, or unblocked.
type ChangeAuthenticator struct {
	Flags               uint32 // one of PIN_CHANGE_FLAG_*
	AuthenticatingPinID uint32
	AuthenticatingPin   []byte
	TargetPinID         uint32
	Target              []byte
	RetryCount          uint32 // 0: as it is
}

// ParseChangeAuthenticator reads a CARD_CHANGE_AUTHENTICATOR with its data. Errors: ERROR_REVISION_MISMATCH, SCARD_E_INVALID_PARAMETER.
func ParseChangeAuthenticator(b []byte) (*ChangeAuthenticator, error) {
	if err := check(nameChange, b, changeAuthenticatorLen); err != nil {
		return nil, err
	}
	data, err := behind(nameChange, b, changeAuthenticatorLen, ulong(b, 12), ulong(b, 20))
	if err != nil {
		return nil, err
	}
	m := &ChangeAuthenticator{
		Flags: ulong(b, 4), AuthenticatingPinID: ulong(b, 8), AuthenticatingPin: data[0], TargetPinID: ulong(b, 16), Target: data[1], RetryCount: ulong(b, 24),
	}
	if m.Flags != PIN_CHANGE_FLAG_UNBLOCK && m.Flags != PIN_CHANGE_FLAG_CHANGEPIN {
		return nil, nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "%s has flags %#x", nameChange, m.Flags)
	}
	return m, nil
}

// Bytes gives the structure with its data, which the caller closes.
func (m *ChangeAuthenticator) Bytes() *secret.Bytes {
	s, b := start(changeAuthenticatorLen, m.AuthenticatingPin, m.Target)
	for i, v := range []uint32{m.Flags, m.AuthenticatingPinID, uint32(len(m.AuthenticatingPin)), m.TargetPinID, uint32(len(m.Target)), m.RetryCount} {
		put(b, 4+4*i, v)
	}
	return s
}

// Authenticate is CARD_AUTHENTICATE: a PIN is presented.
type Authenticate struct {
	Flags uint32 // CARD_AUTHENTICATE_*
	PinID uint32
	Pin   []byte
}

// ParseAuthenticate reads a CARD_AUTHENTICATE with its PIN. Errors: ERROR_REVISION_MISMATCH, SCARD_E_INVALID_PARAMETER.
func ParseAuthenticate(b []byte) (*Authenticate, error) {
	if err := check(nameAuthenticate, b, authenticateLen); err != nil {
		return nil, err
	}
	data, err := behind(nameAuthenticate, b, authenticateLen, ulong(b, 12))
	if err != nil {
		return nil, err
	}
	m := &Authenticate{Flags: ulong(b, 4), PinID: ulong(b, 8), Pin: data[0]}
	if m.Flags&^authenticatePermitted != 0 {
		return nil, nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "%s has flags %#x", nameAuthenticate, m.Flags)
	}
	return m, nil
}

// Bytes gives the structure with its PIN, which the caller closes.
func (m *Authenticate) Bytes() *secret.Bytes {
	s, b := start(authenticateLen, m.Pin)
	put(b, 4, m.Flags)
	put(b, 8, m.PinID)
	put(b, 12, uint32(len(m.Pin)))
	return s
}

// AttemptsUnknown is cAttemptsRemaining of a card that does not say: tokens tell of the last tries only.
const AttemptsUnknown = ^uint32(0)

// ChangeAuthenticatorResponse is CARD_CHANGE_AUTHENTICATOR_RESPONSE.
func ChangeAuthenticatorResponse(attemptsRemaining uint32) *secret.Bytes {
	s, b := start(changeAuthenticatorResponseLen)
	put(b, 4, attemptsRemaining)
	return s
}

// AuthenticateResponse is CARD_AUTHENTICATE_RESPONSE without a session PIN.
func AuthenticateResponse(attemptsRemaining uint32) *secret.Bytes {
	s, b := start(authenticateResponseLen)
	put(b, 8, attemptsRemaining)
	return s
}
