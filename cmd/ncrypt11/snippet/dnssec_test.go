package snippet

import "testing"

func TestDNSSEC(t *testing.T) {
	for kind, want := range map[string]string{"RSA-2048": "RSASHA256", "P-256": "ECDSAP256SHA256", "P-384": "ECDSAP384SHA384", "Ed25519": "ED25519", "P-521": ""} {
		if name := (Key{Kind: kind}).DNSSEC(); name != want {
			t.Errorf("%s: %q", kind, name)
		}
	}
}
