package attr_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

func build(t *testing.T, in tmpl, f attr.Facts) *attr.Set {
	t.Helper()
	n, err := attr.Build(attr.Create, in, f)
	if err != nil {
		t.Fatal(err)
	}
	return n.Set
}

// changes are tried with SetAttributes and with Copy.
var changes = []struct {
	name      string
	from      tmpl
	change    tmpl
	f         attr.Facts
	set, copy ck.RV
}{
	{"nothing", aes(), nil, attr.Facts{}, ck.CKR_OK, ck.CKR_OK},
	{"label", aes(), tmpl{s(ck.CKA_LABEL, "new")}, attr.Facts{}, ck.CKR_OK, ck.CKR_OK},
	{"id", aes(), tmpl{s(ck.CKA_ID, "\x01")}, attr.Facts{}, ck.CKR_OK, ck.CKR_OK},
	{"usage", aes(), tmpl{b(ck.CKA_WRAP, false), b(ck.CKA_DERIVE, true)}, attr.Facts{}, ck.CKR_OK, ck.CKR_OK},
	{"token", aes(), tmpl{b(ck.CKA_TOKEN, true)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_OK},
	{"private", aes(), tmpl{b(ck.CKA_PRIVATE, true)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_OK},
	{"no longer private", aes(b(ck.CKA_PRIVATE, true)), tmpl{b(ck.CKA_PRIVATE, false)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_TEMPLATE_INCONSISTENT},
	{"modifiable", aes(), tmpl{b(ck.CKA_MODIFIABLE, false)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_OK},
	{"destroyable", aes(), tmpl{b(ck.CKA_DESTROYABLE, false)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_OK},
	{"copyable, down", aes(), tmpl{b(ck.CKA_COPYABLE, false)}, attr.Facts{}, ck.CKR_OK, ck.CKR_OK},
	{"copyable, up", aes(b(ck.CKA_COPYABLE, false)), tmpl{b(ck.CKA_COPYABLE, true)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_ACTION_PROHIBITED},
	{"not modifiable", aes(b(ck.CKA_MODIFIABLE, false)), tmpl{s(ck.CKA_LABEL, "new")}, attr.Facts{}, ck.CKR_ACTION_PROHIBITED, ck.CKR_OK},
	{"class", aes(), tmpl{u(ck.CKA_CLASS, ck.CKO_SECRET_KEY)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_ATTRIBUTE_READ_ONLY},
	{"key type", aes(), tmpl{u(ck.CKA_KEY_TYPE, ck.CKK_AES)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_ATTRIBUTE_READ_ONLY},
	{"key value", aes(), tmpl{s(ck.CKA_VALUE, "fedcba9876543210")}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_ATTRIBUTE_READ_ONLY},
	{"unique id", aes(), tmpl{s(ck.CKA_UNIQUE_ID, "x")}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_ATTRIBUTE_READ_ONLY},
	{"local", aes(), tmpl{b(ck.CKA_LOCAL, true)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_ATTRIBUTE_READ_ONLY},
	{"protection", aes(), tmpl{u(ck.CKA_NCRYPT_PROTECTION, 0)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_ATTRIBUTE_READ_ONLY},
	{"allowed mechanisms", aes(), tmpl{s(ck.CKA_ALLOWED_MECHANISMS, "")}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_ATTRIBUTE_READ_ONLY},
	{"sensitive, up", aes(), tmpl{b(ck.CKA_SENSITIVE, true)}, attr.Facts{}, ck.CKR_OK, ck.CKR_OK},
	{"sensitive, down", aes(b(ck.CKA_SENSITIVE, true)), tmpl{b(ck.CKA_SENSITIVE, false)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_ATTRIBUTE_READ_ONLY},
	{"sensitive, again", aes(b(ck.CKA_SENSITIVE, true)), tmpl{b(ck.CKA_SENSITIVE, true)}, attr.Facts{}, ck.CKR_OK, ck.CKR_OK},
	{"extractable, down", aes(), tmpl{b(ck.CKA_EXTRACTABLE, false)}, attr.Facts{}, ck.CKR_OK, ck.CKR_OK},
	{"extractable, up", aes(b(ck.CKA_EXTRACTABLE, false)), tmpl{b(ck.CKA_EXTRACTABLE, true)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_ATTRIBUTE_READ_ONLY},
	{"wrap with trusted, up", aes(), tmpl{b(ck.CKA_WRAP_WITH_TRUSTED, true)}, attr.Facts{}, ck.CKR_OK, ck.CKR_OK},
	{"wrap with trusted, down", aes(b(ck.CKA_WRAP_WITH_TRUSTED, true)), tmpl{b(ck.CKA_WRAP_WITH_TRUSTED, false)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_ATTRIBUTE_READ_ONLY},
	{"trusted by the user", aes(), tmpl{b(ck.CKA_TRUSTED, true)}, attr.Facts{LoggedIn: true}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_ATTRIBUTE_READ_ONLY},
	{"trusted by the SO", aes(), tmpl{b(ck.CKA_TRUSTED, true)}, attr.Facts{SO: true}, ck.CKR_OK, ck.CKR_OK},
	{"always authenticate", rsaPrivate(b(ck.CKA_PRIVATE, true)), tmpl{b(ck.CKA_ALWAYS_AUTHENTICATE, true)}, attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY, ck.CKR_ATTRIBUTE_READ_ONLY},
	{"unknown", aes(), tmpl{s(0x7fff1234, "x")}, attr.Facts{}, ck.CKR_ATTRIBUTE_TYPE_INVALID, ck.CKR_ATTRIBUTE_TYPE_INVALID},
	{"another class's", aes(), tmpl{s(ck.CKA_MODULUS, "x")}, attr.Facts{}, ck.CKR_TEMPLATE_INCONSISTENT, ck.CKR_TEMPLATE_INCONSISTENT},
	{"twice", aes(), tmpl{s(ck.CKA_LABEL, "x"), s(ck.CKA_LABEL, "y")}, attr.Facts{}, ck.CKR_TEMPLATE_INCONSISTENT, ck.CKR_TEMPLATE_INCONSISTENT},
	{"too many", aes(), make(tmpl, 100_000), attr.Facts{}, ck.CKR_TEMPLATE_INCONSISTENT, ck.CKR_TEMPLATE_INCONSISTENT},
	{"malformed", aes(), tmpl{s(ck.CKA_SIGN, "xx")}, attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID, ck.CKR_ATTRIBUTE_VALUE_INVALID},
	{"data's value", object(ck.CKO_DATA, s(ck.CKA_VALUE, "old")), tmpl{s(ck.CKA_VALUE, "new")}, attr.Facts{}, ck.CKR_OK, ck.CKR_OK},
	{"data too large", object(ck.CKO_DATA, attr.Attribute{Type: ck.CKA_VALUE, Value: make([]byte, attr.MaxValueSize)}),
		tmpl{attr.Attribute{Type: ck.CKA_OBJECT_ID, Value: make([]byte, attr.MaxValueSize)}}, attr.Facts{}, ck.CKR_DEVICE_MEMORY, ck.CKR_DEVICE_MEMORY},
}

func TestChanges(t *testing.T) {
	for _, test := range changes {
		from := build(t, test.from, attr.Facts{})
		before := string(from.Encode())
		changed, err := attr.SetAttributes(from, test.change, test.f)
		expect(t, "SetAttributes, "+test.name, changed, test.change, err, test.set)
		copied, err := attr.Copy(from, test.change, test.f)
		expect(t, "Copy, "+test.name, copied, test.change, err, test.copy)
		if string(from.Encode()) != before {
			t.Errorf("%s: the object itself was changed", test.name)
		}
	}
}

func expect(t *testing.T, name string, got *attr.Set, want tmpl, err error, rv ck.RV) {
	t.Helper()
	if ck.Code(err) != rv {
		t.Errorf("%s: %v, want %v", name, err, rv)
	}
	if err == nil && !got.Match(want) {
		t.Errorf("%s: the result does not have the change", name)
	}
	if err != nil && got != nil {
		t.Errorf("%s: a result beside an error", name)
	}
}

func TestCopyKeepsLifeCycle(t *testing.T) {
	n, err := attr.Build(attr.Generate, tmpl{u(ck.CKA_VALUE_LEN, 16), b(ck.CKA_SENSITIVE, true)}, attr.Facts{Class: ck.CKO_SECRET_KEY, KeyType: &typeAES, Mechanism: ck.CKM_AES_KEY_GEN})
	if err != nil {
		t.Fatal(err)
	}
	n.Set.Put(ck.CKA_UNIQUE_ID, []byte("original"))
	n.Set.Put(ck.CKA_NCRYPT_KEY_NAME, []byte("original"))
	copied, err := attr.Copy(n.Set, tmpl{b(ck.CKA_TOKEN, true)}, attr.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	if !copied.Match(tmpl{b(ck.CKA_LOCAL, true), u(ck.CKA_KEY_GEN_MECHANISM, ck.CKM_AES_KEY_GEN), b(ck.CKA_ALWAYS_SENSITIVE, true), b(ck.CKA_NEVER_EXTRACTABLE, true)}) {
		t.Error("the copy has another life cycle")
	}
	for _, typ := range []ck.AttributeType{ck.CKA_UNIQUE_ID, ck.CKA_NCRYPT_KEY_NAME} {
		if _, ok := copied.Get(typ); ok {
			t.Errorf("the copy has the original's %#x", uint(typ))
		}
	}
}

func TestTighteningDoesNotRewriteHistory(t *testing.T) {
	from := build(t, aes(), attr.Facts{})
	changed, err := attr.SetAttributes(from, tmpl{b(ck.CKA_SENSITIVE, true), b(ck.CKA_EXTRACTABLE, false)}, attr.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	if changed.Bool(ck.CKA_ALWAYS_SENSITIVE) || changed.Bool(ck.CKA_NEVER_EXTRACTABLE) {
		t.Error("a key that could be read once counts as never readable")
	}
}

func TestCertificateChanges(t *testing.T) {
	from := build(t, certificate(s(ck.CKA_VALUE, string(leaf(t)))), attr.Facts{})
	for _, test := range []struct {
		name   string
		change attr.Attribute
		f      attr.Facts
		want   ck.RV
	}{
		{"id", s(ck.CKA_ID, "\x01"), attr.Facts{}, ck.CKR_OK},
		{"issuer", s(ck.CKA_ISSUER, "x"), attr.Facts{}, ck.CKR_OK},
		{"value", s(ck.CKA_VALUE, "x"), attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"subject", s(ck.CKA_SUBJECT, "x"), attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"trusted, user", b(ck.CKA_TRUSTED, true), attr.Facts{LoggedIn: true}, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"trusted, SO", b(ck.CKA_TRUSTED, true), attr.Facts{SO: true}, ck.CKR_OK},
	} {
		if _, err := attr.SetAttributes(from, tmpl{test.change}, test.f); ck.Code(err) != test.want {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}
