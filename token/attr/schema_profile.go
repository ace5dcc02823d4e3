package attr

import "github.com/ncrypt11/ncrypt11/token/ck"

// profileSchemas: profile objects, which the token has and nobody makes. NSS searches for them with
// CKA_TOKEN TRUE, so they have the storage attributes.
var profileSchemas = []schema{{
	class: ck.CKO_PROFILE,
	rules: join(storageRules, []rule{
		{ck.CKA_CLASS, KindULong, readOnly, nil},
		{ck.CKA_TOKEN, KindBool, readOnly, yes},
		{ck.CKA_PRIVATE, KindBool, readOnly, no},
		{ck.CKA_LABEL, KindString, readOnly, empty},
		{ck.CKA_MODIFIABLE, KindBool, readOnly, no},
		{ck.CKA_COPYABLE, KindBool, readOnly, no},
		{ck.CKA_DESTROYABLE, KindBool, readOnly, no},
		{ck.CKA_PROFILE_ID, KindULong, readOnly, nil},
	}),
}}

// Profile is the built-in object that says the token keeps to a profile (CKP_*). The token adds CKA_UNIQUE_ID.
func Profile(id uint) *Set {
	m := &making{schema: schemas[schemaKey{class: ck.CKO_PROFILE}], facts: &Facts{}, set: &Set{}}
	m.set.PutULong(ck.CKA_CLASS, uint(ck.CKO_PROFILE))
	m.set.PutULong(ck.CKA_PROFILE_ID, id)
	m.fillDefaults()
	return m.set
}
