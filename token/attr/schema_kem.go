package attr

import "github.com/ncrypt11/ncrypt11/token/ck"

// kemSchemas: the ML-KEM key objects. A private key is its seed; what else CKA_VALUE would say follows from it.
var kemSchemas = []schema{
	{
		class:   ck.CKO_PUBLIC_KEY,
		subtype: uint(ck.CKK_ML_KEM),
		able:    []ck.AttributeType{ck.CKA_ENCAPSULATE},
		rules: join(publicKeyRules, []rule{
			{ck.CKA_PARAMETER_SET, KindULong, requiredOnCreate | requiredOnGenerate, nil},
			{ck.CKA_VALUE, KindBytes, requiredOnCreate | notOnGenerate, nil},
		}),
	},
	{
		class:   ck.CKO_PRIVATE_KEY,
		subtype: uint(ck.CKK_ML_KEM),
		able:    []ck.AttributeType{ck.CKA_DECAPSULATE},
		rules: join(privateKeyRules, []rule{
			{ck.CKA_PARAMETER_SET, KindULong, requiredOnCreate | notOnGenerate | notOnUnwrap, nil},
			{ck.CKA_SEED, KindBytes, secretNumber, nil},
			{ck.CKA_VALUE, KindBytes, secretNumber, nil},
		}),
	},
}
