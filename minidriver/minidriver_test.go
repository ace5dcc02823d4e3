package minidriver_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/ncrypt11/ncrypt11/minidriver"
	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The tests are named by the behaviours that BEHAVIOURS.md lists.

func verifies(public *rsa.PublicKey, text, signature []byte) bool {
	digest := sha256.Sum256(text)
	return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
}

func TestB97NoCardMode(t *testing.T) {
	c := noCard(t)
	out := make([]byte, 64)
	for name, f := range map[string]func() error{
		"CardGetProperty": func() error { _, err := c.GetProperty(minidriver.CP_KEY_IMPORT_SUPPORT, out, 0); return err },
		"CardSetProperty": func() error { return c.SetProperty(minidriver.CP_KEY_IMPORT_SUPPORT, out[:4], 0) },
		"CardCreateContainer": func() error {
			return c.CreateContainer(0, minidriver.CARD_CREATE_CONTAINER_KEY_GEN, message.AT_SIGNATURE, 2048, nil)
		},
		"CardDeleteContainer":  func() error { return c.DeleteContainer(0, 0) },
		"CardGetContainerInfo": func() error { _, err := c.GetContainerInfo(0, 0); return err },
		"CardReadFile":         func() error { _, err := c.ReadFile("mscp", "cmapfile", 0); return err },
		"CardImportSessionKey": func() error { _, err := c.ImportSessionKey(0, nil, "KeyDataBlob", "AES", out, 2); return err },
		"CardAuthenticateEx":   func() error { return c.AuthenticateEx(message.ROLE_USER, 0, []byte("1234")) },
		"CardDeauthenticateEx": func() error { return c.DeauthenticateEx(2, 0) },
		"CardGetSharedKeyHandle, which is on the list, and has no key to give": func() error { _, err := c.GetSharedKeyHandle([]byte{1}); return err },
	} {
		want(t, name, f(), nte.SCARD_E_UNSUPPORTED_FEATURE)
	}
	h, err := c.MDImportSessionKey("KeyDataBlob", "AES", keyData(s1))
	must(t, err)
	must(t, c.SetKeyProperty(h, "IV", iv, 0))
	_, err = c.GetKeyProperty(h, "IV", out, 0)
	must(t, err)
	_, err = c.GetAlgorithmProperty("AES", "Chaining Modes", out, 0)
	must(t, err)
	_, data := k2EC(t)
	_, err = c.MDEncryptData(h, "Import Key Pair", keyPair(1, message.AT_ECDSA_P256, 256, data), minidriver.CARD_BLOCK_PADDING)
	must(t, err)
	_, err = c.ProcessEncryptedData(h, "Import Key Pair", [][]byte{out}, nil, minidriver.CARD_BLOCK_PADDING)
	want(t, "CardProcessEncryptedData without a card", err, nte.SCARD_E_NO_SMARTCARD)
	must(t, c.DestroyKey(h))
	want(t, "a key that was destroyed", c.DestroyKey(h), nte.SCARD_E_INVALID_HANDLE)
	must(t, c.Close())
	want(t, "a context that was deleted", c.Close(), nte.SCARD_E_INVALID_HANDLE)
	_, err = c.MDImportSessionKey("KeyDataBlob", "AES", keyData(s1))
	want(t, "a key for a context that was deleted", err, nte.SCARD_E_INVALID_HANDLE)
}

