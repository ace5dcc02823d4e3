package mech

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// kemRows are the mechanisms of the ML-KEM section, which counts the bytes of a public key.
func kemRows() []Row {
	kem := types(ck.CKK_ML_KEM)
	rows := []Row{
		{Type: ck.CKM_ML_KEM_KEY_PAIR_GEN, Primitive: GenerateMLKEM, Flags: ck.CKF_GENERATE_KEY_PAIR},
		{Type: ck.CKM_ML_KEM, Primitive: MLKEM, Flags: encapsulates},
	}
	for i := range rows {
		rows[i].KeyTypes, rows[i].Min, rows[i].Max = kem, uint(pubkey.MLKEM768.Public), uint(pubkey.MLKEM1024.Public)
	}
	return rows
}
