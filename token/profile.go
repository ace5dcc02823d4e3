package token

import (
	"fmt"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// profiles are the OASIS profiles that every token here conforms to (CKA_PROFILE_ID). CKP_PUBLIC_CERTIFICATES_TOKEN is among them: certificates and public keys
// are readable without a login unless their maker said otherwise.
var profiles = []uint{ck.CKP_BASELINE_PROVIDER, ck.CKP_EXTENDED_PROVIDER, ck.CKP_AUTHENTICATION_TOKEN, ck.CKP_PUBLIC_CERTIFICATES_TOKEN}

// builtInObjects are the CKO_PROFILE objects of every token (section 4.4): public, and part of the module.
func builtInObjects() []*attr.Set {
	sets := make([]*attr.Set, len(profiles))
	for i, id := range profiles {
		sets[i] = attr.Profile(id)
		sets[i].Put(ck.CKA_UNIQUE_ID, fmt.Appendf(nil, "profile-%d", id))
	}
	return sets
}
