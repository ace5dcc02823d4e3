package inject

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

// Use is one of a key's uses: the attribute that permits it, and that of the public half, which does the opposite (0: there is none).
type Use struct {
	Usage        guard.Usage
	Own, Another ck.AttributeType
}

var usesOf = map[ck.ObjectClass][]Use{
	ck.CKO_PRIVATE_KEY: {
		{guard.UseSign, ck.CKA_SIGN, ck.CKA_VERIFY},
		{guard.UseSignRecover, ck.CKA_SIGN_RECOVER, ck.CKA_VERIFY_RECOVER},
		{guard.UseDecrypt, ck.CKA_DECRYPT, ck.CKA_ENCRYPT},
		{guard.UseUnwrap, ck.CKA_UNWRAP, ck.CKA_WRAP},
		{guard.UseDecapsulate, ck.CKA_DECAPSULATE, ck.CKA_ENCAPSULATE},
		{guard.UseDerive, ck.CKA_DERIVE, 0},
	},
	ck.CKO_SECRET_KEY: {
		{guard.UseEncrypt, ck.CKA_ENCRYPT, 0},
		{guard.UseDecrypt, ck.CKA_DECRYPT, 0},
		{guard.UseSign, ck.CKA_SIGN, 0},
		{guard.UseVerify, ck.CKA_VERIFY, 0},
		{guard.UseWrap, ck.CKA_WRAP, 0},
		{guard.UseUnwrap, ck.CKA_UNWRAP, 0},
		{guard.UseDerive, ck.CKA_DERIVE, 0},
	},
}

// Uses are those that keys of a class may have.
func Uses(class ck.ObjectClass) []Use { return usesOf[class] }

// possible says whether keys of the class may have all of these uses.
func possible(class ck.ObjectClass, u guard.Usage) bool {
	for _, use := range usesOf[class] {
		u &^= use.Usage
	}
	return u == 0
}
