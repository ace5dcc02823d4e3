package attr

import "github.com/ncrypt11/ncrypt11/token/ck"

// keyRules are the attributes of all keys (PKCS #11 v3.2, section 4.7).
var keyRules = join(storageRules, []rule{
	{ck.CKA_KEY_TYPE, KindULong, requiredOnCreate | requiredOnUnwrap, nil},
	{ck.CKA_ID, KindBytes, modifiable, empty},
	{ck.CKA_START_DATE, KindDate, modifiable, empty},
	{ck.CKA_END_DATE, KindDate, modifiable, empty},
	{ck.CKA_DERIVE, KindBool, modifiable, ableTo},
	{ck.CKA_LOCAL, KindBool, readOnly, isLocal},
	{ck.CKA_KEY_GEN_MECHANISM, KindULong, readOnly, keyGenMechanism},
	{ck.CKA_ALLOWED_MECHANISMS, KindMechanisms, 0, empty},
	{ck.CKA_OBJECT_VALIDATION_FLAGS, KindULong, readOnly | tokenDefault, zero},
})

// publicKeyRules: PKCS #11 v3.2, section 4.8.
var publicKeyRules = join(keyRules, []rule{
	{ck.CKA_SUBJECT, KindBytes, modifiable, empty},
	{ck.CKA_ENCRYPT, KindBool, modifiable | tokenDefault, ableTo},
	{ck.CKA_VERIFY, KindBool, modifiable | tokenDefault, ableTo},
	{ck.CKA_VERIFY_RECOVER, KindBool, modifiable | tokenDefault, ableTo},
	{ck.CKA_WRAP, KindBool, modifiable | tokenDefault, ableTo},
	{ck.CKA_ENCAPSULATE, KindBool, modifiable | tokenDefault, ableTo},
	{ck.CKA_TRUSTED, KindBool, onlySO, no},
	{ck.CKA_WRAP_TEMPLATE, KindAttributes, 0, nil},
	{ck.CKA_ENCAPSULATE_TEMPLATE, KindAttributes, 0, nil},
	{ck.CKA_PUBLIC_KEY_INFO, KindBytes, notOnGenerate, nil},
})

// guardedKeyRules are those that private and secret keys share: how they are protected, and what NCrypt says of them.
var guardedKeyRules = join(keyRules, []rule{
	{ck.CKA_PRIVATE, KindBool, tokenDefault | changeOnCopy, privateKeyIsPrivate},
	{ck.CKA_DECRYPT, KindBool, modifiable | tokenDefault, ableTo},
	{ck.CKA_SIGN, KindBool, modifiable | tokenDefault, ableTo},
	{ck.CKA_UNWRAP, KindBool, modifiable | tokenDefault, ableTo},
	{ck.CKA_ALWAYS_SENSITIVE, KindBool, readOnly, alwaysSensitive},
	{ck.CKA_NEVER_EXTRACTABLE, KindBool, readOnly, neverExtractable},
	{ck.CKA_WRAP_WITH_TRUSTED, KindBool, oneWayTrue, no},
	{ck.CKA_UNWRAP_TEMPLATE, KindAttributes, untilFinal, nil},
	{ck.CKA_DERIVE_TEMPLATE, KindAttributes, 0, nil},

	{ck.CKA_NCRYPT_PROTECTION, KindULong, untilFinal, nil},
	{ck.CKA_NCRYPT_OVERWRITE, KindBool, transient | changeOnCopy, nil},
	{ck.CKA_NCRYPT_DO_NOT_FINALIZE, KindBool, transient, nil},
	{ck.CKA_NCRYPT_NO_VALIDATE, KindBool, transient, nil},
	{ck.CKA_NCRYPT_BLOB_TYPE, KindString, transient | notOnGenerate | notOnUnwrap, nil}, // in C_CreateObject the token puts what is in the blob
	{ck.CKA_NCRYPT_BLOB, KindBytes, transient | notOnGenerate | notOnUnwrap, nil},       // in their place
	{ck.CKA_NCRYPT_STATE, KindULong, readOnly, nil},
	{ck.CKA_NCRYPT_ARCHIVES_LEFT, KindULong, readOnly, nil},
	{ck.CKA_NCRYPT_EXPORT_POLICY, KindULong, modifiable, nil},
	{ck.CKA_NCRYPT_KEY_USAGE, KindULong, untilFinal, nil},
	{ck.CKA_NCRYPT_SCOPE, KindULong, readOnly, nil},
	{ck.CKA_NCRYPT_ISO_FLAGS, KindULong, readOnly, nil},
	{ck.CKA_NCRYPT_MODIFIED, KindBytes, readOnly, nil},
	{ck.CKA_NCRYPT_ISOLATED, KindBool, readOnly, no},
	{ck.CKA_NCRYPT_PER_BOOT, KindBool, untilFinal, nil},
	{ck.CKA_NCRYPT_USABLE, KindBool, readOnly, yes},
	{ck.CKA_NCRYPT_KEY_NAME, KindString, changeOnCopy, nil},
	{ck.CKA_NCRYPT_CONFINING, KindBool, 0, nil},
	{ck.CKA_NCRYPT_UNIQUE_NAME, KindString, readOnly, nil},
})

// privateKeyRules: PKCS #11 v3.2, section 4.9.
var privateKeyRules = join(guardedKeyRules, []rule{
	{ck.CKA_SUBJECT, KindBytes, modifiable, empty},
	{ck.CKA_SENSITIVE, KindBool, modifiable | tokenDefault | oneWayTrue, yes},
	{ck.CKA_SIGN_RECOVER, KindBool, modifiable | tokenDefault, ableTo},
	{ck.CKA_DECAPSULATE, KindBool, modifiable | tokenDefault, ableTo},
	{ck.CKA_EXTRACTABLE, KindBool, modifiable | tokenDefault | oneWayFalse, privateIsExtractable},
	{ck.CKA_DECAPSULATE_TEMPLATE, KindAttributes, 0, nil},
	{ck.CKA_ALWAYS_AUTHENTICATE, KindBool, 0, no},
	{ck.CKA_NCRYPT_CONTAINER, KindULong, readOnly, nil},
	{ck.CKA_NCRYPT_KEY_SPEC, KindULong, readOnly, nil},
	// The specification lets it be modified; it is checked against the key when it is made, and a key does not change.
	{ck.CKA_PUBLIC_KEY_INFO, KindBytes, notOnGenerate, nil},
})

// secretKeyRules: PKCS #11 v3.2, section 4.10.
var secretKeyRules = join(guardedKeyRules, []rule{
	{ck.CKA_SENSITIVE, KindBool, modifiable | oneWayTrue, secretIsSensitive},
	{ck.CKA_ENCRYPT, KindBool, modifiable | tokenDefault, ableTo},
	{ck.CKA_VERIFY, KindBool, modifiable | tokenDefault, ableTo},
	{ck.CKA_WRAP, KindBool, modifiable | tokenDefault, ableTo},
	{ck.CKA_EXTRACTABLE, KindBool, modifiable | tokenDefault | oneWayFalse, secretIsExtractable},
	{ck.CKA_CHECK_VALUE, KindBytes, 0, nil},
	{ck.CKA_TRUSTED, KindBool, onlySO, no},
	{ck.CKA_WRAP_TEMPLATE, KindAttributes, 0, nil},
	{ck.CKA_VALUE, KindBytes, requiredOnCreate | notOnGenerate | notOnUnwrap | sensitive, nil},
	{ck.CKA_VALUE_LEN, KindULong, notOnCreate | requiredOnGenerate, nil},
})