func TestB98AcquireContext(t *testing.T) {
	c := newCard(t)
	for name, test := range map[string]struct {
		card           *minidriver.Card
		version, flags uint32
		status         nte.Status
	}{
		"a strange flag":               {nil, 7, 2, nte.SCARD_E_INVALID_PARAMETER},
		"a strange flag besides":       {nil, 7, 0x80000001, nte.SCARD_E_INVALID_PARAMETER},
		"version 3":                    {nil, 3, 1, nte.ERROR_REVISION_MISMATCH},
		"version 6":                    {nil, 6, 1, nte.ERROR_REVISION_MISMATCH},
		"version 8":                    {nil, 8, 1, nte.ERROR_REVISION_MISMATCH},
		"no engine":                    {nil, 7, 0, nte.SCARD_E_INVALID_PARAMETER},
		"a card that is not there":     {&minidriver.Card{Engine: c.engine, Label: "other"}, 7, 0, nte.SCARD_E_NO_SMARTCARD},
		"the only card":                {&minidriver.Card{Engine: c.engine}, 7, 0, nte.ERROR_SUCCESS},
		"no card":                      {nil, 7, 1, nte.ERROR_SUCCESS},
		"no card, though one is named": {&minidriver.Card{Engine: c.engine, Label: "other"}, 7, 1, nte.ERROR_SUCCESS},
	} {
		_, err := minidriver.AcquireContext(test.card, test.version, test.flags)
		want(t, name, err, test.status)
	}
}

func TestB99Properties(t *testing.T) {
	c := newCard(t)
	for _, test := range []struct {
		name  string
		flags uint32
		value []byte
	}{
		{"Key Import Support", 0, []byte{0x0b, 0, 0, 0}},
		{"Padding Schemes", 0, []byte{0x0a, 0, 0, 0}},
		{"Algorithms", minidriver.CARD_CIPHER_OPERATION, append(wide("AES"), 0, 0)},
		{"Algorithms", minidriver.CARD_ASYMMETRIC_OPERATION, append(wide("RSA"), 0, 0)},
		{"Chaining Modes", 0, append(wide(cbc), 0, 0)},
	} {
		for _, room := range []int{0, 3, len(test.value) - 1, len(test.value), 100} {
			out := make([]byte, room)
			n, err := c.GetProperty(test.name, out, test.flags)
			if n != len(test.value) {
				t.Errorf("%s: %d bytes", test.name, n)
			}
			if room < len(test.value) {
				want(t, test.name, err, nte.ERROR_INSUFFICIENT_BUFFER)
			} else if want(t, test.name, err, nte.ERROR_SUCCESS); !bytes.Equal(out[:n], test.value) {
				t.Errorf("%s is %x", test.name, out[:n])
			}
		}
	}
	for name, flags := range map[string]uint32{"Key Import Support": 1, "Algorithms": 0, "Padding Schemes": 8, "Cache Mode": 0, "": 0} {
		_, err := c.GetProperty(name, make([]byte, 64), flags)
		want(t, name, err, nte.SCARD_E_INVALID_PARAMETER)
	}
}

func TestB100PropertiesAreReadOnly(t *testing.T) {
	c := newCard(t)
	for _, name := range []string{"Key Import Support", "Algorithms", "Padding Schemes", "Chaining Modes"} {
		want(t, name, c.SetProperty(name, []byte{1, 0, 0, 0}, 0), nte.SCARD_E_UNSUPPORTED_FEATURE)
	}
	want(t, "another", c.SetProperty("Cache Mode", []byte{1, 0, 0, 0}, 0), nte.SCARD_E_INVALID_PARAMETER)
}

