package wrapping_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// side is one of two that wrap and unwrap for each other.
type side interface {
	// wrap gives the key under the wrapping key.
	wrap(m *mechanism, p *payload) ([]byte, error)
	// unwrap gives the secret numbers of what was wrapped.
	unwrap(m *mechanism, p *payload, wrapped []byte) ([][]byte, error)
}

// fixtures are the wrapping keys, which all sides have.
type fixtures struct {
	rsa *rsa.PrivateKey
	aes []byte
	ec  *ecdsa.PrivateKey
}

var errNoMechanism = errors.New("there is no such mechanism")

// token is a side that is a PKCS #11 module.
type token struct {
	*pkcs11.Ctx
	fixtures *fixtures
	slot     uint
	h        pkcs11.SessionHandle
	beside   func(p *payload) []*pkcs11.Attribute // what the module wants in the template of C_UnwrapKey that others do not; nil: nothing
}

// ours is the module that is tested, with a token in a home of its own.
func ours(t testing.TB, f *fixtures) *token {
	t.Helper()
	t.Setenv("NCRYPT11_HOME", filepath.Join(t.TempDir(), "home"))
	t.Setenv("NCRYPT11_GUARD", "none")
	module, err := filepath.Abs("../../build/libncrypt11.so")
	must(t, err)
	return open(t, module, f)
}

// softHSM is SoftHSM2, with a token in a directory of its own.
func softHSM(t testing.TB, f *fixtures) *token {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "tokens"), 0o700))
	conf := filepath.Join(dir, "softhsm2.conf")
	must(t, os.WriteFile(conf, []byte("directories.tokendir = "+dir+"/tokens\nlog.level = ERROR\n"), 0o600))
	t.Setenv("SOFTHSM2_CONF", conf)
	return open(t, library(t, "softhsm2", "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/*/softhsm/libsofthsm2.so"), f)
}

// softokn is NSS's own module. Its first slot has session objects, and no login.
func softokn(t testing.TB, f *fixtures) *token {
	t.Helper()
	parameters := []byte("configdir='sql:" + t.TempDir() + "' certPrefix='' keyPrefix='' secmod='secmod.db' flags=noModDB\x00")
	var pinner runtime.Pinner
	pinner.Pin(&parameters[0])
	defer pinner.Unpin()
	tok := load(t, library(t, "libnss3", "/usr/lib/*/libsoftokn3.so"), f, pkcs11.InitializeWithReserved(unsafe.Pointer(&parameters[0])))
	tok.session(t)
	tok.beside = func(p *payload) []*pkcs11.Attribute {
		var point []byte
		var err error
		switch key := p.private.(type) {
		case *ecdsa.PrivateKey:
			point, err = key.PublicKey.Bytes()
		case ed25519.PrivateKey:
			point = key.Public().(ed25519.PublicKey)
		case *ecdh.PrivateKey:
			point = key.PublicKey().Bytes()
		default:
			return nil
		}
		must(t, err)
		return []*pkcs11.Attribute{pkcs11.NewAttribute(attributeNSSDB, point)}
	}
	return tok
}

// attributeNSSDB is CKA_NSS_DB: NSS knows private keys by their public halves.
const attributeNSSDB = 0xd5a0db00

// library finds a file of a package that tools/install-deps.sh installs.
func library(t testing.TB, pkg string, patterns ...string) string {
	t.Helper()
	for _, pattern := range patterns {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return found[0]
		}
	}
	t.Fatalf("%s is not installed: run tools/install-deps.sh", pkg)
	return ""
}

// load starts a module.
func load(t testing.TB, module string, f *fixtures, options ...pkcs11.InitializeOption) *token {
	t.Helper()
	p := pkcs11.New(module)
	if p == nil {
		t.Fatalf("%s cannot be loaded", module)
	}
	must(t, p.Initialize(options...))
	t.Cleanup(func() {
		if err := p.Finalize(); err != nil {
			t.Error(err)
		}
		p.Destroy()
	})
	slots, err := p.GetSlotList(true)
	must(t, err)
	return &token{Ctx: p, fixtures: f, slot: slots[0]}
}

