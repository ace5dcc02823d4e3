package minidriver

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// containerName is how a container's key is found in the token: by its CKA_NCRYPT_KEY_NAME, which no other key of the token has. Its halves share their CKA_ID.
func containerName(index byte) string { return fmt.Sprintf("minidriver container %02X", index) }

func containerID(index byte) []byte { return []byte{'m', 'd', index} }

// CreateContainer is CardCreateContainer: a key pair is generated (CARD_CREATE_CONTAINER_KEY_GEN; keySize in bits, for curves also 0) or taken in as it is
// (CARD_CREATE_CONTAINER_KEY_IMPORT, a PRIVATEKEYBLOB or BCRYPT_ECCPRIVATE_BLOB), in the place of what the container had. A generated AT_KEYEXCHANGE pair opens
// session keys and does nothing else: see ImportSessionKey.
func (c *Context) CreateContainer(index byte, flags, keySpec, keySize uint32, keyData []byte) error {
	if err := c.enter("CardCreateContainer"); err != nil {
		return err
	}
	defer c.mu.Unlock()
	spec := message.FindKeySpec(keySpec)
	if spec == nil {
		return invalid("there is no key spec %d", keySpec)
	}
	if keySize == 0 && flags == CARD_CREATE_CONTAINER_KEY_GEN { // so for curves on Windows
		keySize = spec.Bits
	}
	if spec.Bits != 0 && keySize != spec.Bits {
		return invalid("keys of spec %d have %d bits, not %d", keySpec, spec.Bits, keySize)
	}
	switch flags {
	case CARD_CREATE_CONTAINER_KEY_GEN:
		return c.generate(index, spec, keySize)
	case CARD_CREATE_CONTAINER_KEY_IMPORT:
		return c.importPlain(index, spec, keySize, keyData)
	}
	return invalid("flags %#x: a key is generated, or imported", flags)
}

// CreateContainerEx is CardCreateContainerEx: CreateContainer under a PIN, which must be the user's.
func (c *Context) CreateContainerEx(index byte, flags, keySpec, keySize uint32, keyData []byte, pinID uint32) error {
	if err := c.Serves("CardCreateContainerEx"); err != nil {
		return err
	}
	if pinID != message.ROLE_USER {
		return invalid("a container's key is under the user's PIN (%d), not %d", message.ROLE_USER, pinID)
	}
	return c.CreateContainer(index, flags, keySpec, keySize, keyData)
}

// generators make keys, by their type.
var generators = map[ck.KeyType]ck.MechanismType{ck.CKK_RSA: ck.CKM_RSA_PKCS_KEY_PAIR_GEN, ck.CKK_EC: ck.CKM_EC_KEY_PAIR_GEN}

func (c *Context) generate(index byte, spec *message.KeySpec, bits uint32) error {
	public := append(publicTemplate(index), number(ck.CKA_MODULUS_BITS, uint(bits)))
	if spec.KeyType == ck.CKK_EC {
		public = append(publicTemplate(index), attr.Attribute{Type: ck.CKA_EC_PARAMS, Value: curveOf(spec).Params})
	}
	private := append(privateTemplate(index), usages(spec)...)
	if spec.KeyType == ck.CKK_RSA && spec.Exchange {
		private = append(privateTemplate(index), onlyUnwraps(ck.CKA_DECRYPT, ck.CKA_SIGN, ck.CKA_SIGN_RECOVER)...)
		private = append(private, attr.Attribute{Type: ck.CKA_ALLOWED_MECHANISMS, Value: attr.ULong(uint(ck.CKM_NCRYPT_SKI_SESSION))})
	}
	_, _, err := c.session.GenerateKeyPair(ck.Mechanism{Type: generators[spec.KeyType]}, public, private)
	return err
}

// importPlain takes a key in that this process has seen.
func (c *Context) importPlain(index byte, spec *message.KeySpec, bits uint32, data []byte) error {
	key, err := readKey(spec, bits, data)
	if err != nil {
		return err
	}
	defer key.Close()
	t := slices.Concat(privateTemplate(index), usages(spec), attr.Template{
		number(ck.CKA_CLASS, uint(ck.CKO_PRIVATE_KEY)), number(ck.CKA_KEY_TYPE, uint(spec.KeyType)),
	}, key.Parts())
	if err := c.session.KeepHalves(publicTemplate(index)); err != nil {
		return err
	}
	_, err = c.session.CreateObject(t)
	return err
}