func TestKeyProperties(t *testing.T) {
	c := noCard(t)
	h, err := c.MDImportSessionKey("KeyDataBlob", "AES", keyData(s1))
	must(t, err)
	for name, test := range map[string]struct {
		property string
		value    []byte
		flags    uint32
		status   nte.Status
	}{
		"IV": {"IV", iv, 0, 0}, "an IV of 15 bytes": {"IV", iv[1:], 0, nte.SCARD_E_INVALID_PARAMETER}, "flags": {"IV", iv, 1, nte.SCARD_E_INVALID_PARAMETER},
		"mode": {"ChainingMode", wide(cbc), 0, 0}, "mode without NUL": {"ChainingMode", wide(cbc)[:30], 0, 0},
		"another mode": {"ChainingMode", wide("ChainingModeECB"), 0, nte.SCARD_E_UNSUPPORTED_FEATURE},
		"block length": {"BlockLength", []byte{16, 0, 0, 0}, 0, nte.SCARD_E_UNSUPPORTED_FEATURE},
		"unknown":      {"KeyLength", iv, 0, nte.SCARD_E_INVALID_PARAMETER},
	} {
		want(t, name, c.SetKeyProperty(h, test.property, test.value, test.flags), test.status)
	}
	out := make([]byte, 64)
	n, err := c.GetKeyProperty(h, "IV", out, 0)
	if err != nil || !bytes.Equal(out[:n], iv) {
		t.Errorf("IV %x, %v", out[:n], err)
	}
	n, err = c.GetKeyProperty(h, "BlockLength", out, 0)
	if err != nil || n != 4 || binary.LittleEndian.Uint32(out) != 16 {
		t.Errorf("block length %x, %v", out[:n], err)
	}
	n, err = c.GetKeyProperty(h, "ChainingMode", out[:3], 0)
	if want(t, "no room", err, nte.ERROR_INSUFFICIENT_BUFFER); n != 32 {
		t.Errorf("%d bytes are wanted", n)
	}
	_, err = c.GetKeyProperty(h, "KeyLength", out, 0)
	want(t, "unknown", err, nte.SCARD_E_INVALID_PARAMETER)
	_, err = c.GetKeyProperty(h+1, "IV", out, 0)
	want(t, "no key", err, nte.SCARD_E_INVALID_HANDLE)
	for algorithm, status := range map[string]nte.Status{"AES": 0, "3DES": nte.SCARD_E_UNSUPPORTED_FEATURE, "DES": nte.SCARD_E_INVALID_PARAMETER} {
		_, err = c.GetAlgorithmProperty(algorithm, "BlockLength", out, 0)
		want(t, algorithm, err, status)
	}
}

func TestMDImportSessionKey(t *testing.T) {
	c := noCard(t)
	for name, test := range map[string]struct {
		blobType, algorithm string
		data                []byte
		status              nte.Status
	}{
		"AES-128":           {"KeyDataBlob", "AES", keyData(s1[:16]), 0},
		"AES-192":           {"KeyDataBlob", "AES", keyData(s1[:24]), 0},
		"17 bytes":          {"KeyDataBlob", "AES", keyData(s1[:17]), nte.SCARD_E_INVALID_PARAMETER},
		"the bare key":      {"KeyDataBlob", "AES", s1, nte.SCARD_E_INVALID_PARAMETER},
		"nothing":           {"KeyDataBlob", "AES", nil, nte.SCARD_E_INVALID_PARAMETER},
		"another algorithm": {"KeyDataBlob", "3DES", keyData(s1[:24]), nte.SCARD_E_UNSUPPORTED_FEATURE},
		"another blob":      {"OpaqueKeyBlob", "AES", keyData(s1), nte.SCARD_E_INVALID_PARAMETER},
	} {
		_, err := c.MDImportSessionKey(test.blobType, test.algorithm, test.data)
		want(t, name, err, test.status)
	}
}

