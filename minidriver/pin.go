package minidriver

import (
	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// AuthenticateEx is CardAuthenticateEx for the user's PIN, without session PINs. The PIN is the caller's to wipe.
func (c *Context) AuthenticateEx(pinID, flags uint32, pin []byte) error {
	if err := c.enter("CardAuthenticateEx"); err != nil {
		return err
	}
	defer c.mu.Unlock()
	return c.login(&message.Authenticate{Flags: flags, PinID: pinID, Pin: pin})
}

func (c *Context) login(m *message.Authenticate) error {
	switch {
	case m.Flags != 0:
		return unsupported("there are no session PINs")
	case m.PinID != message.ROLE_USER:
		return invalid("PIN %d is not the user's (%d)", m.PinID, message.ROLE_USER)
	}
	pin := secret.Copy(m.Pin)
	defer pin.Close()
	return c.session.Login(ck.CKU_USER, pin)
}

// loggedIn is SCARD_W_CARD_NOT_AUTHENTICATED where the card has a PIN that the user has not given.
func (c *Context) loggedIn() error {
	session := c.session.Info()
	if session.State == ck.CKS_RW_USER_FUNCTIONS {
		return nil
	}
	info, err := c.engine.TokenInfo(session.SlotID)
	if err == nil && info.Flags&ck.CKF_LOGIN_REQUIRED != 0 {
		err = nte.Errorf(nte.SCARD_W_CARD_NOT_AUTHENTICATED, "the card shows its containers after the login: CardAuthenticateEx")
	}
	return err
}

// DeauthenticateEx is CardDeauthenticateEx: the user's login ends, for the whole process. pins is a set, by PINs' bits.
func (c *Context) DeauthenticateEx(pins, flags uint32) error {
	if err := c.enterPlain("CardDeauthenticateEx", flags); err != nil {
		return err
	}
	defer c.mu.Unlock()
	if pins&(1<<message.ROLE_USER) == 0 {
		return invalid("the set %#x is without the user's PIN", pins)
	}
	return c.session.Logout()
}

// open decrypts a PIN's structure. Session keys that came under a key pair cannot do that: what opens PINs for this process would open key pairs, too, block by
// block, since nothing tells the messages under a key apart. A key that is shared for PINs has CKA_DECRYPT, and brings no key pairs in.
func (c *Context) open(k *key, data []byte) (*secret.Bytes, error) {
	if !k.shared {
		return nil, unsupported("a session key brings key pairs in; PINs come under a shared key with CKA_DECRYPT")
	}
	if err := c.session.DecryptInit(&ck.Mechanism{Type: ck.CKM_AES_CBC_PAD, Params: ck.RawParams(k.iv)}, k.object); err != nil {
		return nil, err
	}
	room := secret.New(len(data))
	defer room.Close()
	n, err := c.session.Decrypt(data, token.Output{Buf: room.Bytes()})
	if err != nil {
		return nil, err
	}
	return secret.Copy(room.Bytes()[:n]), nil
}

// authenticate is the secure function Authenticate. Its response is CARD_AUTHENTICATE_RESPONSE.
func (c *Context) authenticate(k *key, data, out []byte) (int, error) {
	plain, err := c.open(k, data)
	if err != nil {
		return 0, err
	}
	defer plain.Close()
	m, err := message.ParseAuthenticate(plain.Bytes())
	if err != nil {
		return 0, invalid("not a sound CARD_AUTHENTICATE")
	}
	response := message.AuthenticateResponse(message.AttemptsUnknown)
	if n, err := deliver(out, response.Bytes()); err != nil { // before the PIN is tried
		return n, err
	}
	return response.Len(), c.login(m)
}

// changeAuthenticator is the secure function Change Authenticator, of the user's PIN by the user's. Its response is CARD_CHANGE_AUTHENTICATOR_RESPONSE.
func (c *Context) changeAuthenticator(k *key, data, out []byte) (int, error) {
	plain, err := c.open(k, data)
	if err != nil {
		return 0, err
	}
	defer plain.Close()
	m, err := message.ParseChangeAuthenticator(plain.Bytes())
	switch {
	case err != nil:
		return 0, invalid("not a sound CARD_CHANGE_AUTHENTICATOR")
	case m.Flags != message.PIN_CHANGE_FLAG_CHANGEPIN || m.RetryCount != 0:
		return 0, unsupported("the security officer unblocks PINs, and how many tries there are is the token's")
	case m.AuthenticatingPinID != message.ROLE_USER || m.TargetPinID != message.ROLE_USER:
		return 0, invalid("the user's PIN (%d) is changed by the user's", message.ROLE_USER)
	}
	response := message.ChangeAuthenticatorResponse(message.AttemptsUnknown)
	if n, err := deliver(out, response.Bytes()); err != nil {
		return n, err
	}
	old, pin := secret.Copy(m.AuthenticatingPin), secret.Copy(m.Target)
	defer old.Close()
	defer pin.Close()
	return response.Len(), c.session.SetPIN(old, pin)
}
