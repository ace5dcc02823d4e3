package minidriver_test

import (
	"bytes"
	"crypto/x509"
	"testing"

	"github.com/ncrypt11/ncrypt11/minidriver"
	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// sharedKey makes a key that the administrator has shared with a server.
func (c *card) sharedKey(id byte, allowed ck.MechanismType, unwrap bool) minidriver.KeyHandle {
	c.t.Helper()
	t := attr.Template{{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_AES))},
		{Type: ck.CKA_VALUE, Value: s1}, {Type: ck.CKA_ID, Value: []byte{id}}, {Type: ck.CKA_ALLOWED_MECHANISMS, Value: attr.ULong(uint(allowed))}}
	for typ, value := range map[ck.AttributeType]bool{
		ck.CKA_TOKEN: true, ck.CKA_SENSITIVE: true, ck.CKA_EXTRACTABLE: false, ck.CKA_UNWRAP: unwrap, ck.CKA_DECRYPT: !unwrap, ck.CKA_ENCRYPT: false,
		ck.CKA_SIGN: false, ck.CKA_VERIFY: false, ck.CKA_WRAP: false, ck.CKA_DERIVE: false,
	} {
		t = append(t, attr.Attribute{Type: typ, Value: attr.Bool(value)})
	}
	_, err := c.session.CreateObject(t)
	must(c.t, err)
	h, err := c.GetSharedKeyHandle([]byte{id})
	must(c.t, err)
	return h
}

func TestSharedKeys(t *testing.T) {
	c, server := newCard(t), noCard(t)
	forKeys, forPINs := c.sharedKey(1, ck.CKM_NCRYPT_SKI_IMPORT_KEYPAIR, true), c.sharedKey(2, ck.CKM_AES_CBC_PAD, false)
	_, inServer := c.sessionKeys(0, server)
	for _, id := range [][]byte{nil, {3}} {
		if _, err := c.GetSharedKeyHandle(id); err == nil {
			t.Errorf("there is a shared key %x", id)
		}
	}
	key, data := k2RSA(t)
	pair := c.sealed(server, inServer, forKeys, "Import Key Pair", keyPair(5, message.AT_SIGNATURE, 2048, data))
	must(t, c.process(forKeys, "Import Key Pair", pair))
	if !c.rsaOf(5).Equal(&key.PublicKey) {
		t.Error("the container has another key")
	}
	must(t, c.SetKeyProperty(forPINs, "IV", iv, 0))
	if err := c.process(forPINs, "Import Key Pair", pair); err == nil {
		t.Error("a key that decrypts for the client has brought a key pair in")
	}
	m := &message.ChangeAuthenticator{Flags: 2, AuthenticatingPinID: 1, AuthenticatingPin: []byte(userPIN), TargetPinID: 1, Target: []byte("123456")}
	change := m.Bytes().Bytes()
	must(t, c.process(forPINs, "Change Authenticator", c.sealed(server, inServer, forPINs, "Change Authenticator", change)))
	must(t, c.DeauthenticateEx(2, 0))
	want(t, "the old PIN", c.AuthenticateEx(message.ROLE_USER, 0, []byte(userPIN)), nte.SCARD_W_WRONG_CHV)
	must(t, c.AuthenticateEx(message.ROLE_USER, 0, []byte("123456")))
	must(t, c.DestroyKey(forPINs))
	if _, err := c.GetSharedKeyHandle([]byte{2}); err != nil {
		t.Errorf("the shared key went with its handle: %v", err)
	}
}

// A session key decrypts nothing for this process, whatever the function is called: see (*Context).open.
func TestSessionKeysOpenNoPINs(t *testing.T) {
	c, server := newCard(t), noCard(t)
	inCard, inServer := c.sessionKeys(0, server)
	plain := (&message.Authenticate{PinID: 1, Pin: []byte(userPIN)}).Bytes().Bytes()
	want(t, "Authenticate", c.process(inCard, "Authenticate", c.sealed(server, inServer, inCard, "Authenticate", plain)), nte.SCARD_E_UNSUPPORTED_FEATURE)
}

