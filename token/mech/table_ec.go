package mech

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// The kinds of curve, as CK_MECHANISM_INFO says them: prime fields, curves by OID, points uncompressed.
const (
	weierstrass = ck.CKF_EC_F_P | ck.CKF_EC_NAMEDCURVE | ck.CKF_EC_UNCOMPRESS
	// edwards is for Edwards and Montgomery curves, which are also named by curveName, and whose points have one form only.
	edwards = ck.CKF_EC_F_P | ck.CKF_EC_NAMEDCURVE | ck.CKF_EC_CURVENAME
)

// ecRows are the mechanisms of the elliptic curve section. Those with a hash of their own are among hashRows.
func ecRows() []Row {
	var (
		ec   = types(ck.CKK_EC)
		ed   = types(ck.CKK_EC_EDWARDS)
		mont = types(ck.CKK_EC_MONTGOMERY)
		both = types(ck.CKK_EC, ck.CKK_EC_MONTGOMERY)
	)
	rows := []Row{
		{Type: ck.CKM_EC_KEY_PAIR_GEN, Primitive: GenerateEC, KeyTypes: ec, Flags: ck.CKF_GENERATE_KEY_PAIR | weierstrass},
		{Type: ck.CKM_ECDSA, Primitive: ECDSA, KeyTypes: ec, Flags: signs | weierstrass},
		{Type: ck.CKM_ECDH1_DERIVE, Primitive: ECDH, Params: ECDH1Params, KeyTypes: both, Flags: ck.CKF_DERIVE | weierstrass},
		// The cofactor of the curves of this token is 1: the two derivations are one.
		{Type: ck.CKM_ECDH1_COFACTOR_DERIVE, Primitive: ECDH, Params: ECDH1Params, KeyTypes: ec, Flags: ck.CKF_DERIVE | weierstrass},
		{Type: ck.CKM_ECDH_AES_KEY_WRAP, Primitive: ECDHAESKeyWrap, Params: ECDHAESParams, KeyTypes: both, Flags: wraps | weierstrass},
		{Type: ck.CKM_EC_EDWARDS_KEY_PAIR_GEN, Primitive: GenerateEdwards, KeyTypes: ed, Flags: ck.CKF_GENERATE_KEY_PAIR | edwards},
		{Type: ck.CKM_EDDSA, Primitive: EdDSA, Params: EdDSAParams, KeyTypes: ed, Flags: signs | edwards, MultiPart: true},
		{Type: ck.CKM_EC_MONTGOMERY_KEY_PAIR_GEN, Primitive: GenerateMontgomery, KeyTypes: mont, Flags: ck.CKF_GENERATE_KEY_PAIR | edwards},
	}
	for i := range rows {
		rows[i].Min, rows[i].Max = fieldBits(rows[i].KeyTypes)
	}
	return rows
}

// fieldBits are the sizes of the smallest and the largest field among the curves of these key types.
func fieldBits(keyTypes []ck.KeyType) (smallest, largest uint) {
	all := Row{KeyTypes: keyTypes}
	for _, curve := range pubkey.Curves() {
		if bits := uint(curve.Bits); all.Takes(curve.KeyType) {
			if smallest == 0 || bits < smallest {
				smallest = bits
			}
			largest = max(largest, bits)
		}
	}
	return smallest, largest
}
