package attr

import "github.com/ncrypt11/ncrypt11/token/ck"

// curvePublicRules and curvePrivateRules: the elliptic curve key objects, of all three families of curves.
var (
	curvePublicRules = join(publicKeyRules, []rule{
		{ck.CKA_EC_PARAMS, KindBytes, requiredOnCreate | requiredOnGenerate, nil},
		{ck.CKA_EC_POINT, KindBytes, requiredOnCreate | notOnGenerate, nil},
	})
	curvePrivateRules = join(privateKeyRules, []rule{
		{ck.CKA_EC_PARAMS, KindBytes, requiredOnCreate | notOnGenerate | notOnUnwrap, nil},
		{ck.CKA_VALUE, KindBytes, requiredOnCreate | notOnGenerate | notOnUnwrap | sensitive, nil},
		// Not in the specification's table, but NSS gives it and libp11 asks for it on the private key.
		{ck.CKA_EC_POINT, KindBytes, notOnGenerate | notOnUnwrap, nil},
	})
)

// ecSchemas: what a key may do by default depends on its family.
var ecSchemas = []schema{
	curve(ck.CKO_PUBLIC_KEY, ck.CKK_EC, curvePublicRules, ck.CKA_VERIFY),
	curve(ck.CKO_PRIVATE_KEY, ck.CKK_EC, curvePrivateRules, ck.CKA_SIGN, ck.CKA_DERIVE),
	curve(ck.CKO_PUBLIC_KEY, ck.CKK_EC_EDWARDS, curvePublicRules, ck.CKA_VERIFY),
	curve(ck.CKO_PRIVATE_KEY, ck.CKK_EC_EDWARDS, curvePrivateRules, ck.CKA_SIGN),
	curve(ck.CKO_PUBLIC_KEY, ck.CKK_EC_MONTGOMERY, curvePublicRules),
	curve(ck.CKO_PRIVATE_KEY, ck.CKK_EC_MONTGOMERY, curvePrivateRules, ck.CKA_DERIVE),
}

func curve(class ck.ObjectClass, keyType ck.KeyType, rules []rule, able ...ck.AttributeType) schema {
	return schema{class: class, subtype: uint(keyType), rules: rules, able: able}
}
