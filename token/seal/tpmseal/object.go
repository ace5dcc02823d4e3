package tpmseal

import (
	"bytes"
	"crypto/sha256"

	"github.com/google/go-tpm/tpm2"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// object is a data object of the TPM, wrapped by its parent: what is needed to load it. All else of its public area is the same for all.
type object struct {
	pin     bool              // it has an authorization value, and wrong ones are counted
	policy  [sha256.Size]byte // authPolicy
	unique  [sha256.Size]byte
	private []byte // TPM2B_PRIVATE without its size
}

// maxPrivate bounds what TPMs make of 32 bytes and an authorization value.
const maxPrivate = 1024

// public is the object's public area.
//
// Nobody can satisfy its policy, which is a hash of something else than policy commands. adminWithPolicy therefore forbids for good what
// needs the ADMIN role (TPM2_ObjectChangeAuth, TPM2_Duplicate), and userWithAuth leaves the one way to open it: the authorization value.
// An object without one is exempt from dictionary attack protection, so that it opens while the TPM is locked out.
func (b *object) public() tpm2.TPMTPublic {
	return tpm2.TPMTPublic{
		Type:    tpm2.TPMAlgKeyedHash,
		NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{
			FixedTPM:        true,
			FixedParent:     true,
			UserWithAuth:    true,
			AdminWithPolicy: true,
			NoDA:            !b.pin,
		},
		AuthPolicy: tpm2.TPM2BDigest{Buffer: b.policy[:]},
		Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgKeyedHash, &tpm2.TPMSKeyedHashParms{Scheme: tpm2.TPMTKeyedHashScheme{Scheme: tpm2.TPMAlgNull}}),
		Unique:     tpm2.NewTPMUPublicID(tpm2.TPMAlgKeyedHash, &tpm2.TPM2BDigest{Buffer: b.unique[:]}),
	}
}

// name is the object's Name (Part 1, 16): a hash of the public area.
func (b *object) name() (*tpm2.TPM2BName, error) {
	public := b.public()
	return tpm2.ObjectName(&public)
}

// create has the TPM wrap data under auth. It fills in unique and private.
func (o *operation) create(p *parent, b *object, data, auth *secret.Bytes) error {
	session, done, err := o.session(p.handle, p.public, tpm2.AESEncryption(128, tpm2.EncryptIn))
	if err != nil {
		return err
	}
	defer done()
	template := b.public()
	template.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgKeyedHash, &tpm2.TPM2BDigest{})
	made, err := execute(o, tpm2.Create{
		ParentHandle: tpm2.AuthHandle{Handle: p.handle, Name: p.name, Auth: session},
		InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
			UserAuth: tpm2.TPM2BAuth{Buffer: auth.Bytes()},
			Data:     tpm2.NewTPMUSensitiveCreate(&tpm2.TPM2BSensitiveData{Buffer: data.Bytes()}),
		}},
		InPublic: tpm2.New2B(template),
	})
	if err != nil {
		return err
	}
	public, err := made.OutPublic.Contents()
	if err != nil {
		return unsound("TPM2_Create: " + err.Error())
	}
	unique, err := public.Unique.KeyedHash()
	if err != nil || len(unique.Buffer) != len(b.unique) {
		return unsound("TPM2_Create made something else than a data object")
	}
	copy(b.unique[:], unique.Buffer)
	if b.private = made.OutPrivate.Buffer; len(b.private) == 0 || len(b.private) > maxPrivate {
		return unsound("TPM2_Create made an object of an impossible size")
	}
	if !bytes.Equal(tpm2.Marshal(b.public()), made.OutPublic.Bytes()) {
		return unsound("TPM2_Create made another object than it was asked for")
	}
	return nil
}

// unseal loads an object and gives what is in it. go-tpm leaves a copy of that in memory until the next garbage collection, which only the
// guard's own isolation keeps from others. What the object says of itself is proven when it is loaded. Just before auth is tried, after all
// that can fail for other reasons, it calls try.
func (o *operation) unseal(p *parent, b *object, auth *secret.Bytes, try func() error) (*secret.Bytes, error) {
	name, err := b.name()
	if err != nil {
		return nil, err
	}
	loaded, err := execute(o, tpm2.Load{
		ParentHandle: tpm2.AuthHandle{Handle: p.handle, Name: p.name, Auth: tpm2.PasswordAuth(nil)},
		InPrivate:    tpm2.TPM2BPrivate{Buffer: b.private},
		InPublic:     tpm2.New2B(b.public()),
	})
	if err != nil {
		return nil, err
	}
	defer o.flush(loaded.ObjectHandle)
	if !bytes.Equal(loaded.Name.Buffer, name.Buffer) {
		return nil, unsound("TPM2_Load loaded another object")
	}
	session, done, err := o.session(p.handle, p.public, tpm2.Auth(auth.Bytes()), tpm2.AESEncryption(128, tpm2.EncryptOut))
	if err != nil {
		return nil, err
	}
	defer done()
	if err := try(); err != nil {
		return nil, err
	}
	opened, err := execute(o, tpm2.Unseal{ItemHandle: tpm2.AuthHandle{Handle: loaded.ObjectHandle, Name: *name, Auth: session}})
	if err != nil {
		return nil, err
	}
	return secret.From(opened.OutData.Buffer), nil
}
