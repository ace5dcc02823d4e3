package blob

import "slices"

// PlainFormats are the names of the formats that are neither DER nor encrypted.
func PlainFormats() []string {
	names := []string{}
	for _, f := range slices.Concat(genericFormats, rsaFormats, eccFormats, eccFullFormats, dhFormats, dsaFormats, capiFormats, capiGroupFormats,
		secretFormats, headedFormats, pqFormats, pqWrapperFormats) {
		names = append(names, f.name)
	}
	return names
}

// MaxBlob is the size of the largest blob that is looked at.
const MaxBlob = maxBlob
