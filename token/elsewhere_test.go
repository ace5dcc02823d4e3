package token_test

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// Two providers on one directory stand for two processes.

// slowKeys is a guard in which something happens while it makes a key.
type slowKeys struct {
	guard.Keys
	meanwhile *func()
}

func (k slowKeys) Import(v guard.Vault, m *guard.Material, p *guard.Policy) (*guard.Key, error) {
	key, err := k.Keys.Import(v, m, p)
	if do := *k.meanwhile; do != nil {
		*k.meanwhile = nil
		do()
	}
	return key, err
}

// two gives providers for the same directory, and a session of each with the token in it. What the pointer is set to happens in the middle of the first one's next
// import.
func two(t *testing.T) (a, b *token.Provider, inA, inB *token.Session, meanwhile *func()) {
	t.Helper()
	return twoIn(t, t.TempDir())
}

func twoIn(t *testing.T, home string) (a, b *token.Provider, inA, inB *token.Session, meanwhile *func()) {
	t.Helper()
	meanwhile = new(func())
	a = providerOver(t, home, func(*store.Header) (guard.Keys, error) {
		return slowKeys{local.New(pinseal.New(cheap)), meanwhile}, nil
	})
	t.Cleanup(a.Close)
	slot, err := a.Create(&token.Spec{Label: "test", Policy: store.PolicySoftware}, pin(soPIN))
	if err != nil {
		t.Fatal(err)
	}
	inA = session(t, a, slot)
	setUserPIN(t, inA)
	b = provider(t, home)
	t.Cleanup(b.Close)
	return a, b, inA, session(t, b, slot), meanwhile
}

