package minidriver_test

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/minidriver"
	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// Parts that are too long in all are refused before they are joined: what a caller says costs no memory.
func TestMuchEncrypted(t *testing.T) {
	c, server := newCard(t), noCard(t)
	inCard, _ := c.sessionKeys(0, server)
	must(t, c.SetKeyProperty(inCard, "IV", iv, 0))
	parts := make([][]byte, 1024)
	for i := range parts {
		parts[i] = make([]byte, 1<<16)[: 1<<16 : 1<<16]
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	want(t, "64 MiB", c.process(inCard, "Import Key Pair", parts), nte.SCARD_E_INVALID_PARAMETER)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}

// A logout ends session keys, which are the user's. Their handles can still be given back, and the context as well.
func TestLogoutEndsSessionKeys(t *testing.T) {
	c, server := newCard(t), noCard(t)
	destroyed, inServer := c.sessionKeys(0, server)
	used, _ := c.sessionKeys(0, server)
	_, data := k2EC(t)
	pair := c.sealed(server, inServer, used, "Import Key Pair", keyPair(5, message.AT_ECDSA_P256, 256, data))
	must(t, c.DeauthenticateEx(2, 0))
	must(t, c.AuthenticateEx(message.ROLE_USER, 0, []byte(userPIN)))
	want(t, "using one", c.process(used, "Import Key Pair", pair), nte.SCARD_E_INVALID_HANDLE)
	must(t, c.DestroyKey(destroyed))
	must(t, c.Close())
}

// Who is not logged in is not told that a container is empty: he would put another key there.
func TestContainersBeforeLogin(t *testing.T) {
	c := newCard(t)
	c.k1(0)
	must(t, c.DeauthenticateEx(2, 0))
	for _, index := range []byte{0, 1} {
		_, err := c.GetContainerInfo(index, 0)
		want(t, "CardGetContainerInfo", err, nte.SCARD_W_CARD_NOT_AUTHENTICATED)
		want(t, "CardDeleteContainer", c.DeleteContainer(index, 0), nte.SCARD_W_CARD_NOT_AUTHENTICATED)
	}
	_, err := c.ReadFile("mscp", "cmapfile", 0)
	want(t, "CardReadFile", err, nte.SCARD_W_CARD_NOT_AUTHENTICATED)
	must(t, c.AuthenticateEx(message.ROLE_USER, 0, []byte(userPIN)))
	_, err = c.GetContainerInfo(1, 0)
	want(t, "after the login", err, nte.SCARD_E_NO_KEY_CONTAINER)
}

// A container is its key pair. What programs that speak PKCS #11 keep under the same CKA_ID is theirs.
func TestDeleteContainerLeavesOthers(t *testing.T) {
	c := newCard(t)
	c.k1(7)
	id := attr.Attribute{Type: ck.CKA_ID, Value: []byte{'m', 'd', 7}}
	_, err := c.session.CreateObject(attr.Template{{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))},
		{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_AES))}, {Type: ck.CKA_VALUE, Value: s1}, {Type: ck.CKA_TOKEN, Value: attr.Bool(true)}, id})
	must(t, err)
	public := c.objects(attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PUBLIC_KEY))}, id)
	_, err = c.session.CopyObject(public[0], attr.Template{{Type: ck.CKA_TOKEN, Value: attr.Bool(false)}})
	must(t, err)
	must(t, c.DeleteContainer(7, 0))
	if left := c.objects(id); len(left) != 2 {
		t.Errorf("%d objects are left, want the secret key and the copy of the public half", len(left))
	}
}

// Curves have one size, and cards are given 0 where they generate.
func TestGeneratedCurvesNeedNoSize(t *testing.T) {
	c := newCard(t)
	for _, spec := range message.KeySpecs {
		if spec.Bits == 0 {
			continue
		}
		must(t, c.CreateContainer(1, minidriver.CARD_CREATE_CONTAINER_KEY_GEN, spec.Number, 0, nil))
		records, err := c.ReadFile("mscp", "cmapfile", 0)
		must(t, err)
		if size := int(records[86+82]) | int(records[86+83])<<8 | int(records[86+84]) | int(records[86+85])<<8; size != int(spec.Bits) {
			t.Errorf("spec %d: %d bits", spec.Number, size)
		}
	}
	_, data := k2EC(t)
	want(t, "an imported one", c.CreateContainer(1, minidriver.CARD_CREATE_CONTAINER_KEY_IMPORT, message.AT_ECDSA_P256, 0, data), nte.SCARD_E_INVALID_PARAMETER)
}

func TestCreateContainerExPIN(t *testing.T) {
	c := newCard(t)
	create := func(pin uint32) error {
		return c.CreateContainerEx(1, minidriver.CARD_CREATE_CONTAINER_KEY_GEN, message.AT_ECDSA_P256, 256, nil, pin)
	}
	want(t, "everyone's", create(message.ROLE_EVERYONE), nte.SCARD_E_INVALID_PARAMETER)
	want(t, "the administrator's", create(message.ROLE_ADMIN), nte.SCARD_E_INVALID_PARAMETER)
	must(t, create(message.ROLE_USER))
}

// Containers are replaced with both halves, whatever makes the new one.
func TestContainersAreMadeAnew(t *testing.T) {
	c := newCard(t)
	_, data := k2RSA(t)
	gen, imported := minidriver.CARD_CREATE_CONTAINER_KEY_GEN, minidriver.CARD_CREATE_CONTAINER_KEY_IMPORT
	for _, flags := range []uint32{gen, gen, imported, imported, gen} {
		must(t, c.CreateContainer(1, flags, message.AT_SIGNATURE, 2048, data))
		if found := c.objects(attr.Attribute{Type: ck.CKA_ID, Value: []byte{'m', 'd', 1}}); len(found) != 2 {
			t.Errorf("%d objects", len(found))
		}
	}
}

