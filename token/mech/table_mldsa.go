package mech

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// mldsaRows are the mechanisms of the ML-DSA section, which counts the bytes of a public key. CKM_HASH_ML_DSA and its like are not here: the library that
// verifies knows signatures of messages only, and who hashes first can sign the digest as a message.
func mldsaRows() []Row {
	dsa := types(ck.CKK_ML_DSA)
	rows := []Row{
		{Type: ck.CKM_ML_DSA_KEY_PAIR_GEN, Primitive: GenerateMLDSA, Flags: ck.CKF_GENERATE_KEY_PAIR},
		{Type: ck.CKM_ML_DSA, Primitive: MLDSA, Params: ContextParams, Flags: signs, MultiPart: true},
	}
	for i := range rows {
		rows[i].KeyTypes, rows[i].Min, rows[i].Max = dsa, uint(pubkey.MLDSA44.Public), uint(pubkey.MLDSA87.Public)
	}
	return rows
}
