package p11uri

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// The characters that may stand for themselves in a value, beyond letters, digits and "-._~" (RFC 7512, section 2.3: pk11-res-avail and
// what path and query add).
const (
	reserved   = ":[]@!$'()*+,="
	pathExtra  = reserved + "&"
	queryExtra = reserved + "/?|"
)

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// isUnreserved: RFC 3986, section 2.3.
func isUnreserved(c byte) bool {
	return isAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~'
}

func isDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// encode writes value. Everything but unreserved characters is encoded, more than the RFC demands, so that shells and configuration files
// leave it alone. The bytes of an id are all encoded, as section 2.3 recommends.
func encode(b *strings.Builder, value string, all bool) {
	for _, c := range []byte(value) {
		if !all && isUnreserved(c) {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(b, "%%%02X", c)
	}
}

var errPercent = errors.New("% is not followed by two hexadecimal digits")

// decode reads a value. extra are the reserved characters that it may have in it.
func decode(value, extra string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '%':
			if len(value)-i < 3 {
				return "", errPercent
			}
			octet, err := hex.DecodeString(value[i+1 : i+3])
			if err != nil {
				return "", errPercent
			}
			b.WriteByte(octet[0])
			i += 2
		case isUnreserved(c) || strings.IndexByte(extra, c) >= 0:
			b.WriteByte(c)
		default:
			return "", fmt.Errorf("the character %q must be written as %%%02X", c, c)
		}
	}
	return b.String(), nil
}