// DeleteContainer is CardDeleteContainer: the key pair is gone. Other objects with its CKA_ID, as certificates, stay.
func (c *Context) DeleteContainer(index byte, reserved uint32) error {
	if err := c.enterPlain("CardDeleteContainer", reserved); err != nil {
		return err
	}
	defer c.mu.Unlock()
	kept, err := c.container(index)
	if err != nil {
		return err
	}
	info, _ := kept.set.Get(ck.CKA_PUBLIC_KEY_INFO)
	halves, err := c.find(number(ck.CKA_CLASS, uint(ck.CKO_PUBLIC_KEY)), boolean(ck.CKA_TOKEN, true),
		attr.Attribute{Type: ck.CKA_ID, Value: containerID(index)}, attr.Attribute{Type: ck.CKA_PUBLIC_KEY_INFO, Value: info})
	if err != nil {
		return err
	}
	return c.session.DestroyTogether(append(halves, kept.object)...)
}

// Info is CONTAINER_INFO: the public half of a container's key, in the one place that its key spec says. RSA: PUBLICKEYBLOB; curves: BCRYPT_ECCKEY_BLOB.
type Info struct {
	SigPublicKey   []byte
	KeyExPublicKey []byte
}

// GetContainerInfo is CardGetContainerInfo. Errors: SCARD_E_NO_KEY_CONTAINER for one that is empty, SCARD_W_CARD_NOT_AUTHENTICATED before the login.
func (c *Context) GetContainerInfo(index byte, flags uint32) (*Info, error) {
	if err := c.enterPlain("CardGetContainerInfo", flags); err != nil {
		return nil, err
	}
	defer c.mu.Unlock()
	kept, err := c.container(index)
	if err != nil {
		return nil, err
	}
	public, err := kept.publicBlob()
	if err != nil {
		return nil, err
	}
	if kept.spec.Exchange {
		return &Info{KeyExPublicKey: public}, nil
	}
	return &Info{SigPublicKey: public}, nil
}

// kept is the key of a container.
type kept struct {
	object ck.ObjectHandle
	spec   *message.KeySpec
	set    *attr.Set
}

// container finds what a container has: SCARD_E_NO_KEY_CONTAINER for nothing. Private keys are not seen before the login; who took that for an empty
// container would put another key there, in the place of the one that he could not see.
func (c *Context) container(index byte) (*kept, error) {
	found, err := c.find(attr.Attribute{Type: ck.CKA_NCRYPT_KEY_NAME, Value: []byte(containerName(index))})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		if err := c.loggedIn(); err != nil {
			return nil, err
		}
		return nil, nte.Errorf(nte.SCARD_E_NO_KEY_CONTAINER, "there is nothing in container %d", index)
	}
	set, err := c.read(found[0], ck.CKA_KEY_TYPE, ck.CKA_DECRYPT, ck.CKA_UNWRAP, ck.CKA_DERIVE, ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT, ck.CKA_EC_PARAMS,
		ck.CKA_EC_POINT, ck.CKA_UNIQUE_ID, ck.CKA_PUBLIC_KEY_INFO)
	if err != nil {
		return nil, err
	}
	k := &kept{object: found[0], set: set}
	return k, k.recognize()
}

// publicBlob is the public half as cards give it.
func (k *kept) publicBlob() ([]byte, error) {
	keyType, _ := k.set.ULong(ck.CKA_KEY_TYPE)
	key := &blob.Key{Algorithm: k.spec.Algorithm, Class: ck.CKO_PUBLIC_KEY, KeyType: ck.KeyType(keyType)}
	defer key.Close()
	for _, typ := range []ck.AttributeType{ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT, ck.CKA_EC_PARAMS, ck.CKA_EC_POINT} {
		if value, ok := k.set.Get(typ); ok {
			key.Put(typ, value)
		}
	}
	format := "ECCPUBLICBLOB"
	if k.spec.KeyType == ck.CKK_RSA {
		format = "CAPIPUBLICBLOB"
	}
	out, err := blob.Write(format, key, nil)
	if err != nil {
		return nil, err
	}
	public := slices.Clone(out.Bytes())
	out.Close()
	if k.spec.KeyType == ck.CKK_RSA && !k.spec.Exchange {
		const aiKeyAlg, calgRSASign = 4, 0x2400
		binary.LittleEndian.PutUint32(public[aiKeyAlg:], calgRSASign)
	}
	return public, nil
}
