package snippet

import (
	"encoding/asn1"
	"encoding/pem"
)

// tagVisibleString is that of a VisibleString, which package asn1 does not write.
const tagVisibleString = 26

// KeyFile is a PEM file that OpenSSL's provider pkcs11 takes for the private key, for programs that read keys from files.
func (d *Data) KeyFile() (string, error) {
	der, err := asn1.Marshal(struct {
		Description asn1.RawValue
		URI         string `asn1:"utf8"`
	}{asn1.RawValue{Tag: tagVisibleString, Bytes: []byte("PKCS#11 Provider URI v1.0")}, d.WithPIN(d.Key.Private)})
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PKCS#11 PROVIDER URI", Bytes: der})), nil
}
