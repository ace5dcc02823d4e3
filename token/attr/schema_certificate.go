package attr

import "github.com/ncrypt11/ncrypt11/token/ck"

// certificateSchemas: X.509 public key certificates (PKCS #11 v3.2, section 4.6). What the certificate says itself is taken from
// CKA_VALUE where the template does not give it (certificate.go), so that CKA_SUBJECT is required only with CKA_URL.
var certificateSchemas = []schema{{
	class:   ck.CKO_CERTIFICATE,
	subtype: uint(ck.CKC_X_509),
	rules: join(storageRules, []rule{
		{ck.CKA_VALUE, KindBytes, 0, empty},
		{ck.CKA_CERTIFICATE_TYPE, KindULong, requiredOnCreate, nil},
		{ck.CKA_ISSUER, KindBytes, modifiable, empty},
		{ck.CKA_SERIAL_NUMBER, KindBytes, modifiable, empty},
		{ck.CKA_TRUSTED, KindBool, onlySO, no},
		{ck.CKA_CERTIFICATE_CATEGORY, KindULong, 0, zero},
		{ck.CKA_JAVA_MIDP_SECURITY_DOMAIN, KindULong, 0, zero},
		{ck.CKA_URL, KindString, 0, empty},
		{ck.CKA_HASH_OF_SUBJECT_PUBLIC_KEY, KindBytes, 0, empty},
		{ck.CKA_HASH_OF_ISSUER_PUBLIC_KEY, KindBytes, 0, empty},
		{ck.CKA_NAME_HASH_ALGORITHM, KindULong, 0, sha1Mechanism},
		{ck.CKA_CHECK_VALUE, KindBytes, 0, nil},
		{ck.CKA_SUBJECT, KindBytes, 0, empty},
		{ck.CKA_ID, KindBytes, modifiable, empty},
		{ck.CKA_START_DATE, KindDate, 0, empty},
		{ck.CKA_END_DATE, KindDate, 0, empty},
		{ck.CKA_PUBLIC_KEY_INFO, KindBytes, 0, empty},
	}),
}}
