package snippet

import "testing"

// publicKey is one, and opensshKey is what ssh-keygen -i -m PKCS8 makes of it.
const (
	publicKey = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzjhvJOj4Szv7FgVuuRT2EYsUvVIn
s7F16j7Zu1qB4tizre6NKEjbTTzVsFk74xx9N2qfqIcpKGM9UPW6in1VJQ==
-----END PUBLIC KEY-----
`
	opensshKey = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY" +
		"AAAAIbmlzdHAyNTYAAABBBM44byTo+Es7+xYFbrkU9hGLFL1SJ7Oxdeo+2btageLYs63ujShI20081bBZO+McfTdqn6iHKShjPVD1uop9VSU="
)

func TestOpenSSH(t *testing.T) {
	for name, test := range map[string]struct{ pem, want string }{
		"P-256": {publicKey, opensshKey + " site"},
		"Ed25519": {
			"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAR7ZfFVrI/4isprNOaYnl00CqF+LDvo47cTqUTgd5Npc=\n-----END PUBLIC KEY-----\n",
			"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEe2XxVayP+IrKazTmmJ5dNAqhfiw76OO3E6lE4HeTaX site",
		},
		"none":    {"", ""},
		"damaged": {"-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n", ""},
		"X25519": { // which does not sign
			"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAmFVEs0YF87I/dX443usp0o3TyKgP4dzvywDvRa6Pj1o=\n-----END PUBLIC KEY-----\n", "",
		},
	} {
		if got, err := (Key{Name: "site", PublicKey: test.pem}).OpenSSH(); got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
