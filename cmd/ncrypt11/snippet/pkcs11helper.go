package snippet

import (
	"fmt"
	"strings"
)

// What the module says of itself in each CK_TOKEN_INFO (package token has it, too; the test of OpenVPN fails where they differ).
const (
	manufacturer = "ncrypt11"
	model        = "ncrypt11"
)

// PKCS11HelperID is the name of the key's certificate as the library pkcs11-helper has it: all that the token says of itself, and CKA_ID.
func (d *Data) PKCS11HelperID() string {
	parts := []string{manufacturer, model, d.Token.Serial, d.Token.Label}
	for i := range parts {
		parts[i] = pkcs11HelperEscape(parts[i])
	}
	return strings.Join(append(parts, strings.ToUpper(d.Key.ID)), "/")
}

// pkcs11HelperEscape writes as \xNN what is not a visible character of ASCII, or has a meaning somewhere.
func pkcs11HelperEscape(text string) string {
	var escaped strings.Builder
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' || strings.IndexByte("\\/\"'%&#@!?$*<>{}[]()`|:;,.+-", c) >= 0 {
			fmt.Fprintf(&escaped, "\\x%02x", c)
		} else {
			escaped.WriteByte(c)
		}
	}
	return escaped.String()
}
