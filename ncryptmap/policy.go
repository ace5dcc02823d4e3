package ncryptmap

import (
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// setPIN is NCRYPT_PIN_PROPERTY: logs in to the token that the key is in. It cannot be read.
func setPIN(k *key, value []byte, _ uint32) error {
	text, ok := blob.ParseWide(value)
	if !ok {
		return nte.Errorf(nte.NTE_BAD_DATA, "the PIN is not UTF-16")
	}
	pin := secret.Copy([]byte(text))
	defer pin.Close()
	if k.session != nil {
		return login(k.session, pin)
	}
	s, err := k.provider.session(k.machine, true)
	if err != nil {
		return err
	}
	if err := login(s, pin); err != nil {
		_ = s.Close()
		return err
	}
	k.loggedIn = s // a login lasts as long as a session does
	return nil
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
