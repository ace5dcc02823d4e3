package snippet

import "strings"

// DNSSEC names the algorithm that the key signs zones by; empty where there is none.
func (k Key) DNSSEC() string {
	if strings.HasPrefix(k.Kind, "RSA-") {
		return "RSASHA256"
	}
	return map[string]string{"P-256": "ECDSAP256SHA256", "P-384": "ECDSAP384SHA384", "Ed25519": "ED25519"}[k.Kind]
}
