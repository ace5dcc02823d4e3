package ncryptmap

import (
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

func dword(values ...uint32) []byte {
	var out []byte
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return out
}

func parseDword(value []byte) (uint32, error) {
	if len(value) != 4 {
		return 0, nte.Errorf(nte.NTE_BAD_DATA, "the property has 4 bytes, not %d", len(value))
	}
	return binary.LittleEndian.Uint32(value), nil
}

// text and number make getters of what a key always has.
func text(of func(*key) string) func(*key, uint32) ([]byte, error) {
	return func(k *key, _ uint32) ([]byte, error) { return blob.Wide(of(k)), nil }
}

func numberOf(of func(*key) uint32) func(*key, uint32) ([]byte, error) {
	return func(k *key, _ uint32) ([]byte, error) { return dword(of(k)), nil }
}

// identityProperties: what key it is.
var identityProperties = []property{
	{NCRYPT_NAME_PROPERTY, ofPersistent(func(k *key) []byte { return blob.Wide(k.name) }), nil},
	{NCRYPT_UNIQUE_NAME_PROPERTY, ofPersistent(func(k *key) []byte { return blob.Wide(plan.UniqueName(k.name)) }), nil},
	{NCRYPT_ALGORITHM_PROPERTY, text(func(k *key) string { return k.algorithm.name }), nil},
	{NCRYPT_ALGORITHM_GROUP_PROPERTY, text(func(k *key) string { return k.algorithm.group }), nil},
	{NCRYPT_ECC_CURVE_NAME_PROPERTY, getCurve, setCurve},
	{NCRYPT_KEY_TYPE_PROPERTY, numberOf((*key).keyType), nil},
	{NCRYPT_PROVIDER_HANDLE_PROPERTY, getProviderHandle, nil},
	{NCRYPT_LAST_MODIFIED_PROPERTY, getModified, nil},
}

func ofPersistent(value func(*key) []byte) func(*key, uint32) ([]byte, error) {
	return func(k *key, _ uint32) ([]byte, error) {
		if !k.persistent() {
			return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "a key that is not kept has no name")
		}
		return value(k), nil
	}
}

func (k *key) keyType() uint32 {
	if k.machine && k.persistent() {
		return NCRYPT_MACHINE_KEY_FLAG
	}
	return 0
}

func getCurve(k *key, _ uint32) ([]byte, error) {
	if !k.algorithm.onCurve() {
		return nil, notSupported(NCRYPT_ECC_CURVE_NAME_PROPERTY)
	}
	if k.curve == nil {
		return nil, notFound(NCRYPT_ECC_CURVE_NAME_PROPERTY)
	}
	return blob.Wide(blob.CurveName(k.curve)), nil
}

func setCurve(k *key, value []byte, _ uint32) error {
	name, ok := blob.ParseWide(value)
	switch {
	case !k.algorithm.onCurve():
		return notSupported(NCRYPT_ECC_CURVE_NAME_PROPERTY)
	case k.final:
		return frozen(NCRYPT_ECC_CURVE_NAME_PROPERTY)
	case !ok || blob.CurveByName(name) == nil:
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "there is no curve %q", name)
	}
	return k.moveTo(blob.CurveByName(name))
}

func frozen(name string) error {
	return nte.Errorf(nte.NTE_BAD_KEY_STATE, "property %q cannot be set once the key is final", name)
}

func getProviderHandle(k *key, _ uint32) ([]byte, error) {
	handle := k.provider.ksp.handles.add(k.provider.in(k.provider.label)) // which is freed by itself
	return binary.LittleEndian.AppendUint64(nil, uint64(handle)), nil
}

func getModified(k *key, _ uint32) ([]byte, error) {
	if !k.final || !k.persistent() {
		return nil, notFound(NCRYPT_LAST_MODIFIED_PROPERTY)
	}
	set, err := attributes(k.session, k.object, ck.CKA_NCRYPT_MODIFIED)
	if err != nil {
		return nil, err
	}
	value, ok := set.Get(ck.CKA_NCRYPT_MODIFIED)
	if !ok {
		return nil, notFound(NCRYPT_LAST_MODIFIED_PROPERTY)
	}
	return value, nil
}

