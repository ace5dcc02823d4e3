package inject

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

// Suite names how the key is agreed on that a package is sealed with.
type Suite string

// The suites.
const (
	Hybrid Suite = "mlkem768-x25519-aes256gcm" // the default: secret as long as one of ML-KEM and X25519 holds
	RSA    Suite = "rsa-oaep-3072-aes256gcm"
)

// Role is what one of a target's keys is for.
type Role struct {
	Name      string // "ml-kem-768"
	KeyType   ck.KeyType
	Usage     guard.Usage      // the only one that it may have
	Mechanism ck.MechanismType // the only one that it may be used by
	Bits      int              // RSA
}

var roles = map[Suite][]Role{
	Hybrid: {
		{Name: "ml-kem-768", KeyType: ck.CKK_ML_KEM, Usage: guard.UseDecapsulate, Mechanism: ck.CKM_ML_KEM},
		{Name: "x25519", KeyType: ck.CKK_EC_MONTGOMERY, Usage: guard.UseDerive, Mechanism: ck.CKM_ECDH1_DERIVE},
	},
	RSA: {
		{Name: "rsa-oaep-3072", KeyType: ck.CKK_RSA, Usage: guard.UseUnwrap, Mechanism: ck.CKM_RSA_PKCS_OAEP, Bits: 3072},
	},
}

// Suites are the names of all, the default first.
func Suites() []Suite { return []Suite{Hybrid, RSA} }

// Roles are the keys that a target of the suite has, in the order in which its statement has them; nil: there is no such suite.
func (s Suite) Roles() []Role { return roles[s] }
