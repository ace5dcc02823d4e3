package mech

import "github.com/ncrypt11/ncrypt11/token/ck"

// opFacts is what one Op is in PKCS #11.
type opFacts struct {
	flag      ck.Flags         // of CK_MECHANISM_INFO
	attribute ck.AttributeType // that the key must have true; 0: none
	classes   [2]ck.ObjectClass
}

const noClass = ck.ObjectClass(ck.CK_UNAVAILABLE_INFORMATION)

var (
	public  = [2]ck.ObjectClass{ck.CKO_PUBLIC_KEY, ck.CKO_SECRET_KEY}
	private = [2]ck.ObjectClass{ck.CKO_PRIVATE_KEY, ck.CKO_SECRET_KEY}
	// Encapsulation has one half of a pair on each side.
	publicOnly  = [2]ck.ObjectClass{ck.CKO_PUBLIC_KEY, noClass}
	privateOnly = [2]ck.ObjectClass{ck.CKO_PRIVATE_KEY, noClass}
	none        = [2]ck.ObjectClass{noClass, noClass}
)

var ops = [OpDecapsulate + 1]opFacts{
	0:                 {0, 0, none},
	OpEncrypt:         {ck.CKF_ENCRYPT, ck.CKA_ENCRYPT, public},
	OpDecrypt:         {ck.CKF_DECRYPT, ck.CKA_DECRYPT, private},
	OpDigest:          {ck.CKF_DIGEST, 0, none},
	OpSign:            {ck.CKF_SIGN, ck.CKA_SIGN, private},
	OpSignRecover:     {ck.CKF_SIGN_RECOVER, ck.CKA_SIGN_RECOVER, private},
	OpVerify:          {ck.CKF_VERIFY, ck.CKA_VERIFY, public},
	OpVerifyRecover:   {ck.CKF_VERIFY_RECOVER, ck.CKA_VERIFY_RECOVER, public},
	OpGenerate:        {ck.CKF_GENERATE, 0, none},
	OpGenerateKeyPair: {ck.CKF_GENERATE_KEY_PAIR, 0, none},
	OpWrap:            {ck.CKF_WRAP, ck.CKA_WRAP, public},
	OpUnwrap:          {ck.CKF_UNWRAP, ck.CKA_UNWRAP, private},
	OpDerive:          {ck.CKF_DERIVE, ck.CKA_DERIVE, private},
	OpEncapsulate:     {ck.CKF_ENCAPSULATE, ck.CKA_ENCAPSULATE, publicOnly},
	OpDecapsulate:     {ck.CKF_DECAPSULATE, ck.CKA_DECAPSULATE, privateOnly},
}

func (op Op) facts() *opFacts {
	if int(op) >= len(ops) {
		op = 0
	}
	return &ops[op]
}

// Flag is the bit of CK_MECHANISM_INFO that says that a mechanism serves op; 0 for an unknown op, which no mechanism serves.
func (op Op) Flag() ck.Flags { return op.facts().flag }

// Attribute is the attribute that a key must have true for op, 0 where op uses no key.
func (op Op) Attribute() ck.AttributeType { return op.facts().attribute }

// TakesClass reports whether op is done with keys of this class.
func (op Op) TakesClass(class ck.ObjectClass) bool {
	c := op.facts().classes
	return class != noClass && (class == c[0] || class == c[1])
}

// Serves reports whether the mechanism may be used for op.
func (r *Row) Serves(op Op) bool { return r.Flags&op.Flag() != 0 }

// Takes reports whether the mechanism is used with keys of this type.
func (r *Row) Takes(keyType ck.KeyType) bool {
	for _, t := range r.KeyTypes {
		if t == keyType {
			return true
		}
	}
	return false
}
