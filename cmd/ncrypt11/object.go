package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/p11uri"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// class is a class of objects that people deal with.
type class struct {
	class ck.ObjectClass
	name  string // the type attribute of a URI, and --type
	words string
}

var classes = []class{
	{ck.CKO_PRIVATE_KEY, "private", "private key"},
	{ck.CKO_PUBLIC_KEY, "public", "public key"},
	{ck.CKO_SECRET_KEY, "secret-key", "secret key"},
	{ck.CKO_CERTIFICATE, "cert", "certificate"},
	{ck.CKO_DATA, "data", "data"},
}

func classNames() []string {
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.name
	}
	return names
}

// object is an object of a token as it is shown. The tags are the JSON that scripts read.
type object struct {
	Type        string   `json:"type"`          // as in URIs: private, public, secret-key, cert, data
	Key         string   `json:"key,omitempty"` // RSA-2048, P-256, AES-256, ...
	Label       string   `json:"label"`
	ID          string   `json:"id"` // hexadecimal
	URI         string   `json:"uri"`
	Usage       []string `json:"usage,omitempty"`
	Sensitive   *bool    `json:"sensitive,omitempty"`
	Extractable *bool    `json:"extractable,omitempty"`
	Isolated    *bool    `json:"isolated,omitempty"` // the guard keeps it out of reach of programs
	Usable      *bool    `json:"usable,omitempty"`   // false for good: sealed by another TPM, or for a boot that is over
	Subject     string   `json:"subject,omitempty"`
	NotAfter    string   `json:"not_after,omitempty"`
	PublicKey   string   `json:"public_key,omitempty"`  // PEM
	Certificate string   `json:"certificate,omitempty"` // PEM

	handle ck.ObjectHandle
	words  string // the type, for people
}

// shown are the attributes that an object is shown by.
var shown = []ck.AttributeType{
	ck.CKA_CLASS, ck.CKA_KEY_TYPE, ck.CKA_LABEL, ck.CKA_ID, ck.CKA_MODULUS, ck.CKA_EC_PARAMS, ck.CKA_PARAMETER_SET, ck.CKA_VALUE_LEN, ck.CKA_PUBLIC_KEY_INFO,
	ck.CKA_SENSITIVE, ck.CKA_EXTRACTABLE, ck.CKA_NCRYPT_ISOLATED,
	ck.CKA_SIGN, ck.CKA_SIGN_RECOVER, ck.CKA_VERIFY, ck.CKA_VERIFY_RECOVER, ck.CKA_ENCRYPT, ck.CKA_DECRYPT, ck.CKA_WRAP, ck.CKA_UNWRAP, ck.CKA_DERIVE, ck.CKA_ENCAPSULATE, ck.CKA_DECAPSULATE,
}

// attributes reads those of types that the object has and shows.
func (s *session) attributes(h ck.ObjectHandle, types ...ck.AttributeType) (*attr.Set, error) {
	readings := make([]token.Reading, len(types))
	for i, typ := range types {
		readings[i].Type = typ
	}
	set := &attr.Set{}
	err := s.GetAttributes(h, readings, func() {
		for _, r := range readings {
			if r.Err == nil {
				set.Put(r.Type, r.Value)
			}
		}
	})
	return set, err
}

// find gives the handles of all objects that match.
func (s *session) find(t attr.Template) ([]ck.ObjectHandle, error) {
	if err := s.FindObjectsInit(t); err != nil {
		return nil, err
	}
	const all = 1<<31 - 1
	found, err := s.FindObjects(all)
	if err != nil {
		return nil, err
	}
	return found, s.FindObjectsFinal()
}

// object reads what is shown of an object; nil for a class that is the module's own affair.
func (s *session) object(h ck.ObjectHandle) (*object, error) {
	set, err := s.attributes(h, shown...)
	if err != nil {
		return nil, err
	}
	number, _ := set.ULong(ck.CKA_CLASS)
	for _, c := range classes {
		if c.class == ck.ObjectClass(number) {
			return s.describe(h, c, set)
		}
	}
	return nil, nil
}

func (s *session) describe(h ck.ObjectHandle, c class, set *attr.Set) (o *object, err error) {
	label, _ := set.Get(ck.CKA_LABEL)
	id, _ := set.Get(ck.CKA_ID)
	o = &object{
		Type: c.name, Label: string(label), ID: hex.EncodeToString(id), URI: s.uri(c, set).String(), Key: keyName(set),
		Sensitive: optional(set, ck.CKA_SENSITIVE), Extractable: optional(set, ck.CKA_EXTRACTABLE), Isolated: optional(set, ck.CKA_NCRYPT_ISOLATED),
		Usage: usageNames(c.class, set), handle: h, words: c.words,
	}
	if o.Isolated != nil {
		if o.Usable, err = s.usable(h); err != nil {
			return nil, err
		}
	}
	if spki, _ := set.Get(ck.CKA_PUBLIC_KEY_INFO); len(spki) > 0 {
		o.PublicKey = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
	}
	if c.class == ck.CKO_CERTIFICATE {
		value, err := s.attributes(h, ck.CKA_VALUE)
		if err != nil {
			return nil, err
		}
		der, _ := value.Get(ck.CKA_VALUE)
		o.certificate(der)
	}
	return o, nil
}

