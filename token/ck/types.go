// Package ck is the vocabulary of PKCS #11 v3.2 in plain Go: its constants with their exact names, its scalar types, its return
// values as errors, and its mechanism parameters as values. It knows nothing of C memory.
package ck

// Scalar types. CK_ULONG is unsigned long, 64 bits on the platforms that are supported.
type (
	AttributeType   uint // CK_ATTRIBUTE_TYPE
	MechanismType   uint // CK_MECHANISM_TYPE
	KeyType         uint // CK_KEY_TYPE
	ObjectClass     uint // CK_OBJECT_CLASS
	CertificateType uint // CK_CERTIFICATE_TYPE
	HWFeatureType   uint // CK_HW_FEATURE_TYPE
	Flags           uint // CK_FLAGS
	UserType        uint // CK_USER_TYPE
	State           uint // CK_STATE
	SlotID          uint // CK_SLOT_ID
	SessionHandle   uint // CK_SESSION_HANDLE
	ObjectHandle    uint // CK_OBJECT_HANDLE
)

// Version is CK_VERSION.
type Version struct{ Major, Minor byte }

// Info is CK_INFO; text fields are padded by the boundary.
type Info struct {
	CryptokiVersion    Version
	ManufacturerID     string
	Flags              Flags
	LibraryDescription string
	LibraryVersion     Version
}

// SlotInfo is CK_SLOT_INFO.
type SlotInfo struct {
	Description     string
	ManufacturerID  string
	Flags           Flags
	HardwareVersion Version
	FirmwareVersion Version
}

// TokenInfo is CK_TOKEN_INFO.
type TokenInfo struct {
	Label, ManufacturerID, Model, SerialNumber string
	Flags                                      Flags
	MaxSessions, Sessions                      uint
	MaxRWSessions, RWSessions                  uint
	MaxPINLen, MinPINLen                       uint
	TotalPublicMemory, FreePublicMemory        uint
	TotalPrivateMemory, FreePrivateMemory      uint
	HardwareVersion, FirmwareVersion           Version
	UTCTime                                    string
}

// SessionInfo is CK_SESSION_INFO.
type SessionInfo struct {
	SlotID      SlotID
	State       State
	Flags       Flags
	DeviceError uint
}

// MechanismInfo is CK_MECHANISM_INFO; the unit of the sizes depends on the mechanism (bits or bytes, as its section says).
type MechanismInfo struct {
	MinKeySize, MaxKeySize uint
	Flags                  Flags
}
