package attr

import "github.com/ncrypt11/ncrypt11/token/ck"

// secretNumber is for the parts of an RSA private key that the guard can compute from the others.
const secretNumber = notOnGenerate | notOnUnwrap | sensitive

// rsaSchemas: the RSA key objects. CKA_PUBLIC_EXPONENT of a private key became required with version 3.0; the guard finds it
// itself, and clients of version 2.40 do not send it.
var rsaSchemas = []schema{
	{
		class:   ck.CKO_PUBLIC_KEY,
		subtype: uint(ck.CKK_RSA),
		able:    []ck.AttributeType{ck.CKA_ENCRYPT, ck.CKA_VERIFY, ck.CKA_VERIFY_RECOVER, ck.CKA_WRAP},
		rules: join(publicKeyRules, []rule{
			{ck.CKA_MODULUS, KindBigInt, requiredOnCreate | notOnGenerate, nil},
			{ck.CKA_MODULUS_BITS, KindULong, notOnCreate | requiredOnGenerate, nil},
			{ck.CKA_PUBLIC_EXPONENT, KindBigInt, requiredOnCreate, f4},
		}),
	},
	{
		class:   ck.CKO_PRIVATE_KEY,
		subtype: uint(ck.CKK_RSA),
		able:    []ck.AttributeType{ck.CKA_DECRYPT, ck.CKA_SIGN, ck.CKA_SIGN_RECOVER, ck.CKA_UNWRAP},
		rules: join(privateKeyRules, []rule{
			{ck.CKA_MODULUS, KindBigInt, requiredOnCreate | notOnGenerate | notOnUnwrap, nil},
			{ck.CKA_PUBLIC_EXPONENT, KindBigInt, notOnGenerate | notOnUnwrap, nil},
			{ck.CKA_PRIVATE_EXPONENT, KindBigInt, secretNumber, nil}, // the specification requires it; the primes will do, as in blobs of CNG
			{ck.CKA_PRIME_1, KindBigInt, secretNumber, nil},
			{ck.CKA_PRIME_2, KindBigInt, secretNumber, nil},
			{ck.CKA_EXPONENT_1, KindBigInt, secretNumber, nil},
			{ck.CKA_EXPONENT_2, KindBigInt, secretNumber, nil},
			{ck.CKA_COEFFICIENT, KindBigInt, secretNumber, nil},
		}),
	},
}
