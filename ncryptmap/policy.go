package ncryptmap

import (
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// setPIN is NCRYPT_PIN_PROPERTY: logs in to the token that the key is in. It cannot be read.
func setPIN(k *key, value []byte, _ uint32) error {
	pin, err := parsePIN(value)
	if err != nil {
		return err
	}
	defer pin.Close()
	if k.session != nil {
		return login(k.session, pin)
	}
	s, err := k.provider.sessionFor(k.machine, pin)
	if err != nil {
		return err
	}
	if k.loggedIn != nil {
		_ = k.loggedIn.Close()
	}
	k.loggedIn = s
	return nil
}

func parsePIN(value []byte) (*secret.Bytes, error) {
	text, ok := blob.ParseWide(value)
	if !ok {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the PIN is not UTF-16")
	}
	return secret.Copy([]byte(text)), nil
}

// sessionFor opens a session that is logged in: a login lasts as long as a session does.
func (p *provider) sessionFor(machine bool, pin *secret.Bytes) (*token.Session, error) {
	s, err := p.session(machine, true)
	if err != nil {
		return nil, err
	}
	if err := login(s, pin); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// setPIN logs in to the provider's token as long as its handle lasts, so that its keys are seen. Of several cards that is the first one of the user's, else of
// the machine's: a PIN is not tried on another.
func (p *provider) setPIN(value []byte) error {
	pin, err := parsePIN(value)
	if err != nil {
		return err
	}
	defer pin.Close()
	_, mine, err := p.slot(false)
	if err != nil {
		return err
	}
	s, err := p.sessionFor(!mine, pin)
	if err == nil {
		p.keepLogin(s)
	}
	return err
}

// The parts of a security descriptor (SECURITY_INFORMATION), as flags of GetProperty and SetProperty.
const (
	ownerSecurity       uint32 = 0x1
	groupSecurity       uint32 = 0x2
	daclSecurity        uint32 = 0x4
	saclSecurity        uint32 = 0x8
	securityInformation        = ownerSecurity | groupSecurity | daclSecurity | saclSecurity
)

// getSecurity gives a security descriptor (SECURITY_DESCRIPTOR_RELATIVE) without owner, group and lists: who may use a key is the token's matter. It is
// empty, and says so.
func getSecurity(k *key, flags uint32) ([]byte, error) {
	switch {
	case flags&securityInformation == 0:
		return nil, nte.Errorf(nte.NTE_BAD_FLAGS, "say which parts of the security descriptor are wanted")
	case !k.persistent() || !k.final:
		return nil, notSupported(NCRYPT_SECURITY_DESCR_PROPERTY)
	}
	const revision, selfRelative = 1, 0x8000
	descriptor := make([]byte, 20)
	descriptor[0] = revision
	binary.LittleEndian.PutUint16(descriptor[2:], selfRelative)
	return descriptor, nil
}

// setSecurity: the access list of a token is fixed when it is made.
func setSecurity(_ *key, _ []byte, flags uint32) error {
	if flags&securityInformation == 0 {
		return nte.Errorf(nte.NTE_BAD_FLAGS, "say which parts of the security descriptor are meant")
	}
	return nte.Errorf(nte.NTE_NOT_SUPPORTED, "who may use a key is said when its token is made: ncrypt11 init --scope machine --allow WHO")
}
