package mech

import "github.com/ncrypt11/ncrypt11/token/ck"

// aesRows are the mechanisms of the AES section. Key sizes are in bytes.
func aesRows() []Row {
	aes := types(ck.CKK_AES)
	rows := []Row{
		{Type: ck.CKM_AES_KEY_GEN, Primitive: GenerateAES, Flags: ck.CKF_GENERATE},
		// ECB neither wraps nor unwraps: equal blocks of a key would show.
		{Type: ck.CKM_AES_ECB, Primitive: AESECB, Flags: crypts, MultiPart: true},
		{Type: ck.CKM_AES_CBC, Primitive: AESCBC, Params: IVParams, Flags: crypts | wraps, MultiPart: true},
		{Type: ck.CKM_AES_CBC_PAD, Primitive: AESCBCPad, Params: IVParams, Flags: crypts | wraps, MultiPart: true},
		{Type: ck.CKM_AES_CTR, Primitive: AESCTR, Params: CTRParams, Flags: crypts, MultiPart: true},
		{Type: ck.CKM_AES_GCM, Primitive: AESGCM, Params: GCMParams, Flags: crypts | wraps, MultiPart: true},
		{Type: ck.CKM_AES_CMAC, Primitive: AESCMAC, Flags: signs, MultiPart: true},
		{Type: ck.CKM_AES_CMAC_GENERAL, Primitive: AESCMAC, Params: ULongParams, Flags: signs, MultiPart: true},
		{Type: ck.CKM_AES_KEY_WRAP, Primitive: AESKeyWrap, Params: WrapIVParams, Flags: crypts | wraps},
		// Which padding KEY_WRAP_PAD means was never said well. It is taken as RFC 5649, which v3.0 names KWP.
		{Type: ck.CKM_AES_KEY_WRAP_PAD, Primitive: AESKeyWrapPad, Params: WrapIVParams, Flags: crypts | wraps},
		{Type: ck.CKM_AES_KEY_WRAP_KWP, Primitive: AESKeyWrapPad, Params: WrapIVParams, Flags: crypts | wraps},
		{Type: ck.CKM_NCRYPT_SKI_IMPORT_KEYPAIR, Primitive: SKIImportKeyPair, Params: IVParams, Flags: ck.CKF_UNWRAP},
	}
	for i := range rows {
		rows[i].KeyTypes, rows[i].Min, rows[i].Max = aes, 16, 32
	}
	return rows
}
