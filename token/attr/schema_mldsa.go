package attr

import "github.com/ncrypt11/ncrypt11/token/ck"

// mldsaSchemas: the ML-DSA key objects. As with ML-KEM, a private key is its seed.
var mldsaSchemas = []schema{
	{
		class:   ck.CKO_PUBLIC_KEY,
		subtype: uint(ck.CKK_ML_DSA),
		able:    []ck.AttributeType{ck.CKA_VERIFY},
		rules: join(publicKeyRules, []rule{
			{ck.CKA_PARAMETER_SET, KindULong, requiredOnCreate | requiredOnGenerate, nil},
			{ck.CKA_VALUE, KindBytes, requiredOnCreate | notOnGenerate, nil},
		}),
	},
	{
		class:   ck.CKO_PRIVATE_KEY,
		subtype: uint(ck.CKK_ML_DSA),
		able:    []ck.AttributeType{ck.CKA_SIGN},
		rules: join(privateKeyRules, []rule{
			{ck.CKA_PARAMETER_SET, KindULong, requiredOnCreate | notOnGenerate | notOnUnwrap, nil},
			{ck.CKA_SEED, KindBytes, secretNumber, nil},
			{ck.CKA_VALUE, KindBytes, secretNumber, nil},
		}),
	},
}
