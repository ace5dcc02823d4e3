package minidriver

import (
	"cmp"
	"slices"

	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// maxEncrypted bounds what comes encrypted, in all its parts.
const maxEncrypted = 2 * message.MaxData

// functions are the secure functions, which decrypt and give a response.
var functions = map[string]func(c *Context, k *key, data, out []byte) (int, error){
	CARD_SECURE_FUNCTION_IMPORT_KEYPAIR:       (*Context).importKeyPair,
	CARD_SECURE_FUNCTION_CHANGE_AUTHENTICATOR: (*Context).changeAuthenticator,
	CARD_SECURE_FUNCTION_AUTHENTICATE:         (*Context).authenticate,
}

// ProcessEncryptedData is CardProcessEncryptedData: the card decrypts what MDEncryptData made, and does function with it. The parts are joined. A response is
// put in out; Import Key Pair has none. Whatever is wrong with what was encrypted is SCARD_E_INVALID_PARAMETER, and nothing has changed then.
func (c *Context) ProcessEncryptedData(h KeyHandle, function string, data [][]byte, out []byte, flags uint32) (int, error) {
	if err := c.enter("CardProcessEncryptedData"); err != nil {
		return 0, err
	}
	defer c.mu.Unlock()
	k, err := c.keys.get(h)
	if err != nil {
		return 0, err
	}
	do, ok := functions[function]
	length := 0
	for _, part := range data {
		length += len(part)
	}
	switch {
	case !ok:
		return 0, invalid("there is no secure function %q", function)
	case flags != CARD_BLOCK_PADDING:
		return 0, invalid("flags %#x: the padding must be CARD_BLOCK_PADDING", flags)
	case c.session == nil:
		return 0, nte.Errorf(nte.SCARD_E_NO_SMARTCARD, "the context was acquired without a card: there is nothing to do %q with", function)
	case k.object == 0:
		return 0, invalid("the key is not in the card")
	case k.iv == nil:
		return 0, invalid("the key has no IV")
	case length > maxEncrypted:
		return 0, invalid("%d bytes, more than %d", length, maxEncrypted)
	}
	return do(c, k, slices.Concat(data...), out)
}

// importKeyPair has the guard open the key pair, which says itself what container it is for: it comes as a session's object, and is then kept in the place of
// what the container had, in one durable step.
func (c *Context) importKeyPair(k *key, data, _ []byte) (int, error) {
	object, err := c.unwrapKeyPair(k, data)
	if err != nil {
		return 0, err
	}
	err = c.place(object)
	return 0, cmp.Or(err, c.session.DestroyObject(object))
}

// unwrapKeyPair tries the types that a key pair can have: which it is stands in what is encrypted.
func (c *Context) unwrapKeyPair(k *key, data []byte) (object ck.ObjectHandle, err error) {
	for _, keyType := range []ck.KeyType{ck.CKK_RSA, ck.CKK_EC} {
		t := slices.Concat(confined(false), everything(keyType), attr.Template{
			number(ck.CKA_CLASS, uint(ck.CKO_PRIVATE_KEY)), number(ck.CKA_KEY_TYPE, uint(keyType)),
		})
		object, err = c.session.UnwrapKey(ck.Mechanism{Type: ck.CKM_NCRYPT_SKI_IMPORT_KEYPAIR, Params: ck.RawParams(k.iv)}, k.object, data, t)
		if ck.Code(err) != ck.CKR_WRAPPED_KEY_INVALID {
			break
		}
	}
	return object, err
}

// place keeps a key pair in the container that it is for, to do what it is for.
func (c *Context) place(object ck.ObjectHandle) error {
	set, err := c.read(object, ck.CKA_NCRYPT_CONTAINER, ck.CKA_NCRYPT_KEY_SPEC)
	if err != nil {
		return err
	}
	index, hasIndex := set.ULong(ck.CKA_NCRYPT_CONTAINER)
	number, _ := set.ULong(ck.CKA_NCRYPT_KEY_SPEC)
	spec := message.FindKeySpec(uint32(number))
	if !hasIndex || index > 255 || spec == nil {
		return nte.Errorf(nte.SCARD_F_INTERNAL_ERROR, "the guard says nothing of the container")
	}
	if err := c.session.KeepHalves(publicTemplate(byte(index))); err != nil {
		return err
	}
	t := slices.Concat(attr.Template{boolean(ck.CKA_TOKEN, true)}, naming(byte(index)), usages(spec))
	_, err = c.session.CopyObject(object, t)
	return err
}
