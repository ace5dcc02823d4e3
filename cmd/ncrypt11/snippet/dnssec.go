package snippet

import (
	"fmt"
	"strings"
)

// DNSSEC names the algorithm that the key signs zones by, and is empty where there is no key. It fails for a key that cannot sign them.
func (k Key) DNSSEC() (string, error) {
	if strings.HasPrefix(k.Kind, "RSA-") {
		return "RSASHA256", nil
	}
	name := map[string]string{"P-256": "ECDSAP256SHA256", "P-384": "ECDSAP384SHA384", "Ed25519": "ED25519"}[k.Kind]
	if name == "" && k.Kind != "" {
		return "", fmt.Errorf("zones are not signed with %s keys, but with RSA, P-256, P-384 and Ed25519", k.Kind)
	}
	return name, nil
}
