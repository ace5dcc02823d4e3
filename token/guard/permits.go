package guard

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// uses says which usage each operation needs.
var uses = [...]Usage{
	mech.OpEncrypt:       UseEncrypt,
	mech.OpDecrypt:       UseDecrypt,
	mech.OpSign:          UseSign,
	mech.OpSignRecover:   UseSignRecover,
	mech.OpVerify:        UseVerify,
	mech.OpVerifyRecover: UseVerifyRecover,
	mech.OpWrap:          UseWrap,
	mech.OpUnwrap:        UseUnwrap,
	mech.OpDerive:        UseDerive,
	mech.OpEncapsulate:   UseEncapsulate,
	mech.OpDecapsulate:   UseDecapsulate,
}

// UsageOf is the usage that an attribute permits (CKA_SIGN, CKA_DECRYPT, ...); 0 for any other.
func UsageOf(attribute ck.AttributeType) Usage {
	for op, usage := range uses {
		if usage != 0 && mech.Op(op).Attribute() == attribute {
			return usage
		}
	}
	return 0
}

// Permits is the one place that decides whether a key may be used so. It is asked above the seam when an operation begins, to say early what is wrong, and
// below it, where it counts, at each use. Where several answers are right, PKCS #11 v3.2, section 5.1 wants CKR_KEY_TYPE_INCONSISTENT before
// CKR_KEY_FUNCTION_NOT_PERMITTED.
func (p *Policy) Permits(op mech.Op, row *mech.Row) error {
	switch {
	case !row.Serves(op) || int(op) >= len(uses):
		return ck.Errorf(ck.CKR_MECHANISM_INVALID, "%v does not serve this function", row.Type)
	case !op.TakesClass(p.Class) || !row.Takes(p.KeyType):
		return ck.CKR_KEY_TYPE_INCONSISTENT
	case p.Usage&uses[op] == 0:
		return ck.Errorf(ck.CKR_KEY_FUNCTION_NOT_PERMITTED, "the key's %v is false", op.Attribute())
	case len(p.Allowed) > 0 && !slices.Contains(p.Allowed, row.Type):
		return ck.Errorf(ck.CKR_MECHANISM_INVALID, "%v is not among the key's CKA_ALLOWED_MECHANISMS", row.Type)
	}
	return nil
}
