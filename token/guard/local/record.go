package local

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// RECORD.md, version 1.
const (
	recordMagic  = "N11R\x01" // the last byte is the version
	vaultIDLen   = 8
	saltLen      = 32
	gcmTagLen    = 16
	masterLen    = 32
	maxRecordLen = 16 << 20

	recordInfo  = "ncrypt11 record v1"
	vaultIDInfo = "ncrypt11 vault id v1"
)

func damaged(format string, args ...any) error {
	return ck.Errorf(ck.CKR_DEVICE_ERROR, "sealed record: "+format, args...)
}

// sealRecord encrypts a key's plaintext under its own key, with its policy as authenticated data.
func sealRecord(master *secret.Bytes, p *guard.Policy, plain *secret.Bytes) ([]byte, error) {
	id, err := vaultID(master)
	if err != nil {
		return nil, err
	}
	policy := p.Encode()
	record := append([]byte(recordMagic), id...)
	record = binary.BigEndian.AppendUint16(record, uint16(len(policy)))
	record = append(record, policy...)
	if len(record)+saltLen+plain.Len()+gcmTagLen > maxRecordLen {
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "a value of %d bytes is too long for a record", plain.Len())
	}
	salt := make([]byte, saltLen)
	rand.Read(salt)
	aead, err := recordCipher(master, salt)
	if err != nil {
		return nil, err
	}
	record = append(record, salt...)
	return aead.Seal(record, make([]byte, aead.NonceSize()), plain.Bytes(), record), nil
}

// openRecord gives back what sealRecord took. Errors: CKR_DEVICE_ERROR.
func openRecord(master *secret.Bytes, record []byte) (*guard.Policy, *secret.Bytes, error) {
	if len(record) > maxRecordLen || !bytes.HasPrefix(record, []byte(recordMagic)) {
		return nil, nil, damaged("not one of version 1")
	}
	rest := record[len(recordMagic):]
	if len(rest) < vaultIDLen+2 {
		return nil, nil, damaged("too short")
	}
	id, err := vaultID(master)
	if err != nil {
		return nil, nil, err
	}
	if !bytes.Equal(rest[:vaultIDLen], id) {
		return nil, nil, damaged("it belongs to another master key")
	}
	policyLen := int(binary.BigEndian.Uint16(rest[vaultIDLen:]))
	rest = rest[vaultIDLen+2:]
	if len(rest) < policyLen+saltLen+gcmTagLen {
		return nil, nil, damaged("too short")
	}
	encoded, salt, ciphertext := rest[:policyLen], rest[policyLen:policyLen+saltLen], rest[policyLen+saltLen:]

	aead, err := recordCipher(master, salt)
	if err != nil {
		return nil, nil, err
	}
	plain := secret.New(len(ciphertext) - gcmTagLen)
	head := record[:len(record)-len(ciphertext)]
	if _, err := aead.Open(plain.Bytes()[:0], make([]byte, aead.NonceSize()), ciphertext, head); err != nil {
		plain.Close()
		return nil, nil, damaged("altered")
	}
	policy, err := guard.DecodePolicy(encoded)
	if err != nil {
		plain.Close()
		return nil, nil, err
	}
	return policy, plain, nil
}

// recordCipher is the cipher of one record. Its key is used once, so the nonce may be zero.
func recordCipher(master *secret.Bytes, salt []byte) (cipher.AEAD, error) {
	recordKey, err := hkdf.Key(sha256.New, master.Bytes(), salt, recordInfo, 32)
	if err != nil {
		return nil, err
	}
	defer secret.Wipe(recordKey)
	block, err := aes.NewCipher(recordKey)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// vaultID names a master key without giving it away.
func vaultID(master *secret.Bytes) ([]byte, error) {
	return hkdf.Key(sha256.New, master.Bytes(), nil, vaultIDInfo, vaultIDLen)
}
