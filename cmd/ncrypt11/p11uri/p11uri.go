// Package p11uri reads and writes PKCS #11 URIs (RFC 7512).
package p11uri

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Scheme begins every PKCS #11 URI. As in all URIs its case does not matter.
const Scheme = "pkcs11:"

// The attributes of the path (RFC 7512, section 2.3, table 1).
const (
	Token               = "token"
	Manufacturer        = "manufacturer"
	Serial              = "serial"
	Model               = "model"
	LibraryManufacturer = "library-manufacturer"
	LibraryVersion      = "library-version"
	LibraryDescription  = "library-description"
	Object              = "object"
	Type                = "type"
	ID                  = "id"
	SlotManufacturer    = "slot-manufacturer"
	SlotDescription     = "slot-description"
	SlotID              = "slot-id"
)

// The attributes of the query (section 2.3, table 2).
const (
	PINSource  = "pin-source"
	PINValue   = "pin-value"
	ModuleName = "module-name"
	ModulePath = "module-path"
)

// pathOrder is every attribute of the path, in the order of writing: from the token to the object.
var pathOrder = []string{
	Token, Serial, Manufacturer, Model, ID, Object, Type, SlotID, SlotManufacturer, SlotDescription,
	LibraryManufacturer, LibraryVersion, LibraryDescription,
}

// queryOrder is every attribute of the query that the RFC names.
var queryOrder = []string{PINSource, PINValue, ModuleName, ModulePath}

// types are the values of the type attribute.
var types = []string{"public", "private", "cert", "secret-key", "data"}

// URI is a PKCS #11 URI: attributes by name, their values decoded. An attribute with an empty value is not the same as none. The value of id is
// arbitrary bytes, all others are UTF-8.
type URI struct {
	Path  map[string]string
	Query map[string]string
}

// Is says whether s claims to be a PKCS #11 URI.
func Is(s string) bool {
	return len(s) >= len(Scheme) && strings.EqualFold(s[:len(Scheme)], Scheme)
}

// Parse reads a URI. Attributes of the path that are not in the RFC are an error, because they say of what is meant something that nobody here
// understands; those of the query are left out.
func Parse(s string) (*URI, error) {
	if !Is(s) {
		return nil, fmt.Errorf("a PKCS #11 URI begins with %q", Scheme)
	}
	path, query, hasQuery := strings.Cut(s[len(Scheme):], "?")
	u := &URI{Path: map[string]string{}, Query: map[string]string{}}
	if path != "" {
		for item := range strings.SplitSeq(path, ";") {
			if err := add(u.Path, item, pathOrder, pathExtra, true); err != nil {
				return nil, err
			}
		}
	}
	if hasQuery {
		for item := range strings.SplitSeq(query, "&") {
			if err := add(u.Query, item, queryOrder, queryExtra, false); err != nil {
				return nil, err
			}
		}
	}
	return u, u.check()
}

var errForm = errors.New("an attribute is not of the form name=value")

// add takes in one name=value.
func add(to map[string]string, item string, known []string, extra string, strict bool) error {
	name, value, ok := strings.Cut(item, "=")
	if !ok || !validName(name) {
		return errForm // it is not shown: it may be a piece of a PIN
	}
	decoded, err := decode(value, extra)
	if err != nil {
		return fmt.Errorf("attribute %s: %w", name, err)
	}
	if !slices.Contains(known, name) {
		if strict {
			return fmt.Errorf("attribute %s is unknown", name)
		}
		return nil
	}
	if _, twice := to[name]; twice {
		return fmt.Errorf("attribute %s stands twice", name)
	}
	to[name] = decoded
	return nil
}

// validName is pk11-v-attr-nm, which all names of the RFC are too.
func validName(name string) bool {
	for _, c := range []byte(name) {
		if !isAlphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return name != ""
}

func (u *URI) check() error {
	for _, attributes := range []map[string]string{u.Path, u.Query} {
		for name, value := range attributes {
			if name != ID && !utf8.ValidString(value) {
				return fmt.Errorf("attribute %s is not UTF-8", name)
			}
		}
	}
	if t, ok := u.Path[Type]; ok && !slices.Contains(types, t) {
		return fmt.Errorf("type %q is none of %s", t, strings.Join(types, ", "))
	}
	if id, ok := u.Path[SlotID]; ok && !isDigits(id) {
		return fmt.Errorf("slot-id %q is not a number", id)
	}
	return nil
}

// String writes the URI, attributes in a fixed order. Those that the RFC does not name are left out.
func (u *URI) String() string {
	var b strings.Builder
	b.WriteString(Scheme)
	write(&b, u.Path, pathOrder, "", ";")
	write(&b, u.Query, queryOrder, "?", "&")
	return b.String()
}

func write(b *strings.Builder, attributes map[string]string, order []string, first, between string) {
	separator := first
	for _, name := range order {
		value, ok := attributes[name]
		if !ok {
			continue
		}
		b.WriteString(separator + name + "=")
		separator = between
		encode(b, value, name == ID)
	}
}
