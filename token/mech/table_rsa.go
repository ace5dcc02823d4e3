package mech

import "github.com/ncrypt11/ncrypt11/token/ck"

// Sizes of RSA moduli, in bits. 1024 is no strength to make new keys of, but old keys must go on verifying and decrypting.
const (
	MinRSABits = 1024
	MaxRSABits = 8192
)

// rsaRows are the mechanisms of the RSA section. Those with a hash of their own are among hashRows.
func rsaRows() []Row {
	rsa := Row{KeyTypes: types(ck.CKK_RSA), Min: MinRSABits, Max: MaxRSABits}
	row := func(typ ck.MechanismType, p Primitive, params ParamKind, flags ck.Flags) Row {
		r := rsa
		r.Type, r.Primitive, r.Params, r.Flags = typ, p, params, flags
		return r
	}
	return []Row{
		row(ck.CKM_RSA_PKCS_KEY_PAIR_GEN, GenerateRSA, NoParams, ck.CKF_GENERATE_KEY_PAIR),
		row(ck.CKM_RSA_PKCS, RSAPKCS1, NoParams, crypts|signs|recovers|wraps),
		row(ck.CKM_RSA_X_509, RSARaw, NoParams, crypts|signs|recovers|wraps),
		row(ck.CKM_RSA_PKCS_OAEP, RSAOAEP, OAEPParams, crypts|wraps),
		row(ck.CKM_RSA_AES_KEY_WRAP, RSAAESKeyWrap, RSAAESParams, wraps),
		row(ck.CKM_RSA_PKCS_PSS, RSAPSS, PSSParams, signs),
		row(ck.CKM_NCRYPT_SKI_SESSION, SKISession, SKIParams, ck.CKF_UNWRAP),
	}
}
