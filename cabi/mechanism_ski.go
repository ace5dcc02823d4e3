package cabi

/*
#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop
*/
import "C"

import "github.com/ncrypt11/ncrypt11/token/ck"

func skiSessionParams(p C.CK_VOID_PTR, n uint) (any, error) {
	o, err := as[C.CK_NCRYPT_SKI_SESSION_PARAMS](p, n)
	if err != nil {
		return nil, err
	}
	out := ck.SKISessionParams{Padding: ck.MechanismType(o.padding)}
	switch {
	case out.Padding != ck.CKM_RSA_PKCS_OAEP:
		return out, nil
	case o.pOAEPParams == nil:
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "no parameters of OAEP")
	}
	out.OAEP, err = copyOAEP(o.pOAEPParams)
	return out, err
}
