package token

import (
	"encoding/hex"

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
		set := &attr.Set{}
		set.PutULong(ck.CKA_CLASS, uint(ck.CKO_PROFILE))
		set.PutBool(ck.CKA_TOKEN, true)
		set.PutBool(ck.CKA_PRIVATE, false)
		set.PutBool(ck.CKA_MODIFIABLE, false)
		set.PutBool(ck.CKA_COPYABLE, false)
		set.PutBool(ck.CKA_DESTROYABLE, false)
		set.Put(ck.CKA_LABEL, nil)
		set.Put(ck.CKA_UNIQUE_ID, []byte("profile-"+hex.EncodeToString([]byte{byte(id)})))
		set.PutULong(ck.CKA_PROFILE_ID, id)
		sets[i] = set
	}
	return sets
}
