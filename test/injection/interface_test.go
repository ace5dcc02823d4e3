package injection_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"testing"
)

// SCARD_* and others, as a program has them.
const (
	invalidHandle    = 0x80100003
	invalidParameter = 0x80100004
	noSmartcard      = 0x8010000c
	unsupported      = 0x80100022
	noFile           = 0x80100024
	noContainer      = 0x80100030
	securityViolated = 0x8010006a
	wrongPIN         = 0x8010006b
	notAuthenticated = 0x8010006f
	tooShort         = 122
	revision         = 1306
)

func TestB97NoCardMode(t *testing.T) {
	d := newPlace(t, "none", "none").drive()
	d.is(revision, "acquire", noCard, "6", "")
	d.is(invalidParameter, "acquire", "2", "7", "")
	d.is(invalidHandle, "delete")
	d.must("acquire", noCard, "7", "")
	for _, words := range [][]string{
		{"get", "Key Import Support", "0", "4"}, {"set", "Key Import Support", "01000000"}, {"create", "0", "1", "1", "2048", ""}, {"info", "0"},
		{"read", "mscp", "cmapfile"}, {"authenticate", userPIN}, {"import", "0", "2", "", "KeyDataBlob", "AES", "00"}, {"shared", "01"},
	} {
		d.is(unsupported, words...)
	}
	if block := d.must("algorithm", "AES", "BlockLength", "4"); !bytes.Equal(block, dwords(16)) {
		t.Errorf("BlockLength is %x", block)
	}
	key := make([]byte, 16)
	d.is(unsupported, "mdimport", "KeyDataBlob", "3DES", x(keyData(key)))
	handle := x(d.must("mdimport", "KeyDataBlob", "AES", x(keyData(key))))
	d.is(tooShort, "getkey", handle, "ChainingMode", "31")
	if mode := d.must("getkey", handle, "ChainingMode", "32"); !bytes.Equal(mode, wide("ChainingModeCBC")) {
		t.Errorf("ChainingMode is %x", mode)
	}
	d.must("setkey", handle, "IV", x(key))
	plain := importKeyPair(1, signature, 1024, nil)
	binary.LittleEndian.PutUint32(plain, 6)
	d.is(revision, "encrypt", handle, "Import Key Pair", x(plain), "1")
	d.is(invalidParameter, "encrypt", handle, "Import Key Pair", x(importKeyPair(1, signature, 1024, nil)), "1")
	d.is(noSmartcard, "process", handle, "Import Key Pair", x(make([]byte, 32)), "0", "1")
	for _, command := range []string{"nulls", "lengths", "outside", "table", "fork"} {
		d.must(command)
	}
	d.must("destroy", handle)
	d.is(invalidHandle, "destroy", handle)
	d.must("delete")
	d.is(invalidHandle, "delete")
	d.must("acquire", noCard, "7", "")
	d.must("threads")
	d.is(invalidHandle, "delete")
}

// A card in software: what the functions answer does not depend on a guard.
func TestCardMode(t *testing.T) {
	p := newPlace(t, "none", "none")
	d := p.drive()
	d.is(noSmartcard, "acquire", "0", "7", "")
	p.ncrypt11("init", "--label", "card", "--policy", "software", "--login", "pin", "--pin", userPIN, "--so-pin", "12345678")
	d = p.drive()
	d.is(noSmartcard, "acquire", "0", "7", "another")
	if card := d.must("acquire", "0", "7", ""); !bytes.Equal(card, dwords(17)) {
		t.Errorf("hScard has become %x", card)
	}
	d.is(notAuthenticated, "create", "0", n(keyGen), n(signature), "2048", "")
	d.is(notAuthenticated, "info", "0")
	d.is(notAuthenticated, "read", "mscp", "cmapfile")
	d.is(wrongPIN, "authenticate", "4321")
	d.must("authenticate", userPIN)
	d.is(tooShort, "get", "Key Import Support", "0", "3")
	d.is(invalidParameter, "get", "Algorithms", "0", "64")
	if list := d.must("get", "Algorithms", n(asymmetricOps), "64"); !bytes.Equal(list, append(wide("RSA"), 0, 0)) {
		t.Errorf("Algorithms is %x", list)
	}
	for _, name := range []string{"Key Import Support", "Algorithms", "Padding Schemes", "Chaining Modes"} {
		d.is(unsupported, "set", name, "01000000")
	}
	d.is(noContainer, "info", "2")
	d.is(noFile, "read", "mscp", "cardcf")

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	data := privateBlob(key)
	d.is(invalidParameter, "create", "2", "2", n(signature), "1024", x(data)) // what the blob says of its size is not what the caller says
	d.is(invalidParameter, "create", "2", "2", n(signature), "2048", "")
	d.must("create", "2", "2", n(signature), "2048", x(data))
	if !publicKey(t, d.must("info", "2")).Equal(&key.PublicKey) {
		t.Error("another key than was imported")
	}
	d.must("sign", "2", x(data[:32]))
	d.must("finalize")
	d.must("fork")
	d.must("create", "3", "2", n(keyExchange), "2048", x(data))
	encrypted := pkcs1(t, &key.PublicKey, keyData(make([]byte, 16)))
	d.is(securityViolated, "import", "3", n(paddingPKCS1), "", "KeyDataBlob", "AES", x(encrypted))
	d.is(invalidParameter, "import", "2", n(paddingPKCS1), "", "KeyDataBlob", "AES", x(encrypted))
	d.is(noContainer, "import", "9", n(paddingPKCS1), "", "KeyDataBlob", "AES", x(encrypted))
	d.must("create", "4", n(keyGen), n(keyExchange), "2048", "")
	d.is(invalidParameter, "import", "4", n(paddingPKCS1), "", "KeyDataBlob", "AES", x(encrypted)) // which is another key's
	d.is(noFile, "shared", "77")
	d.must("create", "6", n(keyGen), n(ecdsaP256), "0", "")
	d.must("uncreate", "6")
	d.is(noContainer, "uncreate", "6")

	// What a logout has ended is given back all the same.
	encrypted = pkcs1(t, publicKey(t, d.must("info", "4")), keyData(make([]byte, 16)))
	session := []string{"import", "4", n(paddingPKCS1), "", "KeyDataBlob", "AES", x(encrypted)}
	first, second := d.must(session...), d.must(session...)
	d.must("logout", "2")
	d.is(notAuthenticated, session...)
	d.must("setkey", x(second), "IV", x(make([]byte, 16)))
	d.is(invalidHandle, "process", x(second), "Import Key Pair", x(make([]byte, 32)), "0", "1")
	d.must("destroy", x(first))
	d.must("delete")
}