func TestContainers(t *testing.T) {
	c := newCard(t)
	_, err := c.GetContainerInfo(3, 0)
	want(t, "an empty container", err, nte.SCARD_E_NO_KEY_CONTAINER)
	for i, test := range []struct {
		spec, bits uint32
		status     nte.Status
	}{
		{message.AT_KEYEXCHANGE, 2048, 0}, {message.AT_SIGNATURE, 2048, 0}, {message.AT_ECDSA_P256, 256, 0}, {message.AT_ECDHE_P384, 384, 0},
		{message.AT_ECDSA_P521, 521, 0}, {message.AT_ECDSA_P256, 384, nte.SCARD_E_INVALID_PARAMETER}, {9, 2048, nte.SCARD_E_INVALID_PARAMETER},
		{message.AT_SIGNATURE, 1000, nte.SCARD_E_INVALID_PARAMETER},
	} {
		err := c.CreateContainer(byte(i), minidriver.CARD_CREATE_CONTAINER_KEY_GEN, test.spec, test.bits, nil)
		if test.status != 0 {
			if err == nil {
				t.Errorf("spec %d with %d bits", test.spec, test.bits)
			}
			continue
		}
		must(t, err)
		info, err := c.GetContainerInfo(byte(i), 0)
		must(t, err)
		exchange := message.FindKeySpec(test.spec).Exchange
		if (len(info.KeyExPublicKey) > 0) != exchange || (len(info.SigPublicKey) > 0) == exchange {
			t.Errorf("spec %d: %+v", test.spec, info)
		}
	}
	_, data := k2RSA(t)
	want(t, "flags 0", c.CreateContainer(9, 0, message.AT_SIGNATURE, 2048, data), nte.SCARD_E_INVALID_PARAMETER)
	want(t, "another size", c.CreateContainer(9, minidriver.CARD_CREATE_CONTAINER_KEY_IMPORT, message.AT_SIGNATURE, 1024, data), nte.SCARD_E_INVALID_PARAMETER)
	key, data := k2RSA(t)
	must(t, c.CreateContainer(1, minidriver.CARD_CREATE_CONTAINER_KEY_IMPORT, message.AT_SIGNATURE, 2048, data))
	if !c.rsaOf(1).Equal(&key.PublicKey) || !c.signs(1, &key.PublicKey) {
		t.Error("another key than was imported")
	}
	records, err := c.ReadFile("mscp", "cmapfile", 0)
	must(t, err)
	if len(records) != 5*86 {
		t.Fatalf("cmapfile of %d bytes", len(records))
	}
	for i, bits := range [][2]uint16{{0, 2048}, {2048, 0}, {256, 0}, {0, 384}, {521, 0}} {
		r := records[i*86:][:86]
		sizes := [2]uint16{binary.LittleEndian.Uint16(r[82:]), binary.LittleEndian.Uint16(r[84:])}
		if r[80]&1 != 1 || (r[80]&2 != 0) != (i == 0) || sizes != bits || r[0] == 0 || r[78] != 0 {
			t.Errorf("container %d: %x", i, r)
		}
	}
	must(t, c.DeleteContainer(0, 0))
	want(t, "deleted twice", c.DeleteContainer(0, 0), nte.SCARD_E_NO_KEY_CONTAINER)
	if left := c.objects(attr.Attribute{Type: ck.CKA_ID, Value: []byte{'m', 'd', 0}}); len(left) != 0 {
		t.Errorf("%d objects are left", len(left))
	}
}

func TestB101OnlyRSAOpensSessionKeys(t *testing.T) {
	c := newCard(t)
	must(t, c.CreateContainer(0, minidriver.CARD_CREATE_CONTAINER_KEY_GEN, message.AT_ECDHE_P256, 256, nil))
	must(t, c.CreateContainer(1, minidriver.CARD_CREATE_CONTAINER_KEY_GEN, message.AT_SIGNATURE, 2048, nil))
	encrypted := pkcs1(t, c.k1(2), keyData(s1))
	for index, status := range []nte.Status{nte.SCARD_E_INVALID_PARAMETER, nte.SCARD_E_INVALID_PARAMETER, 0, nte.SCARD_E_NO_KEY_CONTAINER} {
		_, err := c.ImportSessionKey(byte(index), nil, "KeyDataBlob", "AES", encrypted, minidriver.CARD_PADDING_PKCS1)
		want(t, "container", err, status)
	}
	for name, f := range map[string]func() error{
		"no padding": func() error {
			_, err := c.ImportSessionKey(2, nil, "KeyDataBlob", "AES", encrypted, minidriver.CARD_PADDING_NONE)
			return err
		},
		"PSS": func() error {
			_, err := c.ImportSessionKey(2, nil, "KeyDataBlob", "AES", encrypted, minidriver.CARD_PADDING_PSS)
			return err
		},
		"OAEP without its info": func() error {
			_, err := c.ImportSessionKey(2, nil, "KeyDataBlob", "AES", encrypted, minidriver.CARD_PADDING_OAEP)
			return err
		},
		"OAEP by MD5": func() error {
			_, err := c.ImportSessionKey(2, &minidriver.OAEP{Hash: "MD5"}, "KeyDataBlob", "AES", encrypted, minidriver.CARD_PADDING_OAEP)
			return err
		},
		"a byte changed": func() error {
			_, err := c.ImportSessionKey(2, nil, "KeyDataBlob", "AES", append([]byte{encrypted[0] ^ 1}, encrypted[1:]...), minidriver.CARD_PADDING_PKCS1)
			return err
		},
	} {
		want(t, name, f(), nte.SCARD_E_INVALID_PARAMETER)
	}
	key, data := k2RSA(t)
	must(t, c.CreateContainer(4, minidriver.CARD_CREATE_CONTAINER_KEY_IMPORT, message.AT_KEYEXCHANGE, 2048, data))
	encrypted = pkcs1(t, &key.PublicKey, keyData(s1))
	_, err := c.ImportSessionKey(4, nil, "KeyDataBlob", "AES", encrypted, minidriver.CARD_PADDING_PKCS1)
	want(t, "a K1 that was known outside", err, nte.SCARD_W_SECURITY_VIOLATION)
}

