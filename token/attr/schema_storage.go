package attr

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// storageRules are the attributes of every object that is stored (PKCS #11 v3.2, sections 4.2 and 4.4). CKA_UNIQUE_ID is the token's to add.
var storageRules = []rule{
	{ck.CKA_CLASS, KindULong, requiredOnCreate, nil},
	{ck.CKA_UNIQUE_ID, KindString, readOnly, nil},
	{ck.CKA_TOKEN, KindBool, changeOnCopy, no},
	{ck.CKA_PRIVATE, KindBool, tokenDefault | changeOnCopy, no},
	{ck.CKA_LABEL, KindString, modifiable, empty},
	{ck.CKA_MODIFIABLE, KindBool, changeOnCopy, yes},
	{ck.CKA_COPYABLE, KindBool, oneWayFalse, yes},
	{ck.CKA_DESTROYABLE, KindBool, changeOnCopy, yes},
}

// join puts tables together. A row of a later table takes the place of an earlier one for the same attribute.
func join(tables ...[]rule) []rule {
	var out []rule
	for _, table := range tables {
		for _, r := range table {
			i := slices.IndexFunc(out, func(earlier rule) bool { return earlier.typ == r.typ })
			if i < 0 {
				out = append(out, r)
				continue
			}
			out[i] = r
		}
	}
	return out
}
