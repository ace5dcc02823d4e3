package tpmseal

import (
	"bytes"
	"errors"

	"github.com/google/go-tpm/tpm2"
)

// srkHandle is where the TCG's provisioning guidance puts the storage root key, for those who want it made once and for all.
const srkHandle tpm2.TPMHandle = 0x81000001

// parent is the storage key that objects are sealed under: the primary key of a hierarchy, by the TCG's template for ECC storage root keys.
// A hierarchy has one such key, which comes out of its seed each time it is made. So nothing needs to be written to the TPM.
type parent struct {
	handle tpm2.TPMHandle
	public tpm2.TPMTPublic
	name   tpm2.TPM2BName
	done   func()
}

// errOtherParent says that the hierarchy has another seed than when something was sealed.
var errOtherParent = errors.New("another storage key")

// newParent is the parent for sealing: the primary key itself, made anew. Only where the owner has a password, so that nobody else may
// make it, is the persistent one taken for it.
func (o *operation) newParent(hierarchy tpm2.TPMHandle) (*parent, error) {
	p, err := o.primary(hierarchy)
	if hierarchy == tpm2.TPMRHOwner && errors.Is(err, tpm2.TPMRCBadAuth) {
		if kept := o.persistent(); kept != nil {
			return kept, nil
		}
	}
	return p, err
}

// parentNamed is the parent of something that was sealed. Whoever sits between us and the TPM can show us another key, but no other key has
// the name: what is encrypted to this one, only the TPM reads.
func (o *operation) parentNamed(hierarchy tpm2.TPMHandle, name []byte) (*parent, error) {
	if hierarchy == tpm2.TPMRHOwner {
		if p := o.persistent(); p != nil && bytes.Equal(p.name.Buffer, name) {
			return p, nil
		}
	}
	p, err := o.primary(hierarchy)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(p.name.Buffer, name) {
		p.done()
		return nil, errOtherParent
	}
	return p, nil
}

// primary makes the primary key of a hierarchy. The caller is done with it before others need the TPM's memory.
func (o *operation) primary(hierarchy tpm2.TPMHandle) (*parent, error) {
	made, err := execute(o, tpm2.CreatePrimary{
		PrimaryHandle: tpm2.AuthHandle{Handle: hierarchy, Auth: tpm2.PasswordAuth(nil)},
		InPublic:      tpm2.New2B(tpm2.ECCSRKTemplate),
	})
	if err != nil {
		return nil, err
	}
	p := checkedParent(made.ObjectHandle, &made.OutPublic, made.Name)
	if p == nil {
		o.flush(made.ObjectHandle)
		return nil, unsound("TPM2_CreatePrimary made another key than it was asked for")
	}
	p.done = func() { o.flush(p.handle) }
	return p, nil
}

// persistent is the storage root key at its usual handle; nil if there is none, or another key, an RSA one for instance.
func (o *operation) persistent() *parent {
	got, err := execute(o, tpm2.ReadPublic{ObjectHandle: srkHandle})
	if err != nil {
		return nil
	}
	return checkedParent(srkHandle, &got.OutPublic, got.Name)
}

// checkedParent checks that a key is by the template, and that name is its name; nil if not.
func checkedParent(handle tpm2.TPMHandle, public *tpm2.TPM2BPublic, name tpm2.TPM2BName) *parent {
	contents, err := public.Contents()
	if err != nil {
		return nil
	}
	point, err := contents.Unique.ECC()
	if err != nil {
		return nil
	}
	expected := tpm2.ECCSRKTemplate
	expected.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, point)
	computed, err := tpm2.ObjectName(&expected)
	if err != nil || !bytes.Equal(tpm2.Marshal(expected), public.Bytes()) || !bytes.Equal(computed.Buffer, name.Buffer) {
		return nil
	}
	return &parent{handle: handle, public: expected, name: name, done: func() {}}
}
