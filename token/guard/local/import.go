package local

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// parts finds the components of a key that is being imported.
type parts []guard.Part

// get gives a component, nil where it is missing or empty.
func (p parts) get(t ck.AttributeType) []byte {
	for _, part := range p {
		if part.Type == t && len(part.Value) > 0 {
			return part.Value
		}
	}
	return nil
}

// importers rebuild private keys from their parts.
var importers = map[ck.KeyType]func(parts) (material, error){
	ck.CKK_RSA:           importRSA,
	ck.CKK_EC:            importEC,
	ck.CKK_EC_EDWARDS:    importEdwards,
	ck.CKK_EC_MONTGOMERY: importMontgomery,
	ck.CKK_ML_KEM:        importKEM,
	ck.CKK_ML_DSA:        importMLDSA,
}

// importMaterial makes a key from plaintext parts, which it copies.
func importMaterial(given *guard.Material) (material, error) {
	p := parts(given.Parts)
	switch given.Class {
	case ck.CKO_DATA:
		return &dataValue{secret.Copy(p.get(ck.CKA_VALUE))}, nil
	case ck.CKO_SECRET_KEY:
		value := p.get(ck.CKA_VALUE)
		if value == nil {
			return nil, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "a secret key needs CKA_VALUE")
		}
		return newSecretKey(given.KeyType, secret.Copy(value))
	case ck.CKO_PRIVATE_KEY:
		if importer, ok := importers[given.KeyType]; ok {
			return importer(p)
		}
	}
	return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "keys of this class and type are not supported")
}

// materialOf makes a key from the plaintext of a record, which it copies.
func materialOf(class ck.ObjectClass, keyType ck.KeyType, plain *secret.Bytes) (material, error) {
	switch class {
	case ck.CKO_DATA:
		return &dataValue{plain.Clone()}, nil
	case ck.CKO_SECRET_KEY:
		return newSecretKey(keyType, plain.Clone())
	case ck.CKO_PRIVATE_KEY:
		return parsePKCS8(keyType, plain.Bytes())
	}
	return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a class that a guard does not keep")
}

// dataValue is the value of a private data object: it can be read and nothing else.
type dataValue struct{ value *secret.Bytes }

func (d *dataValue) plain() (*secret.Bytes, error) { return d.value.Clone(), nil }

func (d *dataValue) public() ([]guard.Part, error) { return nil, nil }

func (d *dataValue) private() []guard.Part { return valuePart(d.value.Bytes()) }

func (d *dataValue) wipe() { d.value.Close() }

// valuePart is a copy of value as CKA_VALUE.
func valuePart(value []byte) []guard.Part {
	return []guard.Part{{Type: ck.CKA_VALUE, Value: append([]byte{}, value...)}}
}