// A smart card takes in what it was made to take in, by this way too, and generates what it likes.
func TestSmartCardProfile(t *testing.T) {
	for _, roles := range [][]token.Role{nil, {token.Signature}, {token.Exchange}, token.Roles} {
		c, server := newCardOf(t, &token.Spec{SmartCard: true, AllowImport: roles}), noCard(t)
		inCard, inServer := c.sessionKeys(0, server)
		before := len(c.objects())
		_, data := k2RSA(t)
		for spec, role := range map[uint32]token.Role{message.AT_SIGNATURE: token.Signature, message.AT_KEYEXCHANGE: token.Exchange} {
			status := nte.SCARD_W_SECURITY_VIOLATION
			for _, allowed := range roles {
				if allowed == role {
					status = nte.ERROR_SUCCESS
				}
			}
			what := fmt.Sprintf("%s keys where %v are taken in", role, roles)
			want(t, what, c.process(inCard, "Import Key Pair", c.sealed(server, inServer, inCard, "Import Key Pair", keyPair(5, spec, 2048, data))), status)
			want(t, what, c.CreateContainer(6, minidriver.CARD_CREATE_CONTAINER_KEY_IMPORT, spec, 2048, data), status)
		}
		if after := len(c.objects()); len(roles) == 0 && after != before {
			t.Errorf("%d objects, %d before", after, before)
		}
	}
}

// What a card says that it can, it can.
func TestKeyImportSupport(t *testing.T) {
	for _, test := range []struct {
		spec *token.Spec
		want byte
	}{
		{&token.Spec{}, 0x0b}, {&token.Spec{SmartCard: true}, 0}, {&token.Spec{SmartCard: true, AllowImport: []token.Role{token.Signature}}, 0x0b},
	} {
		out := make([]byte, 4)
		_, err := newCardOf(t, test.spec).GetProperty("Key Import Support", out, 0)
		if must(t, err); !bytes.Equal(out, []byte{test.want, 0, 0, 0}) {
			t.Errorf("%+v: %x", test.spec, out)
		}
	}
}

func TestStatusOfAReadOnlyCard(t *testing.T) {
	for rv, status := range map[ck.RV]nte.Status{
		ck.CKR_TOKEN_WRITE_PROTECTED: nte.SCARD_E_UNSUPPORTED_FEATURE, ck.CKR_SESSION_READ_ONLY: nte.SCARD_E_UNSUPPORTED_FEATURE,
		ck.CKR_USER_ANOTHER_ALREADY_LOGGED_IN: nte.SCARD_E_UNEXPECTED, ck.CKR_DEVICE_ERROR: nte.SCARD_F_INTERNAL_ERROR,
	} {
		want(t, rv.String(), fmt.Errorf("wrapped: %w", rv), status)
	}
}

// A key's handle is of use to its own context.
func TestHandlesOfOthers(t *testing.T) {
	one, other := noCard(t), noCard(t)
	h, err := one.MDImportSessionKey("KeyDataBlob", "AES", keyData(s1))
	must(t, err)
	want(t, "setting an IV", other.SetKeyProperty(h, "IV", iv, 0), nte.SCARD_E_INVALID_HANDLE)
	want(t, "destroying", other.DestroyKey(h), nte.SCARD_E_INVALID_HANDLE)
	must(t, other.Close())
	must(t, one.DestroyKey(h))
}

// A context may be deleted under the calls of other threads, which then find none.
func TestThreads(t *testing.T) {
	c, server := newCard(t), noCard(t)
	inCard, inServer := c.sessionKeys(0, server)
	_, data := k2EC(t)
	pair := c.sealed(server, inServer, inCard, "Import Key Pair", keyPair(5, message.AT_ECDSA_P256, 256, data))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for {
				status := minidriver.Status(c.process(inCard, "Import Key Pair", pair))
				if status == nte.SCARD_E_INVALID_HANDLE {
					return
				}
				if status != 0 {
					t.Errorf("%v", status)
					return
				}
			}
		})
	}
	_, err := c.GetContainerInfo(5, 0)
	for minidriver.Status(err) == nte.SCARD_E_NO_KEY_CONTAINER {
		_, err = c.GetContainerInfo(5, 0)
	}
	must(t, err)
	must(t, c.Close())
	all.Wait()
}

// A card without a PIN shows its containers to everybody who may use it.
func TestCardWithoutPIN(t *testing.T) {
	engine := newEngine(t)
	_, err := engine.Create(&token.Spec{Label: "card", Policy: store.PolicySoftware, NoLogin: true}, nil)
	must(t, err)
	c, err := minidriver.AcquireContext(&minidriver.Card{Engine: engine}, minidriver.Version, 0)
	must(t, err)
	_, err = c.GetContainerInfo(3, 0)
	want(t, "an empty container", err, nte.SCARD_E_NO_KEY_CONTAINER)
	must(t, c.CreateContainer(3, minidriver.CARD_CREATE_CONTAINER_KEY_GEN, message.AT_ECDSA_P256, 256, nil))
	records, err := c.ReadFile("mscp", "cmapfile", 0)
	must(t, err)
	if len(records) != 4*86 || records[3*86+80] != 3 {
		t.Errorf("cmapfile %x", records)
	}
	must(t, c.AuthenticateEx(message.ROLE_USER, 0, []byte("any"))) // programs that always log in are let through
	must(t, c.DeleteContainer(3, 0))
}
