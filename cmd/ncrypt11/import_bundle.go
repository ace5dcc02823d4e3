package main

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// importBundle makes those objects of a bundle that are not there yet, and gives what it made also where it fails. The private key comes last: where the program
// is killed before, doing it again completes what is there.
func importBundle(s *session, b *bundle, key *keyFlags) (made []ck.ObjectHandle, err error) {
	label, id, err := nameBundle(s, b, key)
	if err != nil {
		return nil, err
	}
	create := func(t attr.Template, err error) error {
		defer t.Wipe()
		if err != nil {
			return err
		}
		h, err := s.CreateObject(t)
		if err == nil {
			made = append(made, h)
		}
		return err
	}
	for _, cert := range b.certificates {
		if s.has(certificate(cert)) {
			continue
		}
		if err := create(certificateTemplate(cert, label, id), nil); err != nil {
			return made, err
		}
	}
	if (b.private != nil || b.bare) && !s.has(publicKey(b)) {
		if err := create(publicTemplate(b, label, id, key)); err != nil {
			return made, err
		}
	}
	if b.private != nil {
		if err := create(privateTemplate(b, label, id, key)); err != nil {
			return made, err
		}
	}
	slices.Reverse(made) // shown with the private key first
	return made, nil
}

// nameBundle finds label and id. What belongs to a key that the token has already gets the id of that key.
func nameBundle(s *session, b *bundle, key *keyFlags) (label string, id []byte, err error) {
	label, id = key.label, key.idBytes
	if label == "" {
		label = b.label()
	}
	there, err := theirKey(s, b)
	if err != nil {
		return "", nil, err
	}
	if there != nil && there.Type == "private" && b.private != nil {
		return "", nil, fmt.Errorf("the key is in the token already: %s", there.URI)
	}
	if len(id) == 0 && there != nil {
		if id, err = parseID(there.ID); err != nil {
			return "", nil, err
		}
	}
	if len(id) == 0 {
		id = b.id()
	}
	return label, id, nil
}

// theirKey finds the key of a bundle in the token, the private one before the public one; nil where there is none.
func theirKey(s *session, b *bundle) (*object, error) {
	t := publicKey(b)
	if t == nil {
		return nil, nil
	}
	for _, class := range []ck.ObjectClass{ck.CKO_PRIVATE_KEY, ck.CKO_PUBLIC_KEY} {
		handles, err := s.find(withClass(t, class))
		if err != nil {
			return nil, err
		}
		if len(handles) > 0 {
			return s.object(handles[0])
		}
	}
	return nil, nil
}

// has says whether an object that matches is there. Where the token cannot say, making a second one will.
func (s *session) has(t attr.Template) bool {
	handles, err := s.find(t)
	return err == nil && len(handles) > 0
}

// publicKey is what finds the public key of a bundle: nil where a token cannot have it.
func publicKey(b *bundle) attr.Template {
	t, err := publicParts(b.public)
	if err != nil {
		return nil
	}
	return withClass(t, ck.CKO_PUBLIC_KEY)
}

func certificate(cert *x509.Certificate) attr.Template {
	return attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_CERTIFICATE))},
		{Type: ck.CKA_SUBJECT, Value: cert.RawSubject},
		{Type: ck.CKA_VALUE, Value: cert.Raw},
	}
}

// withClass is t of this class.
func withClass(t attr.Template, class ck.ObjectClass) attr.Template {
	t = slices.DeleteFunc(slices.Clone(t), func(a attr.Attribute) bool { return a.Type == ck.CKA_CLASS })
	return append(t, attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(class))})
}

// named begins the template of a token object.
func named(class ck.ObjectClass, label string, id []byte) attr.Template {
	return attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(class))},
		{Type: ck.CKA_TOKEN, Value: attr.Bool(true)},
		{Type: ck.CKA_PRIVATE, Value: attr.Bool(class == ck.CKO_PRIVATE_KEY || class == ck.CKO_SECRET_KEY)},
		{Type: ck.CKA_LABEL, Value: []byte(label)},
		{Type: ck.CKA_ID, Value: bytes.Clone(id)},
	}
}

// guarded is what the commands ask of every private and secret key, whatever the token's defaults are.
func guarded(t attr.Template, extractable bool) attr.Template {
	return append(t,
		attr.Attribute{Type: ck.CKA_SENSITIVE, Value: attr.Bool(true)},
		attr.Attribute{Type: ck.CKA_EXTRACTABLE, Value: attr.Bool(extractable)})
}

// privateTemplate holds the key itself; CreateObject's caller wipes it.
func privateTemplate(b *bundle, label string, id []byte, key *keyFlags) (attr.Template, error) {
	public, err := publicParts(b.public)
	if err != nil {
		return nil, err
	}
	secrets, err := secretParts(b.private)
	if err != nil {
		return secrets, err
	}
	t := guarded(named(ck.CKO_PRIVATE_KEY, label, id), key.extractable)
	t = withUsages(withSubject(append(t, public...), b), ck.CKO_PRIVATE_KEY, key.usage)
	return append(t, secrets...), nil
}

func publicTemplate(b *bundle, label string, id []byte, key *keyFlags) (attr.Template, error) {
	public, err := publicParts(b.public)
	if err != nil {
		return nil, err
	}
	t := append(named(ck.CKO_PUBLIC_KEY, label, id), public...)
	if key := latticeOf(b.public); key != nil {
		t = append(t, attr.Attribute{Type: ck.CKA_VALUE, Value: key.value})
	}
	return withUsages(withSubject(t, b), ck.CKO_PUBLIC_KEY, key.usage), nil
}

func certificateTemplate(cert *x509.Certificate, label string, id []byte) attr.Template {
	return append(named(ck.CKO_CERTIFICATE, label, id),
		attr.Attribute{Type: ck.CKA_CERTIFICATE_TYPE, Value: attr.ULong(uint(ck.CKC_X_509))},
		attr.Attribute{Type: ck.CKA_SUBJECT, Value: bytes.Clone(cert.RawSubject)},
		attr.Attribute{Type: ck.CKA_VALUE, Value: bytes.Clone(cert.Raw)})
}

// withSubject adds the subject of the key's certificate.
func withSubject(t attr.Template, b *bundle) attr.Template {
	if len(b.certificates) == 0 {
		return t
	}
	return append(t, attr.Attribute{Type: ck.CKA_SUBJECT, Value: bytes.Clone(b.certificates[0].RawSubject)})
}