func TestB102NoIV(t *testing.T) {
	c, server := newCard(t), noCard(t)
	inCard, inServer := c.sessionKeys(0, server)
	_, data := k2EC(t)
	plain := keyPair(5, message.AT_ECDSA_P256, 256, data)
	_, err := server.MDEncryptData(inServer, "Import Key Pair", plain, minidriver.CARD_BLOCK_PADDING)
	want(t, "encrypting without an IV", err, nte.SCARD_E_INVALID_PARAMETER)
	must(t, server.SetKeyProperty(inServer, "IV", iv, 0))
	encrypted, err := server.MDEncryptData(inServer, "Import Key Pair", plain, minidriver.CARD_BLOCK_PADDING)
	must(t, err)
	want(t, "decrypting without an IV", c.process(inCard, "Import Key Pair", encrypted), nte.SCARD_E_INVALID_PARAMETER)
	_, err = c.GetContainerInfo(5, 0)
	want(t, "the container", err, nte.SCARD_E_NO_KEY_CONTAINER)
	_, err = server.MDEncryptData(inServer, "Import Key Pair", plain, minidriver.CARD_BLOCK_PADDING)
	want(t, "an IV that has served", err, nte.SCARD_E_INVALID_PARAMETER)
}

func TestB103Tampered(t *testing.T) {
	c, server := newCard(t), noCard(t)
	inCard, inServer := c.sessionKeys(0, server)
	before := len(c.objects())
	_, data := k2EC(t)
	whole := c.sealed(server, inServer, inCard, "Import Key Pair", keyPair(5, message.AT_ECDSA_P256, 256, data))
	for at := range whole[0] {
		changed := bytes.Clone(whole[0])
		changed[at] ^= 0x40
		want(t, "changed", c.process(inCard, "Import Key Pair", [][]byte{changed}), nte.SCARD_E_INVALID_PARAMETER)
	}
	for _, n := range []int{0, 1, 15, 16, len(whole[0]) - 16, len(whole[0]) - 1} {
		want(t, "cut", c.process(inCard, "Import Key Pair", [][]byte{whole[0][:n]}), nte.SCARD_E_INVALID_PARAMETER)
	}
	want(t, "longer", c.process(inCard, "Import Key Pair", append(whole, make([]byte, 16))), nte.SCARD_E_INVALID_PARAMETER)
	want(t, "much longer", c.process(inCard, "Import Key Pair", append(whole, make([]byte, 1<<20))), nte.SCARD_E_INVALID_PARAMETER)
	want(t, "another function", c.process(inCard, "Import Key", whole), nte.SCARD_E_INVALID_PARAMETER)
	if after := len(c.objects()); after != before {
		t.Errorf("%d objects, %d before", after, before)
	}
	must(t, c.process(inCard, "Import Key Pair", [][]byte{whole[0][:3], nil, whole[0][3:]}))
}

