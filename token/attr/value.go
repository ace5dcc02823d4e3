package attr

import (
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// ulongSize is sizeof(CK_ULONG) on the supported platforms.
const ulongSize = 8

// Bool is v as a CK_BBOOL.
func Bool(v bool) []byte {
	if v {
		return []byte{1}
	}
	return []byte{0}
}

// ULong is u as a CK_ULONG in the machine's order.
func ULong(u uint) []byte {
	return binary.NativeEndian.AppendUint64(nil, uint64(u))
}

// ParseBool reads a CK_BBOOL: one byte, CK_FALSE or CK_TRUE and nothing else.
func ParseBool(b []byte) (bool, error) {
	if len(b) != 1 || b[0] > 1 {
		return false, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "not a CK_BBOOL")
	}
	return b[0] == 1, nil
}

// ParseULong reads a CK_ULONG.
func ParseULong(b []byte) (uint, error) {
	if len(b) != ulongSize {
		return 0, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "a CK_ULONG has %d bytes, not %d", ulongSize, len(b))
	}
	return uint(binary.NativeEndian.Uint64(b)), nil
}
