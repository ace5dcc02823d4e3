package minidriver

import (
	"encoding/binary"
	"math/big"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The file that says what is in which container, and its records (CONTAINER_MAP_RECORD): wszGuid of 40 characters, bFlags, bReserved, wSigKeySizeBits,
// wKeyExchangeKeySizeBits.
const (
	szBASE_CSP_DIR       = "mscp"
	szCONTAINER_MAP_FILE = "cmapfile"
	mapRecordLen         = 86
	mapFlags, mapSig     = 80, 82
	mapExchange          = 84
	containerMapValid    = 1
	containerMapDefault  = 2
	maxGUIDCharacters    = 39
)

// ReadFile is CardReadFile, of one file: the container map, which is made of what the token has. The first container that is not empty is the default.
func (c *Context) ReadFile(directory, file string, flags uint32) ([]byte, error) {
	if err := c.enterPlain("CardReadFile", flags); err != nil {
		return nil, err
	}
	defer c.mu.Unlock()
	if directory != szBASE_CSP_DIR || file != szCONTAINER_MAP_FILE {
		return nil, nte.Errorf(nte.SCARD_E_FILE_NOT_FOUND, "there is no file %q in %q", file, directory)
	}
	var records []byte
	isDefault := byte(containerMapDefault)
	for index := range 256 {
		kept, err := c.container(byte(index))
		if Status(err) == nte.SCARD_E_NO_KEY_CONTAINER {
			continue
		}
		if err != nil {
			return nil, err
		}
		record := kept.mapRecord(containerMapValid | isDefault)
		records = append(records, make([]byte, index*mapRecordLen-len(records))...) // those before are empty
		records = append(records, record...)
		isDefault = 0
	}
	return records, nil
}

// mapRecord says what is in a container. Its name is that of the key's CKA_UNIQUE_ID, so that another key in the container has another.
func (k *kept) mapRecord(flags byte) []byte {
	record := make([]byte, 0, mapRecordLen)
	id, _ := k.set.Get(ck.CKA_UNIQUE_ID)
	name := text(guid(string(id)))
	record = append(record, name[:min(len(name), 2*maxGUIDCharacters)]...)
	record = record[:mapRecordLen]
	record[mapFlags] = flags
	at := mapSig
	if k.spec.Exchange {
		at = mapExchange
	}
	binary.LittleEndian.PutUint16(record[at:], uint16(k.size()))
	return record
}

// guid puts the hyphens of a GUID into 32 hexadecimal digits.
func guid(digits string) string {
	if len(digits) != 32 {
		return digits
	}
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
}

// size is the key's, in bits.
func (k *kept) size() int {
	if k.spec.Bits != 0 {
		return int(k.spec.Bits)
	}
	modulus, _ := k.set.Get(ck.CKA_MODULUS)
	return new(big.Int).SetBytes(modulus).BitLen()
}