func TestB104Version(t *testing.T) {
	server := noCard(t)
	h, err := server.MDImportSessionKey("KeyDataBlob", "AES", keyData(s1))
	must(t, err)
	must(t, server.SetKeyProperty(h, "IV", iv, 0))
	_, data := k2EC(t)
	for function, plain := range map[string][]byte{
		"Import Key Pair":      keyPair(5, message.AT_ECDSA_P256, 256, data),
		"Authenticate":         (&message.Authenticate{PinID: 1, Pin: []byte("1234")}).Bytes().Bytes(),
		"Change Authenticator": (&message.ChangeAuthenticator{Flags: 2, AuthenticatingPinID: 1, TargetPinID: 1}).Bytes().Bytes(),
	} {
		for _, version := range []uint32{0, 6, 8} {
			binary.LittleEndian.PutUint32(plain, version)
			_, err = server.MDEncryptData(h, function, plain, minidriver.CARD_BLOCK_PADDING)
			want(t, function, err, nte.ERROR_REVISION_MISMATCH)
		}
	}
}

func TestB106ContainerIsReplaced(t *testing.T) {
	c, server := newCard(t), noCard(t)
	inCard, inServer := c.sessionKeys(0, server)
	count := 0
	for _, spec := range []uint32{message.AT_SIGNATURE, message.AT_KEYEXCHANGE, message.AT_SIGNATURE} {
		key, data := k2RSA(t)
		must(t, c.process(inCard, "Import Key Pair", c.sealed(server, inServer, inCard, "Import Key Pair", keyPair(5, spec, 2048, data))))
		if !c.rsaOf(5).Equal(&key.PublicKey) || !c.signs(5, &key.PublicKey) {
			t.Error("the container has another key")
		}
		found := len(c.objects())
		if count != 0 && found != count {
			t.Errorf("%d objects, %d before", found, count)
		}
		count = found
	}
	key, data := k2EC(t)
	must(t, c.process(inCard, "Import Key Pair", c.sealed(server, inServer, inCard, "Import Key Pair", keyPair(5, message.AT_ECDSA_P256, 256, data))))
	info, err := c.GetContainerInfo(5, 0)
	must(t, err)
	point, err := key.PublicKey.Bytes()
	must(t, err)
	if !bytes.Equal(info.SigPublicKey[8:], point[1:]) || string(info.SigPublicKey[:4]) != "ECS1" {
		t.Errorf("public half %x", info.SigPublicKey)
	}
}

func TestB107LengthsAndSizes(t *testing.T) {
	server := noCard(t)
	h, err := server.MDImportSessionKey("KeyDataBlob", "AES", keyData(s1))
	must(t, err)
	must(t, server.SetKeyProperty(h, "IV", iv, 0))
	_, data := k2RSA(t)
	good := keyPair(5, message.AT_SIGNATURE, 2048, data)
	_, ecData := k2EC(t)
	for name, plain := range map[string][]byte{
		"cbInput is less than there is": append(bytes.Clone(good), 0),
		"cbInput is more":               good[:len(good)-1],
		"a shorter key than dwKeySize":  keyPair(5, message.AT_SIGNATURE, 4096, data),
		"a longer one":                  keyPair(5, message.AT_SIGNATURE, 1024, data),
		"half a key":                    keyPair(5, message.AT_SIGNATURE, 2048, data[:len(data)/2]),
		"a key of another kind":         keyPair(5, message.AT_SIGNATURE, 256, ecData),
		"a curve for another":           keyPair(5, message.AT_ECDSA_P384, 384, ecData),
		"a signing key for exchange":    keyPair(5, message.AT_ECDHE_P256, 256, ecData),
		"a key spec of none":            keyPair(5, 17, 256, ecData),
		"the structure alone":           good[:24],
		"nothing":                       nil,
	} {
		_, err := server.MDEncryptData(h, "Import Key Pair", plain, minidriver.CARD_BLOCK_PADDING)
		want(t, name, err, nte.SCARD_E_INVALID_PARAMETER)
	}
	_, err = server.MDEncryptData(h, "Import Key Pair", good, 0)
	want(t, "no padding", err, nte.SCARD_E_INVALID_PARAMETER)
	_, err = server.MDEncryptData(h, "Import", good, minidriver.CARD_BLOCK_PADDING)
	want(t, "no function", err, nte.SCARD_E_INVALID_PARAMETER)
}