func setUserPIN(t *testing.T, s *token.Session) {
	t.Helper()
	for _, err := range []error{s.Login(ck.CKU_SO, pin(soPIN)), s.InitPIN(pin(userPIN)), s.Logout()} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// initToken does in b what closes its session.
func initToken(t *testing.T, b *token.Provider, inB *token.Session) {
	t.Helper()
	slot := inB.Info().SlotID
	wantCode(t, "close", inB.Close(), ck.CKR_OK)
	wantCode(t, "InitToken", b.InitToken(slot, pin(soPIN), "again"), ck.CKR_OK)
}

func encrypts(t *testing.T, s *token.Session, key ck.ObjectHandle) {
	t.Helper()
	wantCode(t, "EncryptInit", s.EncryptInit(&ck.Mechanism{Type: ck.CKM_AES_ECB}, key), ck.CKR_OK)
	_, err := s.Encrypt(make([]byte, 16), token.Output{Buf: make([]byte, 16)})
	wantCode(t, "Encrypt", err, ck.CKR_OK)
}

func TestKeysAreSealedForTheTokenAsItIs(t *testing.T) {
	_, b, inA, inB, _ := two(t)
	slot := inA.Info().SlotID
	if _, err := inA.CreateObject(aesKey(false, true)); err != nil { // the master keys are open
		t.Fatal(err)
	}
	wantCode(t, "login", inA.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	initToken(t, b, inB)
	_, err := inA.CreateObject(aesKey(true, true))
	wantCode(t, "a private key after the login is void", err, ck.CKR_USER_NOT_LOGGED_IN)
	if _, err := inA.CreateObject(aesKey(false, true)); err != nil {
		t.Fatal(err)
	}
	encrypts(t, inA, findOne(t, inA))
	inB = session(t, b, slot)
	encrypts(t, inB, findOne(t, inB))
	setUserPIN(t, inB)
	wantCode(t, "login with the new PIN", inA.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
}

// A process that has the token open with a lesser guard makes no keys for it once another has initialized it under a better one.
func TestATokenThatIsIsolatedMoreNow(t *testing.T) {
	var dead bool
	home := t.TempDir()
	a := isolated(t, home, &dead, asIs)
	slot, err := a.Create(&token.Spec{Label: "test"}, pin(soPIN))
	if err != nil {
		t.Fatal(err)
	}
	b := isolated(t, home, &dead, func(g guard.Keys) guard.Keys { return farther{g} })
	inA := session(t, a, slot)
	if _, err := inA.CreateObject(aesKey(false, true)); err != nil {
		t.Fatal(err)
	}
	initToken(t, b, session(t, b, slot))
	_, err = inA.CreateObject(aesKey(false, true))
	wantCode(t, "CreateObject", err, ck.CKR_DEVICE_ERROR)
	wantCode(t, "login", inA.Login(ck.CKU_SO, pin(soPIN)), ck.CKR_DEVICE_ERROR)
}

// farther is a guard on another machine.
type farther struct{ guard.Keys }

func (farther) Level() guard.Level { return guard.VM }

func TestAnOfficerOfBeforeSetsNoPIN(t *testing.T) {
	_, b, inA, inB, _ := two(t)
	wantCode(t, "login", inA.Login(ck.CKU_SO, pin(soPIN)), ck.CKR_OK)
	initToken(t, b, inB)
	wantCode(t, "InitPIN", inA.InitPIN(pin(userPIN)), ck.CKR_USER_NOT_LOGGED_IN)
	wantCode(t, "SetPIN", inA.SetPIN(pin(userPIN), pin("4321")), ck.CKR_USER_PIN_NOT_INITIALIZED)
}

func TestATokenInitializedWhileAKeyIsMade(t *testing.T) {
	_, b, inA, inB, meanwhile := two(t)
	slot := inA.Info().SlotID
	*meanwhile = func() { initToken(t, b, inB) }
	_, err := inA.CreateObject(aesKey(false, true))
	wantCode(t, "CreateObject", err, ck.CKR_FUNCTION_FAILED)
	inB = session(t, b, slot)
	wantCode(t, "find", inB.FindObjectsInit(attr.Template{{Type: ck.CKA_LABEL, Value: []byte("a key")}}), ck.CKR_OK)
	if found, _ := inB.FindObjects(1); len(found) != 0 {
		t.Error("a key that no master key opens was stored")
	}
}

func TestALogoutWhileAPrivateKeyIsMade(t *testing.T) {
	a, _, inA, _, meanwhile := two(t)
	other := session(t, a, inA.Info().SlotID)
	for _, isToken := range []bool{true, false} {
		wantCode(t, "login", inA.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
		*meanwhile = func() {
			wantCode(t, "logout", other.Logout(), ck.CKR_OK)
			wantCode(t, "login", other.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
		}
		_, err := inA.CreateObject(aesKey(true, isToken))
		wantCode(t, "CreateObject", err, ck.CKR_USER_NOT_LOGGED_IN)
		wantCode(t, "find", inA.FindObjectsInit(attr.Template{{Type: ck.CKA_LABEL, Value: []byte("a key")}}), ck.CKR_OK)
		if found, _ := inA.FindObjects(1); len(found) != 0 {
			t.Error("a key that the guard has forgotten was kept")
		}
		wantCode(t, "final", inA.FindObjectsFinal(), ck.CKR_OK)
		wantCode(t, "logout", other.Logout(), ck.CKR_OK)
	}
}

// An operation that is under way goes on while another process gives its key a new label.
func TestALabelFromElsewhereEndsNoOperation(t *testing.T) {
	a, _, inA, inB, _ := two(t)
	key, err := inA.CreateObject(aesKey(false, true))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "EncryptInit", inA.EncryptInit(&ck.Mechanism{Type: ck.CKM_AES_ECB}, key), ck.CKR_OK)
	label := attr.Template{{Type: ck.CKA_LABEL, Value: []byte("another")}}
	wantCode(t, "new label", inB.SetAttributes(findOne(t, inB), label), ck.CKR_OK)
	other := session(t, a, inA.Info().SlotID)
	wantCode(t, "a look at the store", other.FindObjectsInit(label), ck.CKR_OK)
	if found, _ := other.FindObjects(1); len(found) != 1 || found[0] != key {
		t.Errorf("found %v, want %v under its new label", found, key)
	}
	_, err = inA.Encrypt(make([]byte, 16), token.Output{Buf: make([]byte, 16)})
	wantCode(t, "Encrypt", err, ck.CKR_OK)
}

// An operation that is under way goes on while its key gets another policy and is sealed anew for it, here or elsewhere, as long as that permits it.
func TestAnOperationOutlivesAChangeOfItsKey(t *testing.T) {
	a, _, inA, inB, _ := two(t)
	key, err := inA.CreateObject(append(aesKey(false, true), attr.Attribute{Type: ck.CKA_SIGN, Value: attr.Bool(true)}))
	if err != nil {
		t.Fatal(err)
	}
	here := session(t, a, inA.Info().SlotID)
	for name, change := range map[string]func(attr.Template) error{
		"here":      func(change attr.Template) error { return here.SetAttributes(key, change) },
		"elsewhere": func(change attr.Template) error { return inB.SetAttributes(findOne(t, inB), change) },
	} {
		for _, use := range []struct {
			encrypt bool
			want    ck.RV
		}{{true, ck.CKR_OK}, {false, ck.CKR_KEY_HANDLE_INVALID}} {
			wantCode(t, name, inA.EncryptInit(&ck.Mechanism{Type: ck.CKM_AES_ECB}, key), ck.CKR_OK)
			wantCode(t, name, inA.SignInit(&ck.Mechanism{Type: ck.CKM_AES_CMAC}, key), ck.CKR_OK)
			wantCode(t, name, change(attr.Template{
				{Type: ck.CKA_ENCRYPT, Value: attr.Bool(use.encrypt)}, {Type: ck.CKA_DERIVE, Value: attr.Bool(use.encrypt)},
			}), ck.CKR_OK)
			findOne(t, here) // a look at the store
			_, err = inA.Encrypt(make([]byte, 16), token.Output{Buf: make([]byte, 16)})
			wantCode(t, name+": Encrypt", err, use.want)
			_, err = inA.Sign([]byte("data"), token.Output{Buf: make([]byte, 16)})
			wantCode(t, name+": Sign", err, ck.CKR_OK)
		}
		wantCode(t, name, change(attr.Template{{Type: ck.CKA_ENCRYPT, Value: attr.Bool(true)}, {Type: ck.CKA_DERIVE, Value: attr.Bool(false)}}), ck.CKR_OK)
		findOne(t, here)
	}
}

// More objects come and go than the store remembers. The handle of one that stayed stays good.
func TestHandlesOutliveALongAbsence(t *testing.T) {
	home := t.TempDir()
	_, _, inA, inB, _ := twoIn(t, home)
	key, err := inA.CreateObject(aesKey(false, true))
	if err != nil {
		t.Fatal(err)
	}
	goes, err := inA.CreateObject(attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_DATA))}, {Type: ck.CKA_TOKEN, Value: attr.Bool(true)}, {Type: ck.CKA_LABEL, Value: []byte("goes")},
	})
	if err != nil {
		t.Fatal(err)
	}
	encrypts(t, inA, key)
	if err := inB.FindObjectsInit(attr.Template{{Type: ck.CKA_LABEL, Value: []byte("goes")}}); err != nil {
		t.Fatal(err)
	}
	found, _ := inB.FindObjects(1)
	wantCode(t, "destroy", inB.DestroyObject(found[0]), ck.CKR_OK)
	churn(t, home)
	encrypts(t, inA, key)
	_, err = inA.ObjectSize(goes)
	wantCode(t, "what was destroyed first", err, ck.CKR_OBJECT_HANDLE_INVALID)
}