// lengthProperties: how long the key and what is made with it are.
var lengthProperties = []property{
	{NCRYPT_LENGTH_PROPERTY, numberOf(func(k *key) uint32 { return k.length }), setLength},
	{NCRYPT_PUBLIC_LENGTH_PROPERTY, numberOf(func(k *key) uint32 { return k.length }), nil},
	{NCRYPT_LENGTHS_PROPERTY, func(k *key, _ uint32) ([]byte, error) {
		l := k.algorithm.lengths
		return dword(l.min, l.max, l.increment, l.standard), nil
	}, nil},
	{NCRYPT_BLOCK_LENGTH_PROPERTY, numberOf((*key).blockLength), nil},
	{NCRYPT_SIGNATURE_LENGTH_PROPERTY, func(k *key, _ uint32) ([]byte, error) {
		if k.class == ck.CKO_SECRET_KEY || k.algorithm.usages&plan.NCRYPT_ALLOW_SIGNING_FLAG == 0 {
			return nil, notSupported(NCRYPT_SIGNATURE_LENGTH_PROPERTY)
		}
		return dword(k.signatureLength()), nil
	}, nil},
}

func (k *key) blockLength() uint32 {
	const aesBlock = 16
	if k.algorithm.keyType == ck.CKK_AES {
		return aesBlock
	}
	return (k.length + 7) / 8
}

func (k *key) signatureLength() uint32 {
	n := (k.length + 7) / 8
	switch {
	case k.algorithm.keyType == ck.CKK_EC:
		return 2 * n
	case k.set != nil:
		return uint32(k.set.signature)
	}
	return n
}

// setLength: of a public key that was imported Windows lets it be set, without effect.
func setLength(k *key, value []byte, _ uint32) error {
	length, err := parseDword(value)
	switch {
	case err != nil:
		return err
	case k.class == ck.CKO_PUBLIC_KEY:
		return nil
	case k.algorithm.parameterized():
		return notSupported(NCRYPT_LENGTH_PROPERTY)
	case k.final:
		return frozen(NCRYPT_LENGTH_PROPERTY)
	case !k.algorithm.lengths.allow(length):
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "%s keys of %d bits are not supported", k.algorithm.name, length)
	}
	if k.material == nil && k.wrapped == nil {
		k.length = length
	}
	return nil
}

// policyProperties: what may be done with the key, and where it is.
var policyProperties = []property{
	{NCRYPT_EXPORT_POLICY_PROPERTY, numberOf(func(k *key) uint32 { return k.export }), setExportPolicy},
	{NCRYPT_KEY_USAGE_PROPERTY, numberOf(func(k *key) uint32 { return k.usage }), setKeyUsage},
	{NCRYPT_USE_VIRTUAL_ISOLATION_PROPERTY, flagAttribute(isIsolated, ck.CKA_NCRYPT_ISOLATED, ck.CKA_EXTRACTABLE), nil},
	{NCRYPT_USE_PER_BOOT_KEY_PROPERTY, flagAttribute(isPerBoot, ck.CKA_NCRYPT_PER_BOOT), nil},
	{NCRYPT_SECURITY_DESCR_PROPERTY, getSecurity, setSecurity},
	{NCRYPT_PIN_PROPERTY, nil, setPIN},
	{NCRYPT_READER_PROPERTY, getReader, nil},
	{NCRYPT_CERTIFICATE_PROPERTY, missing(NCRYPT_CERTIFICATE_PROPERTY), nil},
	{NCRYPT_USE_COUNT_PROPERTY, nil, nil},
	{NCRYPT_IMPL_TYPE_PROPERTY, nil, nil},
	{NCRYPT_VERSION_PROPERTY, nil, nil},
	{NCRYPT_MAX_NAME_LENGTH_PROPERTY, nil, nil},
	{NCRYPT_SECURITY_DESCR_SUPPORT_PROPERTY, nil, nil},
	{NCRYPT_USE_COUNT_ENABLED_PROPERTY, nil, nil},
}

