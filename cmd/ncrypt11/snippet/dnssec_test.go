package snippet

import "testing"

func TestDNSSEC(t *testing.T) {
	for kind, want := range map[string]string{"RSA-2048": "RSASHA256", "P-256": "ECDSAP256SHA256", "P-384": "ECDSAP384SHA384", "Ed25519": "ED25519"} {
		if name, err := (Key{Kind: kind}).DNSSEC(); name != want || err != nil {
			t.Errorf("%s: %q, %v", kind, name, err)
		}
	}
	if name, err := (Key{Kind: "P-521"}).DNSSEC(); err == nil {
		t.Errorf("P-521 is %q", name)
	}
}