func TestAuthenticate(t *testing.T) {
	c, server := newCard(t), noCard(t)
	forPINs := c.sharedKey(2, ck.CKM_AES_CBC_PAD, false)
	_, inServer := c.sessionKeys(0, server)
	authenticate := func(m *message.Authenticate) error {
		return c.process(forPINs, "Authenticate", c.sealed(server, inServer, forPINs, "Authenticate", m.Bytes().Bytes()))
	}
	sessionPIN := &message.Authenticate{Flags: message.CARD_AUTHENTICATE_GENERATE_SESSION_PIN, PinID: 1, Pin: []byte(userPIN)}
	want(t, "a session PIN", authenticate(sessionPIN), nte.SCARD_E_UNSUPPORTED_FEATURE)
	want(t, "the administrator's PIN", authenticate(&message.Authenticate{PinID: 2, Pin: []byte(soPIN)}), nte.SCARD_E_INVALID_PARAMETER)
	data := c.sealed(server, inServer, forPINs, "Authenticate", (&message.Authenticate{PinID: 1, Pin: []byte(userPIN)}).Bytes().Bytes())
	n, err := c.ProcessEncryptedData(forPINs, "Authenticate", data, nil, minidriver.CARD_BLOCK_PADDING)
	if want(t, "no room", err, nte.ERROR_INSUFFICIENT_BUFFER); n != 12 {
		t.Errorf("%d bytes", n)
	}
	want(t, "who is logged in", c.process(forPINs, "Authenticate", data), nte.SCARD_E_UNEXPECTED)
}

func TestWithoutLogin(t *testing.T) {
	c := newCard(t)
	must(t, c.DeauthenticateEx(2, 0))
	want(t, "generating", c.CreateContainer(0, minidriver.CARD_CREATE_CONTAINER_KEY_GEN, message.AT_SIGNATURE, 2048, nil), nte.SCARD_W_CARD_NOT_AUTHENTICATED)
	want(t, "session PIN", c.AuthenticateEx(message.ROLE_USER, message.CARD_AUTHENTICATE_SESSION_PIN, []byte(userPIN)), nte.SCARD_E_UNSUPPORTED_FEATURE)
	want(t, "a wrong PIN", c.AuthenticateEx(message.ROLE_USER, 0, []byte("4321")), nte.SCARD_W_WRONG_CHV)
}

func TestDestroyKeyEndsTheSessionKey(t *testing.T) {
	c, server := newCard(t), noCard(t)
	inCard, inServer := c.sessionKeys(0, server)
	_, data := k2EC(t)
	pair := c.sealed(server, inServer, inCard, "Import Key Pair", keyPair(5, message.AT_ECDSA_P256, 256, data))
	must(t, c.DestroyKey(inCard))
	if left := c.objects(attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))}); len(left) != 0 {
		t.Error("the session key lives on")
	}
	want(t, "using it", c.process(inCard, "Import Key Pair", pair), nte.SCARD_E_INVALID_HANDLE)
	want(t, "destroying it again", c.DestroyKey(inCard), nte.SCARD_E_INVALID_HANDLE)
}

// What is in a context is gone with it: the session key too.
func TestCloseEndsSessionKeys(t *testing.T) {
	c, server := newCard(t), noCard(t)
	inCard, _ := c.sessionKeys(0, server)
	secretKeys := attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))}
	if len(c.objects(secretKeys)) != 1 {
		t.Fatal("no session key")
	}
	must(t, c.Close())
	if len(c.objects(secretKeys)) != 0 {
		t.Error("the session key lives on")
	}
	want(t, "its handle", c.DestroyKey(inCard), nte.SCARD_E_INVALID_HANDLE)
}

// The public halves are found by programs that speak PKCS #11.
func TestPublicHalves(t *testing.T) {
	c, server := newCard(t), noCard(t)
	inCard, inServer := c.sessionKeys(0, server)
	key, data := k2RSA(t)
	must(t, c.process(inCard, "Import Key Pair", c.sealed(server, inServer, inCard, "Import Key Pair", keyPair(5, message.AT_SIGNATURE, 2048, data))))
	found := c.objects(attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PUBLIC_KEY))}, attr.Attribute{Type: ck.CKA_ID, Value: []byte{'m', 'd', 5}})
	if len(found) != 1 {
		t.Fatalf("%d public halves", len(found))
	}
	reading := []token.Reading{{Type: ck.CKA_PUBLIC_KEY_INFO}}
	must(t, c.session.GetAttributes(found[0], reading, func() {
		spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil || !bytes.Equal(reading[0].Value, spki) {
			t.Errorf("another public half (%v)", err)
		}
	}))
}