// onlyStore opens the store of the only token there is. The caller closes it.
func onlyStore(t *testing.T, home string) *store.Store {
	t.Helper()
	tokens, err := filepath.Glob(filepath.Join(home, "tokens", "*"))
	if err != nil || len(tokens) != 1 {
		t.Fatalf("tokens %v, %v", tokens, err)
	}
	st, err := store.Open(tokens[0])
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// churn makes and deletes more objects than the store keeps tombstones of.
func churn(t *testing.T, home string) {
	t.Helper()
	st := onlyStore(t, home)
	defer st.Close()
	for range 2 {
		objects, ids := make([]*store.Object, 9000), make([]store.ID, 9000)
		for i := range objects {
			ids[i] = store.NewID()
			objects[i] = &store.Object{ID: ids[i], Attrs: (&attr.Set{}).Encode()}
		}
		if err := st.Add(objects...); err != nil {
			t.Fatal(err)
		}
		if err := st.Delete(ids...); err != nil {
			t.Fatal(err)
		}
	}
}

// A search does not stumble over objects that another process destroys under it.
func TestSearchWhileOthersDestroy(t *testing.T) {
	_, _, inA, inB, _ := two(t)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		defer close(stop)
		for range 150 {
			h, err := inB.CreateObject(attr.Template{
				{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_DATA))}, {Type: ck.CKA_TOKEN, Value: attr.Bool(true)},
			})
			if err == nil {
				err = inB.DestroyObject(h)
			}
			wantCode(t, "create and destroy", err, ck.CKR_OK)
		}
	})
	for done := false; !done; {
		select {
		case <-stop:
			done = true
		default:
		}
		wantCode(t, "FindObjectsInit", inA.FindObjectsInit(nil), ck.CKR_OK)
		wantCode(t, "FindObjectsFinal", inA.FindObjectsFinal(), ck.CKR_OK)
	}
	wg.Wait()
}
