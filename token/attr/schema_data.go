package attr

import "github.com/ncrypt11/ncrypt11/token/ck"

// dataSchemas: data objects (PKCS #11 v3.2, section 4.5).
var dataSchemas = []schema{{
	class: ck.CKO_DATA,
	rules: join(storageRules, []rule{
		{ck.CKA_APPLICATION, KindString, modifiable, empty},
		{ck.CKA_VALUE, KindBytes, modifiable | secretIfPrivate, empty},
		{ck.CKA_OBJECT_ID, KindBytes, modifiable, empty},
	}),
}}
