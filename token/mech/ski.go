package mech

import "github.com/ncrypt11/ncrypt11/token/ck"

// readSKISession reads how a session key of secure key injection is encrypted: by OAEP, which the scheme then has the hashes of, or by v1.5.
func readSKISession(s *Scheme, params any) string {
	p, ok := params.(ck.SKISessionParams)
	switch {
	case !ok:
		return wrongKind
	case p.Padding == ck.CKM_RSA_PKCS:
		return ""
	case p.Padding == ck.CKM_RSA_PKCS_OAEP:
		return readOAEP(s, p.OAEP)
	}
	return "the padding must be CKM_RSA_PKCS or CKM_RSA_PKCS_OAEP"
}