// usable says whether a key can be used. A token's keys share their fate, so the guard is asked about the first one only.
func (s *session) usable(h ck.ObjectHandle) (*bool, error) {
	if s.keysUsable == nil {
		set, err := s.attributes(h, ck.CKA_NCRYPT_USABLE)
		if err != nil {
			return nil, err
		}
		s.keysUsable = optional(set, ck.CKA_NCRYPT_USABLE)
	}
	return s.keysUsable, nil
}

// title is what the object is, for people, and what is worse about it than they may think.
func (o *object) title() string {
	title := strings.TrimSpace(o.Key + " " + o.words)
	if o.Isolated != nil && !*o.Isolated {
		title += ", not isolated"
	}
	if o.Usable != nil && !*o.Usable {
		title += ", unusable"
	}
	return title
}

// certificate adds a certificate and what it says. One that cannot be read is listed without that.
func (o *object) certificate(der []byte) {
	o.Certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	if cert, err := x509.ParseCertificate(der); err == nil {
		o.Subject, o.NotAfter = cert.Subject.String(), cert.NotAfter.UTC().Format(time.RFC3339)
	}
}

func optional(set *attr.Set, typ ck.AttributeType) *bool {
	if _, ok := set.Get(typ); !ok {
		return nil
	}
	v := set.Bool(typ)
	return &v
}

// uri names the object: by its id and label within its token, which is named by serial number only where the label does not tell.
func (s *session) uri(c class, set *attr.Set) *p11uri.URI {
	path := map[string]string{p11uri.Type: c.name}
	info := &s.token.info
	if info.Label != "" {
		path[p11uri.Token] = info.Label
	}
	if info.Label == "" || !s.alone {
		path[p11uri.Serial] = info.SerialNumber
	}
	if id, _ := set.Get(ck.CKA_ID); len(id) > 0 {
		path[p11uri.ID] = string(id)
	}
	if label, _ := set.Get(ck.CKA_LABEL); len(label) > 0 {
		path[p11uri.Object] = string(label)
	}
	return &p11uri.URI{Path: path}
}

// keyName says what key it is, as in RSA-2048.
func keyName(set *attr.Set) string {
	number, ok := set.ULong(ck.CKA_KEY_TYPE)
	if !ok {
		return certifiedKey(set)
	}
	keyType := ck.KeyType(number)
	name := strings.ReplaceAll(strings.TrimPrefix(keyType.String(), "CKK_"), "_", "-")
	switch keyType {
	case ck.CKK_RSA:
		modulus, _ := set.Get(ck.CKA_MODULUS)
		return fmt.Sprintf("RSA-%d", new(big.Int).SetBytes(modulus).BitLen())
	case ck.CKK_EC, ck.CKK_EC_EDWARDS, ck.CKK_EC_MONTGOMERY:
		params, _ := set.Get(ck.CKA_EC_PARAMS)
		if curve, err := pubkey.DecodeParams(params, keyType); err == nil {
			return curve.Name
		}
		return name
	case ck.CKK_ML_KEM, ck.CKK_ML_DSA:
		number, _ := set.ULong(ck.CKA_PARAMETER_SET)
		return setName(keyType, number, name)
	}
	if size, ok := set.ULong(ck.CKA_VALUE_LEN); ok {
		return fmt.Sprintf("%s-%d", name, 8*size)
	}
	return name
}

// certifiedKey is the key of a certificate, where it is of a kind that tokens have.
func certifiedKey(set *attr.Set) string {
	spki, _ := set.Get(ck.CKA_PUBLIC_KEY_INFO)
	public, err := pubkey.ParseSPKI(spki)
	if err != nil {
		return ""
	}
	if key, ok := public.(*rsa.PublicKey); ok {
		return fmt.Sprintf("RSA-%d", key.N.BitLen())
	}
	if key := latticeOf(public); key != nil {
		return key.name
	}
	curve, _ := pubkey.Point(public)
	return curve.Name
}

// printObjects prints objects as the commands that make or show some do.
func printObjects(w io.Writer, objects []*object) error {
	rows := make([][]string, len(objects))
	for i, o := range objects {
		rows[i] = []string{o.title(), display(o.Label), o.ID, o.URI}
	}
	return printTable(w, []string{"TYPE", "LABEL", "ID", "URI"}, rows)
}

// objects reads what is shown of each. An object that another process has destroyed in the meantime is left out.
func (s *session) objects(handles []ck.ObjectHandle) ([]*object, error) {
	var list []*object
	for _, h := range handles {
		o, err := s.object(h)
		if errors.Is(err, ck.CKR_OBJECT_HANDLE_INVALID) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if o != nil {
			list = append(list, o)
		}
	}
	return list, nil
}