func (tok *token) session(t testing.TB) {
	t.Helper()
	var err error
	tok.h, err = tok.OpenSession(tok.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	must(t, err)
}

// open makes a token in the first slot and logs in.
func open(t testing.TB, module string, f *fixtures) *token {
	t.Helper()
	const pin, soPIN, label = "1234", "12345678", "wrapping"
	tok := load(t, module, f)
	must(t, tok.InitToken(tok.slot, soPIN, label))
	slots, err := tok.GetSlotList(true) // it may be another slot now
	must(t, err)
	for _, slot := range slots {
		if info, err := tok.GetTokenInfo(slot); err == nil && strings.TrimRight(info.Label, " ") == label {
			tok.slot = slot
		}
	}
	tok.session(t)
	must(t, tok.Login(tok.h, pkcs11.CKU_SO, soPIN))
	must(t, tok.InitPIN(tok.h, pin))
	must(t, tok.Logout(tok.h))
	must(t, tok.Login(tok.h, pkcs11.CKU_USER, pin))
	return tok
}

// failed is an error of a call, by the name of its code.
func failed(call string, err error) error {
	var code pkcs11.Error
	if errors.As(err, &code) {
		return fmt.Errorf("%s: %w", call, ck.RV(code))
	}
	return fmt.Errorf("%s: %w", call, err)
}

func (tok *token) wrap(m *mechanism, p *payload) ([]byte, error) {
	if !tok.offers(m) {
		return nil, errNoMechanism
	}
	key, err := tok.CreateObject(tok.h, p.template())
	if err != nil {
		return nil, failed("C_CreateObject", err)
	}
	defer func() { _ = tok.DestroyObject(tok.h, key) }() // the session ends anyway
	wrapping, err := tok.wrapping(m)
	if err != nil {
		return nil, failed("C_CreateObject", err)
	}
	defer func() { _ = tok.DestroyObject(tok.h, wrapping) }()
	var pinner runtime.Pinner
	defer pinner.Unpin()
	out, err := tok.WrapKey(tok.h, m.on(&pinner), wrapping, key)
	if err != nil {
		return nil, failed("C_WrapKey", err)
	}
	return out, nil
}

func (tok *token) unwrap(m *mechanism, p *payload, wrapped []byte) ([][]byte, error) {
	if !tok.offers(m) {
		return nil, errNoMechanism
	}
	unwrapping, err := tok.unwrapping(m)
	if err != nil {
		return nil, failed("C_CreateObject", err)
	}
	defer func() { _ = tok.DestroyObject(tok.h, unwrapping) }()
	template := p.described()
	if tok.beside != nil {
		template = append(template, tok.beside(p)...)
	}
	key, err := tok.unwrapUnder(m, unwrapping, template, wrapped)
	if err != nil {
		return nil, failed("C_UnwrapKey", err)
	}
	defer func() { _ = tok.DestroyObject(tok.h, key) }()
	return tok.parts(p, key)
}

func (tok *token) unwrapUnder(m *mechanism, unwrapping pkcs11.ObjectHandle, template []*pkcs11.Attribute, wrapped []byte) (pkcs11.ObjectHandle, error) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	return tok.UnwrapKey(tok.h, m.on(&pinner), unwrapping, wrapped, template)
}

// offers says whether the module has the mechanism for wrapping.
func (tok *token) offers(m *mechanism) bool {
	info, err := tok.GetMechanismInfo(tok.slot, []*pkcs11.Mechanism{pkcs11.NewMechanism(uint(m.typ), nil)})
	return err == nil && info.Flags&(pkcs11.CKF_WRAP|pkcs11.CKF_UNWRAP) != 0
}

