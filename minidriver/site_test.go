package minidriver_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"testing"

	"github.com/ncrypt11/ncrypt11/minidriver"
	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

const (
	soPIN   = "12345678"
	userPIN = "1234"
	cbc     = "ChainingModeCBC"
)

var cheap = pinseal.WithCost(pinseal.Cost{Passes: 1, KiB: 8, Threads: 1})

// card is a context with a token, in software, whose user is logged in.
type card struct {
	*minidriver.Context
	t       testing.TB
	engine  *token.Provider
	session *token.Session
}

func newCard(t testing.TB) *card {
	t.Helper()
	return newCardOf(t, &token.Spec{})
}

// newCardOf is newCard for a token of some kind.
func newCardOf(t testing.TB, spec *token.Spec) *card {
	t.Helper()
	engine := newEngine(t)
	so, user := secret.Copy([]byte(soPIN)), secret.Copy([]byte(userPIN))
	spec.Label, spec.Policy = "card", store.PolicySoftware
	slot, err := engine.Create(spec, so)
	must(t, err)
	s, err := engine.Attach(slot)
	must(t, err)
	must(t, s.Login(ck.CKU_SO, secret.Copy([]byte(soPIN))))
	must(t, s.InitPIN(user))
	must(t, s.Logout())
	c, err := minidriver.AcquireContext(&minidriver.Card{Engine: engine, Label: "card"}, minidriver.Version, 0)
	must(t, err)
	must(t, c.AuthenticateEx(message.ROLE_USER, 0, []byte(userPIN)))
	return &card{c, t, engine, s}
}

// newEngine is an engine without a token, in software.
func newEngine(t testing.TB) *token.Provider {
	t.Helper()
	home := t.TempDir()
	cfg, err := config.Load(func(name string) string { return map[string]string{"NCRYPT11_HOME": home}[name] })
	must(t, err)
	engine, err := token.New(cfg, func(*store.Header) (guard.Keys, error) { return local.New(pinseal.New(cheap)), nil })
	must(t, err)
	t.Cleanup(engine.Close)
	return engine
}

func noCard(t testing.TB) *minidriver.Context {
	t.Helper()
	c, err := minidriver.AcquireContext(nil, minidriver.Version, minidriver.CARD_SECURE_KEY_INJECTION_NO_CARD_MODE)
	must(t, err)
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want fails where an error has another status.
func want(t testing.TB, what string, err error, status nte.Status) {
	t.Helper()
	if minidriver.Status(err) != status {
		t.Errorf("%s: %v, want %v", what, err, status)
	}
}

func wide(s string) []byte {
	var b []byte
	for _, r := range s + "\x00" {
		b = append(b, byte(r), 0)
	}
	return b
}

func keyData(key []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte("KDBM"), 1)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(key))), key...)
}

var (
	s1 = bytes.Repeat([]byte{0x51}, 32)
	iv = bytes.Repeat([]byte{0x1f}, 16)
)

// k1 is the public half of an exchange pair that the card generates.
func (c *card) k1(index byte) *rsa.PublicKey {
	c.t.Helper()
	must(c.t, c.CreateContainer(index, minidriver.CARD_CREATE_CONTAINER_KEY_GEN, message.AT_KEYEXCHANGE, 2048, nil))
	return c.rsaOf(index)
}

// rsaOf reads the RSA key of a container's info.
func (c *card) rsaOf(index byte) *rsa.PublicKey {
	c.t.Helper()
	info, err := c.GetContainerInfo(index, 0)
	must(c.t, err)
	public := append(info.KeyExPublicKey, info.SigPublicKey...)
	key, err := blob.Read("CAPIPUBLICBLOB", public, nil)
	must(c.t, err)
	return &rsa.PublicKey{N: new(big.Int).SetBytes(key.Get(ck.CKA_MODULUS)), E: int(new(big.Int).SetBytes(key.Get(ck.CKA_PUBLIC_EXPONENT)).Int64())}
}

// session brings S1 into the card, and its twin into a server's context.
func (c *card) sessionKeys(index byte, server *minidriver.Context) (inCard, inServer minidriver.KeyHandle) {
	c.t.Helper()
	encrypted, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, c.k1(index), keyData(s1), nil)
	must(c.t, err)
	inCard, err = c.ImportSessionKey(index, &minidriver.OAEP{Hash: "SHA256"}, "KeyDataBlob", "AES", encrypted, minidriver.CARD_PADDING_OAEP)
	must(c.t, err)
	inServer, err = server.MDImportSessionKey("KeyDataBlob", "AES", keyData(s1))
	must(c.t, err)
	return inCard, inServer
}

