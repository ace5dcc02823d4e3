package ncryptmap

import "github.com/ncrypt11/ncrypt11/ncryptmap/nte"

// call is a function that takes flags.
type call int

const (
	callOpenProvider call = iota
	callOpenKey
	callCreate
	callImport
	callImportPublic
	callFinalize
	callExport
	callDelete
	callFree
	callSetProperty
	callGetProperty
	callEnumKeys
	callNotify
	callSign
	callVerify
	callEncrypt
	callDecrypt
	callAgree
	callDerive
	callDecapsulate
	callIsAlgorithm
)

// isolation are the flags that ask for a key out of reach of programs.
const isolation = NCRYPT_REQUIRE_VBS_FLAG | NCRYPT_PREFER_VBS_FLAG | NCRYPT_USE_PER_BOOT_KEY_FLAG

// allowedFlags are the flags that each function takes. Every other bit is NTE_BAD_FLAGS: that a bit means something elsewhere is no excuse.
var allowedFlags = map[call]uint32{
	callOpenProvider: NCRYPT_SILENT_FLAG | NCRYPT_IGNORE_DEVICE_STATE_FLAG,
	callOpenKey:      NCRYPT_MACHINE_KEY_FLAG | NCRYPT_SILENT_FLAG | NCRYPT_AUTHORITY_KEY_FLAG | NCRYPT_EXTENDED_ERRORS_FLAG,
	callCreate:       NCRYPT_MACHINE_KEY_FLAG | NCRYPT_SILENT_FLAG | NCRYPT_OVERWRITE_KEY_FLAG | isolation,
	callImport: NCRYPT_NO_KEY_VALIDATION | NCRYPT_MACHINE_KEY_FLAG | NCRYPT_SILENT_FLAG | NCRYPT_OVERWRITE_KEY_FLAG |
		NCRYPT_WRITE_KEY_TO_LEGACY_STORE_FLAG | NCRYPT_DO_NOT_FINALIZE_FLAG | isolation,
	callImportPublic: NCRYPT_NO_KEY_VALIDATION | NCRYPT_SILENT_FLAG,
	callFinalize:     NCRYPT_NO_KEY_VALIDATION | NCRYPT_SILENT_FLAG | NCRYPT_WRITE_KEY_TO_LEGACY_STORE_FLAG,
	callExport:       NCRYPT_SILENT_FLAG | NCRYPT_EXPORT_LEGACY_FLAG,
	callDelete:       NCRYPT_SILENT_FLAG,
	callSetProperty:  NCRYPT_SILENT_FLAG | NCRYPT_PERSIST_FLAG | NCRYPT_PERSIST_ONLY_FLAG,
	callGetProperty:  NCRYPT_SILENT_FLAG | NCRYPT_PERSIST_ONLY_FLAG,
	callEnumKeys:     NCRYPT_MACHINE_KEY_FLAG | NCRYPT_SILENT_FLAG,
	callNotify:       NCRYPT_MACHINE_KEY_FLAG | NCRYPT_REGISTER_NOTIFY_FLAG | NCRYPT_UNREGISTER_NOTIFY_FLAG,
	callSign:         NCRYPT_SILENT_FLAG | NCRYPT_PAD_PKCS1_FLAG | NCRYPT_PAD_PSS_FLAG | NCRYPT_PAD_PQDSA_FLAG,
	callVerify:       NCRYPT_SILENT_FLAG | NCRYPT_PAD_PKCS1_FLAG | NCRYPT_PAD_PSS_FLAG | NCRYPT_PAD_PQDSA_FLAG,
	callEncrypt:      NCRYPT_SILENT_FLAG | NCRYPT_NO_PADDING_FLAG | NCRYPT_PAD_PKCS1_FLAG | NCRYPT_PAD_OAEP_FLAG | NCRYPT_PAD_CIPHER_FLAG,
	callDecrypt:      NCRYPT_SILENT_FLAG | NCRYPT_NO_PADDING_FLAG | NCRYPT_PAD_PKCS1_FLAG | NCRYPT_PAD_OAEP_FLAG | NCRYPT_PAD_CIPHER_FLAG,
	callAgree:        NCRYPT_SILENT_FLAG,
	callDerive:       NCRYPT_SILENT_FLAG,
	callDecapsulate:  NCRYPT_SILENT_FLAG,
	callIsAlgorithm:  NCRYPT_SILENT_FLAG,
}

// conflict is a combination of flags that contradict each other.
type conflict struct {
	both   uint32
	reason string
}

var conflicts = []conflict{
	{NCRYPT_REQUIRE_VBS_FLAG | NCRYPT_PREFER_VBS_FLAG, "isolation cannot be both required and preferred"},
	{NCRYPT_WRITE_KEY_TO_LEGACY_STORE_FLAG | NCRYPT_REQUIRE_VBS_FLAG, "a copy in the legacy store would not be isolated"},
	{NCRYPT_WRITE_KEY_TO_LEGACY_STORE_FLAG | NCRYPT_PREFER_VBS_FLAG, "a copy in the legacy store would not be isolated"},
	{NCRYPT_WRITE_KEY_TO_LEGACY_STORE_FLAG | NCRYPT_USE_PER_BOOT_KEY_FLAG, "a copy in the legacy store would outlive the boot"},
	{NCRYPT_REGISTER_NOTIFY_FLAG | NCRYPT_UNREGISTER_NOTIFY_FLAG, "a notification is either wanted or not"},
	{NCRYPT_PERSIST_FLAG | NCRYPT_PERSIST_ONLY_FLAG, "a property is either the provider's own or the caller's"},
}

// checkFlags refuses bits that the function does not take, and combinations that contradict each other.
func checkFlags(c call, flags uint32) error {
	if strange := flags &^ allowedFlags[c]; strange != 0 {
		return nte.Errorf(nte.NTE_BAD_FLAGS, "flags %#x do not belong to this function", strange)
	}
	for _, c := range conflicts {
		if flags&c.both == c.both {
			return nte.Errorf(nte.NTE_BAD_FLAGS, "%s", c.reason)
		}
	}
	return nil
}

// noLegacyStore answers who wants a key in a store that there is not.
func noLegacyStore(flags uint32) error {
	if flags&NCRYPT_WRITE_KEY_TO_LEGACY_STORE_FLAG != 0 {
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "there is no legacy store")
	}
	return nil
}
