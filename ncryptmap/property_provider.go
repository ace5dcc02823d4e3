package ncryptmap

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
)

// Kinds of providers (NCRYPT_IMPL_TYPE_PROPERTY).
const (
	NCRYPT_IMPL_SOFTWARE_FLAG          uint32 = 0x00000002
	NCRYPT_IMPL_VIRTUAL_ISOLATION_FLAG uint32 = 0x00000020
)

// property gives a provider's property.
func (p *provider) property(name string, flags uint32) ([]byte, error) {
	if err := checkProperty(name); err != nil {
		return nil, err
	}
	if err := checkFlags(callGetProperty, flags); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch name {
	case NCRYPT_NAME_PROPERTY:
		return blob.Wide(p.name), nil
	case NCRYPT_IMPL_TYPE_PROPERTY:
		return dword(NCRYPT_IMPL_SOFTWARE_FLAG | NCRYPT_IMPL_VIRTUAL_ISOLATION_FLAG), nil
	case NCRYPT_VERSION_PROPERTY:
		return dword(uint32(token.LibraryVersion.Major)<<16 | uint32(token.LibraryVersion.Minor)), nil
	case NCRYPT_MAX_NAME_LENGTH_PROPERTY:
		return dword(plan.MaxName), nil
	case NCRYPT_SECURITY_DESCR_SUPPORT_PROPERTY:
		return dword(1), nil
	case NCRYPT_USE_CONTEXT_PROPERTY:
		return setOrMissing(name, p.context)
	case NCRYPT_WINDOW_HANDLE_PROPERTY:
		return setOrMissing(name, p.window)
	}
	return nil, notSupported(name)
}

func setOrMissing(name string, value []byte) ([]byte, error) {
	if value == nil {
		return nil, notFound(name)
	}
	return value, nil
}

func (p *provider) setProperty(name string, value []byte, flags uint32) error {
	if err := checkValue(name, value); err != nil {
		return err
	}
	if err := checkFlags(callSetProperty, flags); err != nil {
		return err
	}
	if name == NCRYPT_PIN_PROPERTY && (p.card || p.label != "") {
		return p.status(p.setPIN(value))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch name {
	case NCRYPT_USE_CONTEXT_PROPERTY:
		p.context = slices.Clone(value)
	case NCRYPT_WINDOW_HANDLE_PROPERTY:
		p.window = slices.Clone(value)
	default:
		return notSupported(name)
	}
	return nil
}
