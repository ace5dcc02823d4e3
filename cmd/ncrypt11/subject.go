package main

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"
)

// nameParts are the attributes of a distinguished name that --subject takes (RFC 4514, section 3).
var nameParts = map[string]asn1.ObjectIdentifier{
	"CN":           {2, 5, 4, 3},
	"SERIALNUMBER": {2, 5, 4, 5},
	"C":            {2, 5, 4, 6},
	"L":            {2, 5, 4, 7},
	"ST":           {2, 5, 4, 8},
	"O":            {2, 5, 4, 10},
	"OU":           {2, 5, 4, 11},
}

// parseSubject reads "CN=site,O=Example,C=DE", or a plain name, which becomes the common name, into a name as it stands in certificates.
func parseSubject(text string) ([]byte, error) {
	if !strings.Contains(text, "=") {
		return commonName(text)
	}
	var name pkix.RDNSequence
	for _, part := range splitName(text) {
		typ, value, _ := strings.Cut(part, "=")
		oid, ok := nameParts[strings.ToUpper(strings.TrimSpace(typ))]
		if !ok {
			return nil, usagef("--subject: %q is not of the form CN=NAME,O=ORGANIZATION,C=COUNTRY; there is also OU, L, ST and SERIALNUMBER", part)
		}
		name = append(name, pkix.RelativeDistinguishedNameSET{{Type: oid, Value: strings.TrimSpace(value)}})
	}
	slices.Reverse(name) // in a certificate, what is written last comes first (RFC 4514, section 2.1)
	return encodeName(name)
}

// commonName is the name of which nothing but that is known.
func commonName(text string) ([]byte, error) {
	return encodeName(pkix.RDNSequence{{{Type: nameParts["CN"], Value: text}}})
}

func encodeName(name pkix.RDNSequence) ([]byte, error) {
	for _, part := range name {
		if part[0].Value == "" {
			return nil, usagef("--subject: a part of the name is empty")
		}
	}
	raw, err := asn1.Marshal(name)
	if err != nil {
		return nil, usagef("--subject: %v", err)
	}
	return raw, nil
}

// splitName splits at commas that have no backslash before them, and takes the backslashes away.
func splitName(text string) []string {
	var parts []string
	var part strings.Builder
	escaped := false
	for _, r := range text {
		switch {
		case !escaped && r == '\\':
			escaped = true
			continue
		case !escaped && r == ',':
			parts = append(parts, part.String())
			part.Reset()
			continue
		}
		part.WriteRune(r)
		escaped = false
	}
	return append(parts, part.String())
}
