package minidriver

import (
	"encoding/binary"
	"slices"
	"unicode/utf16"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// text is a text as cardmod.h has it: UTF-16LE with a NUL.
func text(s string) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s + "\x00")) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

// texts is a multi-string: texts, and at last an empty one.
func texts(all ...string) []byte {
	var b []byte
	for _, s := range all {
		b = append(b, text(s)...)
	}
	return append(b, 0, 0)
}

func dword(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

// deliver copies a property's value to where the caller wants it, and gives its length, also with ERROR_INSUFFICIENT_BUFFER.
func deliver(out, value []byte) (int, error) {
	if len(out) < len(value) {
		return len(value), nte.Errorf(nte.ERROR_INSUFFICIENT_BUFFER, "%d bytes are needed, not %d", len(value), len(out))
	}
	return copy(out, value), nil
}

// cardProperties are the properties of a card, by the flags that they are asked for with.
var cardProperties = []struct {
	name  string
	flags uint32
	value []byte
}{
	{CP_KEY_IMPORT_SUPPORT, 0, dword(CARD_KEY_IMPORT_PLAIN_TEXT | CARD_KEY_IMPORT_RSA_KEYEST | CARD_KEY_IMPORT_SHARED_SYMMETRIC)},
	{CP_ENUM_ALGORITHMS, CARD_CIPHER_OPERATION, texts(CARD_AES_ALGORITHM)},
	{CP_ENUM_ALGORITHMS, CARD_ASYMMETRIC_OPERATION, texts("RSA")},
	{CP_PADDING_SCHEMES, 0, dword(CARD_PADDING_PKCS1 | CARD_PADDING_OAEP)},
	{CP_CHAINING_MODES, 0, texts(CARD_CHAIN_MODE_CBC)},
}

// GetProperty is CardGetProperty, of the properties that secure key injection needs: Key Import Support and Padding Schemes are DWORDs, Algorithms (with
// CARD_CIPHER_OPERATION or CARD_ASYMMETRIC_OPERATION) and Chaining Modes multi-strings. Key Import Support is 0 for a smart card that takes no keys in.
// Errors: SCARD_E_INVALID_PARAMETER for a name or flags that there are not, ERROR_INSUFFICIENT_BUFFER.
func (c *Context) GetProperty(name string, out []byte, flags uint32) (int, error) {
	if err := c.enter("CardGetProperty"); err != nil {
		return 0, err
	}
	defer c.mu.Unlock()
	for _, p := range cardProperties {
		if p.name != name || p.flags != flags {
			continue
		}
		if name == CP_KEY_IMPORT_SUPPORT {
			return c.importSupport(out, p.value)
		}
		return deliver(out, p.value)
	}
	return 0, invalid("there is no property %q of a card with flags %#x", name, flags)
}

// importSupport is all, or nothing for a smart card that takes in no private keys.
func (c *Context) importSupport(out, all []byte) (int, error) {
	d, err := c.engine.Describe(c.session.Info().SlotID)
	switch {
	case err != nil:
		return 0, err
	case len(d.Imports) == 0:
		return deliver(out, dword(0))
	}
	return deliver(out, all)
}

// SetProperty is CardSetProperty. The properties of secure key injection are what the card can, and cannot be set: SCARD_E_UNSUPPORTED_FEATURE.
func (c *Context) SetProperty(name string, _ []byte, _ uint32) error {
	if err := c.enter("CardSetProperty"); err != nil {
		return err
	}
	defer c.mu.Unlock()
	for _, p := range cardProperties {
		if p.name == name {
			return unsupported("%q is read only", name)
		}
	}
	return invalid("there is no property %q of a card", name)
}

// algorithms are those of session keys. The engine has no 3DES: NIST withdrew it for encryption at the end of 2023 (SP 800-131A).
var algorithms = []string{CARD_AES_ALGORITHM}

// checkAlgorithm refuses names of none, and those of what is not here.
func checkAlgorithm(name string) error {
	switch {
	case slices.Contains(algorithms, name):
		return nil
	case name == CARD_3DES_ALGORITHM || name == CARD_3DES_112_ALGORITHM:
		return unsupported("session keys are AES keys, not %s", name)
	}
	return invalid("there is no algorithm %q", name)
}

// GetAlgorithmProperty is CardGetAlgorithmProperty: what there is for session keys of an algorithm.
func (c *Context) GetAlgorithmProperty(algorithm, name string, out []byte, flags uint32) (int, error) {
	if err := c.enterPlain("CardGetAlgorithmProperty", flags); err != nil {
		return 0, err
	}
	defer c.mu.Unlock()
	if err := checkAlgorithm(algorithm); err != nil {
		return 0, err
	}
	switch name {
	case CP_CHAINING_MODES:
		return deliver(out, texts(CARD_CHAIN_MODE_CBC))
	case CP_PADDING_SCHEMES:
		return deliver(out, dword(CARD_BLOCK_PADDING))
	case CP_KEY_BLOCK_LENGTH:
		return deliver(out, dword(blockLen))
	}
	return 0, invalid("there is no property %q of an algorithm", name)
}
