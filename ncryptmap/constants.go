package ncryptmap

// The names and numbers of ncrypt.h and bcrypt.h that programs pass. They are spelled as there, so that who knows them finds them.

// Providers.
const (
	MS_KEY_STORAGE_PROVIDER            = "Microsoft Software Key Storage Provider"
	MS_SMART_CARD_KEY_STORAGE_PROVIDER = "Microsoft Smart Card Key Storage Provider"
)

// Flags of functions. A bit means something in the functions that take it, and something else in others.
const (
	NCRYPT_NO_PADDING_FLAG                uint32 = 0x00000001
	NCRYPT_PAD_PKCS1_FLAG                 uint32 = 0x00000002
	NCRYPT_PAD_OAEP_FLAG                  uint32 = 0x00000004
	NCRYPT_PAD_PSS_FLAG                   uint32 = 0x00000008
	NCRYPT_NO_KEY_VALIDATION              uint32 = 0x00000008
	NCRYPT_PAD_CIPHER_FLAG                uint32 = 0x00000010
	NCRYPT_PAD_PQDSA_FLAG                 uint32 = 0x00000020
	NCRYPT_MACHINE_KEY_FLAG               uint32 = 0x00000020
	NCRYPT_SILENT_FLAG                    uint32 = 0x00000040
	NCRYPT_OVERWRITE_KEY_FLAG             uint32 = 0x00000080
	NCRYPT_AUTHORITY_KEY_FLAG             uint32 = 0x00000100
	NCRYPT_WRITE_KEY_TO_LEGACY_STORE_FLAG uint32 = 0x00000200
	NCRYPT_DO_NOT_FINALIZE_FLAG           uint32 = 0x00000400
	NCRYPT_EXPORT_LEGACY_FLAG             uint32 = 0x00000800
	NCRYPT_IGNORE_DEVICE_STATE_FLAG       uint32 = 0x00001000
	NCRYPT_PREFER_VIRTUAL_ISOLATION_FLAG  uint32 = 0x00010000
	NCRYPT_USE_VIRTUAL_ISOLATION_FLAG     uint32 = 0x00020000
	NCRYPT_USE_PER_BOOT_KEY_FLAG          uint32 = 0x00040000
	NCRYPT_EXTENDED_ERRORS_FLAG           uint32 = 0x10000000
	NCRYPT_PERSIST_ONLY_FLAG              uint32 = 0x40000000
	NCRYPT_PERSIST_FLAG                   uint32 = 0x80000000

	NCRYPT_REQUIRE_VBS_FLAG = NCRYPT_USE_VIRTUAL_ISOLATION_FLAG
	NCRYPT_PREFER_VBS_FLAG  = NCRYPT_PREFER_VIRTUAL_ISOLATION_FLAG

	NCRYPT_REGISTER_NOTIFY_FLAG   uint32 = 0x00000001
	NCRYPT_UNREGISTER_NOTIFY_FLAG uint32 = 0x00000002
)

// Names of properties.
const (
	NCRYPT_NAME_PROPERTY                           = "Name"
	NCRYPT_UNIQUE_NAME_PROPERTY                    = "Unique Name"
	NCRYPT_ALGORITHM_PROPERTY                      = "Algorithm Name"
	NCRYPT_ALGORITHM_GROUP_PROPERTY                = "Algorithm Group"
	NCRYPT_LENGTH_PROPERTY                         = "Length"
	NCRYPT_LENGTHS_PROPERTY                        = "Lengths"
	NCRYPT_BLOCK_LENGTH_PROPERTY                   = "Block Length"
	NCRYPT_PUBLIC_LENGTH_PROPERTY                  = "PublicKeyLength"
	NCRYPT_SIGNATURE_LENGTH_PROPERTY               = "SignatureLength"
	NCRYPT_CHAINING_MODE_PROPERTY                  = "Chaining Mode"
	NCRYPT_INITIALIZATION_VECTOR                   = "IV"
	NCRYPT_EXPORT_POLICY_PROPERTY                  = "Export Policy"
	NCRYPT_KEY_USAGE_PROPERTY                      = "Key Usage"
	NCRYPT_KEY_TYPE_PROPERTY                       = "Key Type"
	NCRYPT_UI_POLICY_PROPERTY                      = "UI Policy"
	NCRYPT_WINDOW_HANDLE_PROPERTY                  = "HWND Handle"
	NCRYPT_USE_CONTEXT_PROPERTY                    = "Use Context"
	NCRYPT_LAST_MODIFIED_PROPERTY                  = "Modified"
	NCRYPT_USE_COUNT_PROPERTY                      = "Use Count"
	NCRYPT_SECURITY_DESCR_PROPERTY                 = "Security Descr"
	NCRYPT_PROVIDER_HANDLE_PROPERTY                = "Provider Handle"
	NCRYPT_IMPL_TYPE_PROPERTY                      = "Impl Type"
	NCRYPT_VERSION_PROPERTY                        = "Version"
	NCRYPT_MAX_NAME_LENGTH_PROPERTY                = "Max Name Length"
	NCRYPT_SECURITY_DESCR_SUPPORT_PROPERTY         = "Security Descr Support"
	NCRYPT_USE_COUNT_ENABLED_PROPERTY              = "Enabled Use Count"
	NCRYPT_ECC_CURVE_NAME_PROPERTY                 = "ECCCurveName"
	NCRYPT_DH_PARAMETERS_PROPERTY                  = "DHParameters"
	NCRYPT_PARAMETER_SET_NAME_PROPERTY             = "ParameterSetName"
	NCRYPT_KEM_SHARED_SECRET_LENGTH_PROPERTY       = "KEMSharedSecretLength"
	NCRYPT_KEM_CIPHERTEXT_LENGTH_PROPERTY          = "KEMCiphertextLength"
	NCRYPT_PIN_PROPERTY                            = "SmartCardPin"
	NCRYPT_CERTIFICATE_PROPERTY                    = "SmartCardKeyCertificate"
	NCRYPT_READER_PROPERTY                         = "SmartCardReader"
	NCRYPT_USE_VIRTUAL_ISOLATION_PROPERTY          = "Virtual Iso"
	NCRYPT_USE_PER_BOOT_KEY_PROPERTY               = "Per Boot Key"
	NCRYPT_CHANGEPASSWORD_PROPERTY                 = "SmartCardChangePassword"
	NCRYPT_ALTERNATE_KEY_STORAGE_LOCATION_PROPERTY = "Alternate Key Storage Location"
)

// Types of buffers in a list of parameters.
const (
	NCRYPTBUFFER_PKCS_ALG_OID       uint32 = 41
	NCRYPTBUFFER_PKCS_ALG_PARAM     uint32 = 42
	NCRYPTBUFFER_PKCS_ALG_ID        uint32 = 43
	NCRYPTBUFFER_PKCS_KEY_NAME      uint32 = 45
	NCRYPTBUFFER_PKCS_SECRET        uint32 = 46
	NCRYPTBUFFER_CERT_BLOB          uint32 = 47
	NCRYPTBUFFER_ECC_CURVE_NAME     uint32 = 60
	NCRYPTBUFFER_ECC_PARAMETERS     uint32 = 61
	NCRYPTBUFFER_PKCS_AES_KEY_BITS  uint32 = 96
	NCRYPTBUFFER_PKCS_PADDING_ALGO  uint32 = 97
	NCRYPTBUFFER_PKCS_PADDING_LABEL uint32 = 98
)

// Limits.
const (
	NCRYPT_MAX_PROPERTY_NAME = 64       // characters
	NCRYPT_MAX_PROPERTY_DATA = 0x100000 // bytes
)
