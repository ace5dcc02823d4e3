package guard

import (
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The encoding of a policy, versions 1 to 4: RECORD.md has the bytes. A policy is of the lowest version that can say what it says.
const (
	policyVersion        = 1
	policyVersionKEM     = 2 // usages of KEMs
	policyVersionConfine = 3 // CONFINED, CONFINING, and the mechanism that alone may wrap
	policyVersionBound   = 4 // BOUNDED, and what a key may do at most
	policyFixedLen       = 1 + 16 + 8 + 8 + 2 + 1 + 2
	mechanismLen         = 8
	maxAllowed           = 1024
	usageLen             = 2
	maxPolicyLen         = policyFixedLen + 1 + mechanismLen + usageLen + maxAllowed*mechanismLen
	allUsages            = UseEncrypt | UseDecrypt | UseSign | UseSignRecover | UseVerify | UseVerifyRecover | UseWrap | UseUnwrap | UseDerive | usagesOfKEM
	usagesOfKEM          = UseEncapsulate | UseDecapsulate
	allUsagesOfV2        = 1<<11 - 1
)

var _ = [1]struct{}{}[allUsages-allUsagesOfV2] // a new usage needs a new version

// flags are the policy's yes-or-no fields in the order of their bits, the last three of which are of versions 3 and 4.
func (p *Policy) flags() [10]*bool {
	return [10]*bool{&p.Private, &p.Sensitive, &p.Extractable, &p.WrapWithTrusted, &p.Trusted, &p.AlwaysAuthenticate, &p.Token, &p.Confined, &p.Confining, &p.Bounded}
}

// possibleFlags are those that a version has.
var possibleFlags = [...]uint16{policyVersion: 1<<7 - 1, policyVersionKEM: 1<<7 - 1, policyVersionConfine: 1<<9 - 1, policyVersionBound: 1<<10 - 1}

// Encode gives the policy's only encoding. The policy must have at most 1024 allowed mechanisms (see Valid).
func (p *Policy) Encode() []byte {
	b := make([]byte, 0, policyFixedLen+1+usageLen+(1+len(p.Allowed))*mechanismLen)
	version := p.version()
	b = append(b, version)
	b = append(b, p.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(p.Class))
	b = binary.BigEndian.AppendUint64(b, uint64(p.KeyType))
	b = binary.BigEndian.AppendUint16(b, uint16(p.Usage))
	var bits uint16
	for i, set := range p.flags() {
		if *set {
			bits |= 1 << i
		}
	}
	if version >= policyVersionConfine {
		b = binary.BigEndian.AppendUint16(b, bits)
		b = binary.BigEndian.AppendUint64(b, uint64(p.WrapBy))
	} else {
		b = append(b, byte(bits))
	}
	if version >= policyVersionBound {
		b = binary.BigEndian.AppendUint16(b, uint16(p.Most))
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.Allowed)))
	for _, m := range p.Allowed {
		b = binary.BigEndian.AppendUint64(b, uint64(m))
	}
	return b
}

// version is the lowest that can say what the policy says.
func (p *Policy) version() byte {
	switch {
	case p.Bounded:
		return policyVersionBound
	case p.Confined || p.Confining || p.WrapBy != 0:
		return policyVersionConfine
	case p.Usage&usagesOfKEM != 0:
		return policyVersionKEM
	}
	return policyVersion
}

// Valid refuses what Encode cannot express and what PKCS #11 rules out.
func (p *Policy) Valid() error {
	switch {
	case len(p.Allowed) > maxAllowed:
		return ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_ALLOWED_MECHANISMS has more than %d entries", maxAllowed)
	case (p.Usage|p.Most)&^allUsages != 0:
		return ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "unknown usage bits %#x", uint16((p.Usage|p.Most)&^allUsages))
	case p.Bounded && p.Usage&^p.Most != 0, !p.Bounded && p.Most != 0:
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "the key came in for usage %#x and no more", uint16(p.Most))
	case p.AlwaysAuthenticate && !p.Private:
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "CKA_ALWAYS_AUTHENTICATE needs CKA_PRIVATE")
	case p.WrapBy != 0 && !p.Sensitive:
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a key that only %v may wrap has to be CKA_SENSITIVE", p.WrapBy)
	}
	return p.validConfining()
}

// DecodePolicy reads what Encode wrote, and nothing else: each policy has one encoding.
func DecodePolicy(b []byte) (*Policy, error) {
	if len(b) < policyFixedLen || len(b) > maxPolicyLen {
		return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "a policy of %d bytes", len(b))
	}
	version := b[0]
	if version < policyVersion || version > policyVersionBound {
		return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "policy version %d is not known here", version)
	}
	p := new(Policy)
	b = b[1:]
	b = b[copy(p.ID[:], b):]
	p.Class, b = ck.ObjectClass(binary.BigEndian.Uint64(b)), b[8:]
	p.KeyType, b = ck.KeyType(binary.BigEndian.Uint64(b)), b[8:]
	p.Usage, b = Usage(binary.BigEndian.Uint16(b)), b[2:]
	bits, b, ok := p.decodeFlags(version, b)
	if !ok {
		return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "malformed policy")
	}
	for i, set := range p.flags() {
		*set = bits&(1<<i) != 0
	}
	count, b := int(binary.BigEndian.Uint16(b)), b[2:]
	if bits&^possibleFlags[version] != 0 || len(b) != count*mechanismLen {
		return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "malformed policy")
	}
	for ; len(b) > 0; b = b[mechanismLen:] {
		p.Allowed = append(p.Allowed, ck.MechanismType(binary.BigEndian.Uint64(b)))
	}
	if err := p.Valid(); err != nil {
		return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "malformed policy: %w", err)
	}
	if p.version() != version {
		return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "malformed policy: what it says is of another version")
	}
	return p, nil
}

// decodeFlags reads the flags, and what else versions 3 and 4 have before the list of mechanisms.
func (p *Policy) decodeFlags(version byte, b []byte) (bits uint16, rest []byte, ok bool) {
	const countLen = 2
	if version < policyVersionConfine {
		return uint16(b[0]), b[1:], true
	}
	if len(b) < 2+mechanismLen+countLen {
		return 0, nil, false
	}
	bits, b = binary.BigEndian.Uint16(b), b[2:]
	p.WrapBy, b = ck.MechanismType(binary.BigEndian.Uint64(b)), b[mechanismLen:]
	if version >= policyVersionBound {
		if len(b) < usageLen+countLen {
			return 0, nil, false
		}
		p.Most, b = Usage(binary.BigEndian.Uint16(b)), b[usageLen:]
	}
	return bits, b, true
}