// parts are the secret numbers of a key, as payload.parts has them.
func (tok *token) parts(p *payload, key pkcs11.ObjectHandle) ([][]byte, error) {
	types := []uint{pkcs11.CKA_VALUE}
	switch p.private.(type) {
	case *rsa.PrivateKey:
		types = []uint{pkcs11.CKA_PRIME_1, pkcs11.CKA_PRIME_2}
	case seeded:
		types = []uint{uint(ck.CKA_SEED)}
	}
	var parts [][]byte
	for _, typ := range types {
		values, err := tok.GetAttributeValue(tok.h, key, []*pkcs11.Attribute{pkcs11.NewAttribute(typ, nil)})
		if err != nil {
			return nil, failed("C_GetAttributeValue", err)
		}
		parts = append(parts, p.number(values[0].Value))
	}
	if len(parts) == 2 {
		parts = sorted(parts[0], parts[1])
	}
	return parts, nil
}

// number gives a value the length that such a number has: some modules leave zeros away, or write an octet string around it.
func (p *payload) number(value []byte) []byte {
	size := len(p.parts()[0])
	switch p.private.(type) {
	case nil:
		return value
	case *rsa.PrivateKey:
		return []byte(strings.TrimLeft(string(value), "\x00"))
	}
	var inner []byte
	if rest, err := asn1.Unmarshal(value, &inner); err == nil && len(rest) == 0 && len(inner) == size {
		return inner
	}
	if len(value) < size {
		return append(make([]byte, size-len(value)), value...)
	}
	return value
}

// usable is a template for what wraps and unwraps.
func usable(class, keyType uint, uses []uint, numbers ...*pkcs11.Attribute) []*pkcs11.Attribute {
	t := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, keyType), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false)}
	for _, use := range uses {
		t = append(t, pkcs11.NewAttribute(use, true))
	}
	return append(t, numbers...)
}

// wrapping makes the key that wraps: the public half, where there is one.
func (tok *token) wrapping(m *mechanism) (pkcs11.ObjectHandle, error) {
	f := tok.fixtures
	switch m.under {
	case underRSA:
		return tok.CreateObject(tok.h, usable(pkcs11.CKO_PUBLIC_KEY, pkcs11.CKK_RSA, []uint{pkcs11.CKA_WRAP, pkcs11.CKA_ENCRYPT}, rsaNumbers(f.rsa)[:2]...))
	case underEC:
		public, err := f.ec.PublicKey.Bytes()
		if err != nil {
			return 0, err
		}
		point, err := asn1.Marshal(public)
		if err != nil {
			return 0, err
		}
		return tok.CreateObject(tok.h, usable(pkcs11.CKO_PUBLIC_KEY, pkcs11.CKK_EC, []uint{pkcs11.CKA_WRAP, pkcs11.CKA_DERIVE},
			pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, oid(1, 2, 840, 10045, 3, 1, 7)), pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, point)))
	}
	return tok.secret(m)
}

// unwrapping makes the key that unwraps.
func (tok *token) unwrapping(m *mechanism) (pkcs11.ObjectHandle, error) {
	f := tok.fixtures
	switch m.under {
	case underRSA:
		return tok.CreateObject(tok.h, usable(pkcs11.CKO_PRIVATE_KEY, pkcs11.CKK_RSA, []uint{pkcs11.CKA_UNWRAP, pkcs11.CKA_DECRYPT}, rsaNumbers(f.rsa)...))
	case underEC:
		d, err := f.ec.Bytes()
		if err != nil {
			return 0, err
		}
		return tok.CreateObject(tok.h, usable(pkcs11.CKO_PRIVATE_KEY, pkcs11.CKK_EC, []uint{pkcs11.CKA_UNWRAP, pkcs11.CKA_DERIVE},
			pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, oid(1, 2, 840, 10045, 3, 1, 7)), pkcs11.NewAttribute(pkcs11.CKA_VALUE, d)))
	}
	return tok.secret(m)
}

func (tok *token) secret(m *mechanism) (pkcs11.ObjectHandle, error) {
	uses := []uint{pkcs11.CKA_WRAP, pkcs11.CKA_UNWRAP, pkcs11.CKA_ENCRYPT, pkcs11.CKA_DECRYPT}
	value := pkcs11.NewAttribute(pkcs11.CKA_VALUE, tok.fixtures.aes[:m.bits/8])
	return tok.CreateObject(tok.h, usable(pkcs11.CKO_SECRET_KEY, pkcs11.CKK_AES, uses, value))
}
