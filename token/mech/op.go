package mech

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// opRow is what an operation asks of a key, and which flag of CK_MECHANISM_INFO says that a mechanism serves it.
type opRow struct {
	flag      ck.Flags
	attribute ck.AttributeType
	classes   []ck.ObjectClass
}

var opRows = [...]opRow{
	OpEncrypt:         {ck.CKF_ENCRYPT, ck.CKA_ENCRYPT, []ck.ObjectClass{ck.CKO_PUBLIC_KEY, ck.CKO_SECRET_KEY}},
	OpDecrypt:         {ck.CKF_DECRYPT, ck.CKA_DECRYPT, []ck.ObjectClass{ck.CKO_PRIVATE_KEY, ck.CKO_SECRET_KEY}},
	OpDigest:          {ck.CKF_DIGEST, 0, nil},
	OpSign:            {ck.CKF_SIGN, ck.CKA_SIGN, []ck.ObjectClass{ck.CKO_PRIVATE_KEY, ck.CKO_SECRET_KEY}},
	OpSignRecover:     {ck.CKF_SIGN_RECOVER, ck.CKA_SIGN_RECOVER, []ck.ObjectClass{ck.CKO_PRIVATE_KEY}},
	OpVerify:          {ck.CKF_VERIFY, ck.CKA_VERIFY, []ck.ObjectClass{ck.CKO_PUBLIC_KEY, ck.CKO_SECRET_KEY}},
	OpVerifyRecover:   {ck.CKF_VERIFY_RECOVER, ck.CKA_VERIFY_RECOVER, []ck.ObjectClass{ck.CKO_PUBLIC_KEY}},
	OpGenerate:        {ck.CKF_GENERATE, 0, nil},
	OpGenerateKeyPair: {ck.CKF_GENERATE_KEY_PAIR, 0, nil},
	OpWrap:            {ck.CKF_WRAP, ck.CKA_WRAP, []ck.ObjectClass{ck.CKO_PUBLIC_KEY, ck.CKO_SECRET_KEY}},
	OpUnwrap:          {ck.CKF_UNWRAP, ck.CKA_UNWRAP, []ck.ObjectClass{ck.CKO_PRIVATE_KEY, ck.CKO_SECRET_KEY}},
	OpDerive:          {ck.CKF_DERIVE, ck.CKA_DERIVE, []ck.ObjectClass{ck.CKO_PRIVATE_KEY, ck.CKO_SECRET_KEY}},
}

// Flag is the flag of CK_MECHANISM_INFO that says that a mechanism serves op.
func (op Op) Flag() ck.Flags { return opRows[op].flag }

// Attribute is the key attribute that permits op; 0 where op takes no key.
func (op Op) Attribute() ck.AttributeType { return opRows[op].attribute }

// TakesClass says whether op may be done with a key of this class.
func (op Op) TakesClass(class ck.ObjectClass) bool { return slices.Contains(opRows[op].classes, class) }

// Takes says whether a key of this type may be used with the mechanism.
func (r *Row) Takes(keyType ck.KeyType) bool { return slices.Contains(r.KeyTypes, keyType) }

// IsMAC says whether the primitive makes message authentication codes with a secret key.
func (p Primitive) IsMAC() bool { return p == HMAC || p == AESCMAC }