func missing(name string) func(*key, uint32) ([]byte, error) {
	return func(*key, uint32) ([]byte, error) { return nil, notFound(name) }
}

const allExportPolicies = plan.NCRYPT_ALLOW_EXPORT_FLAG | plan.NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG | plan.NCRYPT_ALLOW_ARCHIVING_FLAG |
	plan.NCRYPT_ALLOW_PLAINTEXT_ARCHIVING_FLAG | plan.NCRYPT_ALLOW_PKCS11_RSA_AES_EXPORT_FLAG

// setExportPolicy: of a key that is kept, it is fixed once the key is final. A key that lives as long as its handle was given by the program itself, or
// made for it, so that it may say later that it wants it back: programs import and then set it.
func setExportPolicy(k *key, value []byte, _ uint32) error {
	policy, err := parseDword(value)
	switch {
	case err != nil:
		return err
	case policy&^allExportPolicies != 0:
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "export policy %#x has unknown bits", policy)
	case policy != 0 && k.provider.card:
		return errLeaves
	case policy != 0 && k.isolated():
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "a key that is isolated cannot be exported")
	case k.most.forbids(policy, 0):
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "the blob that the key came in allows export policy %#x at most", k.most.export)
	case k.final && (k.persistent() || k.class == ck.CKO_PUBLIC_KEY):
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "the export policy of a key that is kept cannot be changed")
	}
	k.export = policy
	return nil
}

func setKeyUsage(k *key, value []byte, _ uint32) error {
	usage, err := parseDword(value)
	switch {
	case err != nil:
		return err
	case k.final:
		return frozen(NCRYPT_KEY_USAGE_PROPERTY)
	case usage&^plan.NCRYPT_ALLOW_ALL_USAGES != 0:
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "key usage %#x has unknown bits", usage)
	case k.most.forbids(0, usage):
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "the blob that the key came in allows usage %#x at most", k.most.usage)
	}
	k.usage = usage
	return nil
}

// isIsolated: a guard keeps keys that may leave it as well, but nobody should take them for isolated.
func isIsolated(set *attr.Set) bool {
	return set.Bool(ck.CKA_NCRYPT_ISOLATED) && !set.Bool(ck.CKA_EXTRACTABLE)
}

func isPerBoot(set *attr.Set) bool { return set.Bool(ck.CKA_NCRYPT_PER_BOOT) }

// flagAttribute gives what attributes of the key's object say as a DWORD; 0 before there is one.
func flagAttribute(says func(*attr.Set) bool, types ...ck.AttributeType) func(*key, uint32) ([]byte, error) {
	return func(k *key, _ uint32) ([]byte, error) {
		if !k.final || k.class == ck.CKO_PUBLIC_KEY {
			return dword(0), nil
		}
		set, err := attributes(k.session, k.object, types...)
		if err != nil {
			return nil, err
		}
		if says(set) {
			return dword(1), nil
		}
		return dword(0), nil
	}
}

// handleProperties belong to the handle and not to the key. Certificate enrolment sets them, and nobody here looks at them.
var handleProperties = []property{
	handleProperty(NCRYPT_WINDOW_HANDLE_PROPERTY, false),
	handleProperty(NCRYPT_USE_CONTEXT_PROPERTY, false),
	handleProperty(NCRYPT_UI_POLICY_PROPERTY, true),
}

func handleProperty(name string, untilFinal bool) property {
	return property{name, func(k *key, _ uint32) ([]byte, error) {
		if value, ok := k.transient[name]; ok {
			return value, nil
		}
		return nil, notFound(name)
	}, func(k *key, value []byte, _ uint32) error {
		if untilFinal && k.final {
			return frozen(name)
		}
		k.transient[name] = append([]byte{}, value...)
		return nil
	}}
}