func k2RSA(t testing.TB) (*rsa.PrivateKey, []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	k := &blob.Key{Algorithm: "RSA", Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_RSA}
	for typ, n := range map[ck.AttributeType]*big.Int{
		ck.CKA_MODULUS: key.N, ck.CKA_PUBLIC_EXPONENT: big.NewInt(int64(key.E)), ck.CKA_PRIVATE_EXPONENT: key.D, ck.CKA_PRIME_1: key.Primes[0],
		ck.CKA_PRIME_2: key.Primes[1], ck.CKA_EXPONENT_1: key.Precomputed.Dp, ck.CKA_EXPONENT_2: key.Precomputed.Dq, ck.CKA_COEFFICIENT: key.Precomputed.Qinv,
	} {
		k.Put(typ, n.Bytes())
	}
	data, err := blob.Write("CAPIPRIVATEBLOB", k, nil)
	must(t, err)
	return key, data.Bytes()
}

func k2EC(t testing.TB) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	point, err := key.PublicKey.Bytes()
	must(t, err)
	scalar, err := key.Bytes()
	must(t, err)
	b := binary.LittleEndian.AppendUint32([]byte("ECS2"), 32)
	return key, append(append(b, point[1:]...), scalar...)
}

// sealed has a server encrypt a structure under a fresh IV, which is set on both sides.
func (c *card) sealed(server *minidriver.Context, inServer, inCard minidriver.KeyHandle, function string, plain []byte) [][]byte {
	c.t.Helper()
	must(c.t, server.SetKeyProperty(inServer, "IV", iv, 0))
	must(c.t, server.SetKeyProperty(inServer, "ChainingMode", wide(cbc), 0))
	data, err := server.MDEncryptData(inServer, function, plain, minidriver.CARD_BLOCK_PADDING)
	must(c.t, err)
	must(c.t, c.SetKeyProperty(inCard, "IV", iv, 0))
	must(c.t, c.SetKeyProperty(inCard, "ChainingMode", wide(cbc), 0))
	return data
}

func (c *card) process(inCard minidriver.KeyHandle, function string, data [][]byte) error {
	_, err := c.ProcessEncryptedData(inCard, function, data, make([]byte, 64), minidriver.CARD_BLOCK_PADDING)
	return err
}

func keyPair(index byte, spec, bits uint32, key []byte) []byte {
	return (&message.ImportKeyPair{ContainerIndex: index, PinID: message.ROLE_USER, KeySpec: spec, KeySize: bits, Input: key}).Bytes().Bytes()
}

// objects counts what the token has.
func (c *card) objects(t ...attr.Attribute) []ck.ObjectHandle {
	c.t.Helper()
	must(c.t, c.session.FindObjectsInit(t))
	found, err := c.session.FindObjects(1 << 20)
	must(c.t, err)
	must(c.t, c.session.FindObjectsFinal())
	return found
}

// signs says whether a container's key signs for a public key.
func (c *card) signs(index byte, public *rsa.PublicKey) bool {
	c.t.Helper()
	found := c.objects(attr.Attribute{Type: ck.CKA_ID, Value: []byte{'m', 'd', index}},
		attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PRIVATE_KEY))})
	if len(found) != 1 {
		c.t.Fatalf("container %d has %d keys", index, len(found))
	}
	must(c.t, c.session.SignInit(&ck.Mechanism{Type: ck.CKM_SHA256_RSA_PKCS}, found[0]))
	signature := make([]byte, public.Size())
	n, err := c.session.Sign([]byte("text"), token.Output{Buf: signature})
	must(c.t, err)
	return verifies(public, []byte("text"), signature[:n])
}

// pkcs1 encrypts by PKCS #1 v1.5, which cards have and Go advises against.
func pkcs1(t testing.TB, public *rsa.PublicKey, plain []byte) []byte {
	t.Helper()
	//lint:ignore SA1019 the padding is what is tested
	encrypted, err := rsa.EncryptPKCS1v15(rand.Reader, public, plain)
	if err != nil {
		t.Fatal(err)
	}
	return encrypted
}
