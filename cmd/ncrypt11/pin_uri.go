package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/p11uri"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// hasPIN says whether a token's name is a URI with a PIN in it.
func hasPIN(name string) bool {
	query := queryOf(name)
	_, value := query[p11uri.PINValue]
	_, source := query[p11uri.PINSource]
	return value || source
}

// pinOfURI gives the PIN that a URI has or points to (RFC 7512, section 2.4); nil where it has none. Of the ways to
// point to one, files are followed; commands are not run.
func pinOfURI(name string) (*secret.Bytes, error) {
	query := queryOf(name)
	value, hasValue := query[p11uri.PINValue]
	source, hasSource := query[p11uri.PINSource]
	switch {
	case hasValue && hasSource:
		return nil, usagef("%s: pin-value and pin-source are not for the same URI", shownName(name))
	case hasValue:
		return secret.Copy([]byte(value)), nil
	case !hasSource:
		return nil, nil
	}
	file := strings.TrimPrefix(source, "file:")
	file = strings.TrimPrefix(file, "//") // file:///etc/pin, with an empty host
	if !filepath.IsAbs(file) {
		return nil, fmt.Errorf("pin-source %q is not an absolute file name", source)
	}
	return readLineOf(file)
}

// queryOf is the query of a URI, empty for names that are none. They were checked when the token was chosen.
func queryOf(name string) map[string]string {
	if !p11uri.Is(name) {
		return nil
	}
	u, err := p11uri.Parse(name)
	if err != nil {
		return nil
	}
	return u.Query
}

// shownName is a token's name as it may be shown: PINs stand in the query of a URI, or by mistake in its path.
func shownName(name string) string {
	if !p11uri.Is(name) {
		return name
	}
	path, _, _ := strings.Cut(name, "?")
	path, _, _ = strings.Cut(path, p11uri.PINValue+"=")
	return path
}
