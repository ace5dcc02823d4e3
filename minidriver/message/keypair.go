package message

import "github.com/ncrypt11/ncrypt11/token/secret"

// ImportKeyPairLen is where pbInput begins: dwVersion at 0, bContainerIndex at 4 and three bytes of padding, PinId at 8, dwKeySpec at 12, dwKeySize at 16,
// cbInput at 20.
const ImportKeyPairLen = 24

// ImportKeyPair is CARD_IMPORT_KEYPAIR: a private key, and the container that it is for.
type ImportKeyPair struct {
	ContainerIndex byte
	PinID          uint32
	KeySpec        uint32 // AT_*
	KeySize        uint32 // bits
	Input          []byte // PRIVATEKEYBLOB, or BCRYPT_ECCPRIVATE_BLOB; of what Parse gives, a part of what it was given
}

// ParseImportKeyPair reads a CARD_IMPORT_KEYPAIR with its key. The padding behind bContainerIndex may be anything: a C program leaves there what was there.
// Errors: ERROR_REVISION_MISMATCH, SCARD_E_INVALID_PARAMETER.
func ParseImportKeyPair(b []byte) (*ImportKeyPair, error) {
	const name = "CARD_IMPORT_KEYPAIR"
	if err := check(name, b, ImportKeyPairLen); err != nil {
		return nil, err
	}
	data, err := behind(name, b, ImportKeyPairLen, ulong(b, 20))
	if err != nil {
		return nil, err
	}
	return &ImportKeyPair{ContainerIndex: b[4], PinID: ulong(b, 8), KeySpec: ulong(b, 12), KeySize: ulong(b, 16), Input: data[0]}, nil
}

// ImportKeyPairSize is how many bytes a CARD_IMPORT_KEYPAIR says that it has with its key; false where there are fewer.
func ImportKeyPairSize(b []byte) (int, bool) {
	if len(b) < ImportKeyPairLen || ulong(b, 20) > MaxData {
		return 0, false
	}
	n := ImportKeyPairLen + int(ulong(b, 20))
	return n, n <= len(b)
}

// Bytes gives the structure with its key, which the caller closes.
func (m *ImportKeyPair) Bytes() *secret.Bytes {
	s, b := start(ImportKeyPairLen, m.Input)
	b[4] = m.ContainerIndex
	put(b, 8, m.PinID)
	put(b, 12, m.KeySpec)
	put(b, 16, m.KeySize)
	put(b, 20, uint32(len(m.Input)))
	return s
}
