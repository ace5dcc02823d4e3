package plan_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// made is a set by its class, key type, CK_BBOOLs that are TRUE, and whatever else.
func made(class ck.ObjectClass, keyType ck.KeyType, on []ck.AttributeType, rest ...attr.Attribute) *attr.Set {
	s := &attr.Set{}
	s.PutULong(ck.CKA_CLASS, uint(class))
	s.PutULong(ck.CKA_KEY_TYPE, uint(keyType))
	for _, typ := range on {
		s.PutBool(typ, true)
	}
	for _, a := range rest {
		s.Put(a.Type, a.Value)
	}
	return s
}

type on = []ck.AttributeType

func protect(p plan.Protection) attr.Attribute {
	return attr.Attribute{Type: ck.CKA_NCRYPT_PROTECTION, Value: attr.ULong(uint(p))}
}

func label(name string) attr.Attribute {
	return attr.Attribute{Type: ck.CKA_LABEL, Value: []byte(name)}
}

func TestWhereAndHowLong(t *testing.T) {
	kept := on{ck.CKA_TOKEN, ck.CKA_SENSITIVE}
	for _, test := range []struct {
		name string
		set  *attr.Set
		tok  plan.Policy
		want plan.Plan
	}{
		{"kept", made(ck.CKO_PRIVATE_KEY, ck.CKK_RSA, kept, label("web")), plan.Policy{Protection: plan.Prefer},
			plan.Plan{Persist: true, Name: "web", Lifetime: plan.CrossBoot, Protection: plan.Prefer}},
		{"kept, machine, per boot", made(ck.CKO_PRIVATE_KEY, ck.CKK_RSA, kept, label("web")), plan.Policy{Scope: plan.Machine, PerBoot: true},
			plan.Plan{Persist: true, Name: "web", Scope: plan.Machine, Lifetime: plan.PerBoot}},
		{"session key of a per-boot token", made(ck.CKO_PRIVATE_KEY, ck.CKK_RSA, on{ck.CKA_SENSITIVE}, label("web")), plan.Policy{PerBoot: true},
			plan.Plan{Lifetime: plan.Ephemeral}},
		{"kept without a label", made(ck.CKO_SECRET_KEY, ck.CKK_AES, kept), plan.Policy{}, plan.Plan{Persist: true}},
		{"a public key has no name", made(ck.CKO_PUBLIC_KEY, ck.CKK_RSA, on{ck.CKA_TOKEN}, label("web")), plan.Policy{Protection: plan.Require}, plan.Plan{Persist: true}},
		{"nor has a certificate", made(ck.CKO_CERTIFICATE, 0, on{ck.CKA_TOKEN}, label("web")), plan.Policy{}, plan.Plan{Persist: true}},
	} {
		got, err := plan.For(test.set, test.tok)
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v; want %+v", test.name, got, err, test.want)
		}
	}
}

func TestProtection(t *testing.T) {
	guarded := on{ck.CKA_SENSITIVE, ck.CKA_TOKEN}
	open := on{ck.CKA_EXTRACTABLE, ck.CKA_TOKEN}
	wrappable := on{ck.CKA_EXTRACTABLE, ck.CKA_SENSITIVE, ck.CKA_TOKEN}
	for _, test := range []struct {
		name  string
		floor plan.Protection
		set   *attr.Set
		want  plan.Protection
		rv    ck.RV
	}{
		{"the token's", plan.Prefer, made(ck.CKO_PRIVATE_KEY, ck.CKK_EC, guarded), plan.Prefer, ck.CKR_OK},
		{"as much", plan.Prefer, made(ck.CKO_PRIVATE_KEY, ck.CKK_EC, guarded, protect(plan.Prefer)), plan.Prefer, ck.CKR_OK},
		{"more", plan.None, made(ck.CKO_PRIVATE_KEY, ck.CKK_EC, guarded, protect(plan.Require)), plan.Require, ck.CKR_OK},
		{"less than preferred", plan.Prefer, made(ck.CKO_PRIVATE_KEY, ck.CKK_EC, guarded, protect(plan.None)), 0, ck.CKR_TEMPLATE_INCONSISTENT},
		{"less than required", plan.Require, made(ck.CKO_SECRET_KEY, ck.CKK_AES, guarded, protect(plan.Prefer)), 0, ck.CKR_TEMPLATE_INCONSISTENT},
		{"extractable, preferred", plan.Prefer, made(ck.CKO_PRIVATE_KEY, ck.CKK_EC, open), plan.Prefer, ck.CKR_OK},
		{"extractable, required", plan.Require, made(ck.CKO_PRIVATE_KEY, ck.CKK_EC, open), 0, ck.CKR_TEMPLATE_INCONSISTENT},
		{"wrappable, required", plan.Require, made(ck.CKO_SECRET_KEY, ck.CKK_AES, wrappable), 0, ck.CKR_TEMPLATE_INCONSISTENT},
		{"extractable, required by the template", plan.None, made(ck.CKO_PRIVATE_KEY, ck.CKK_EC, open, protect(plan.Require)), 0, ck.CKR_TEMPLATE_INCONSISTENT},
		{"session private key, extractable, required", plan.Require, made(ck.CKO_PRIVATE_KEY, ck.CKK_EC, on{ck.CKA_EXTRACTABLE}), 0, ck.CKR_TEMPLATE_INCONSISTENT},
		{"session secret, extractable, required", plan.Require, made(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET, on{ck.CKA_EXTRACTABLE}), plan.Require, ck.CKR_OK},
	} {
		got, err := plan.For(test.set, plan.Policy{Protection: test.floor})
		if ck.Code(err) != test.rv || got.Protection != test.want {
			t.Errorf("%s: %v, %v; want %v, %v", test.name, got.Protection, err, test.want, test.rv)
		}
		if err != nil && got != (plan.Plan{}) {
			t.Errorf("%s: a plan beside an error", test.name)
		}
	}
}

func TestExportPolicy(t *testing.T) {
	for _, test := range []struct {
		on   on
		want uint32
	}{
		{on{ck.CKA_SENSITIVE}, 0},
		{nil, 0},
		{on{ck.CKA_SENSITIVE, ck.CKA_EXTRACTABLE}, plan.NCRYPT_ALLOW_EXPORT_FLAG},
		{on{ck.CKA_EXTRACTABLE}, plan.NCRYPT_ALLOW_EXPORT_FLAG | plan.NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG},
	} {
		got, err := plan.For(made(ck.CKO_PRIVATE_KEY, ck.CKK_RSA, test.on), plan.Policy{})
		if err != nil || got.ExportPolicy != test.want {
			t.Errorf("%v: %#x, %v; want %#x", test.on, got.ExportPolicy, err, test.want)
		}
	}
}

func TestKeyUsage(t *testing.T) {
	unwrapTo := func(t attr.Template) attr.Attribute {
		return attr.Attribute{Type: ck.CKA_UNWRAP_TEMPLATE, Value: attr.EncodeNested(t)}
	}
	session := attr.Template{{Type: ck.CKA_TOKEN, Value: attr.Bool(false)}}
	stored := attr.Template{{Type: ck.CKA_TOKEN, Value: attr.Bool(true)}}
	for _, test := range []struct {
		name    string
		keyType ck.KeyType
		on      on
		rest    []attr.Attribute
		want    uint32
	}{
		{"nothing", ck.CKK_RSA, nil, nil, 0},
		{"decrypt", ck.CKK_RSA, on{ck.CKA_DECRYPT}, nil, plan.NCRYPT_ALLOW_DECRYPT_FLAG},
		{"sign", ck.CKK_RSA, on{ck.CKA_SIGN}, nil, plan.NCRYPT_ALLOW_SIGNING_FLAG},
		{"sign with recovery", ck.CKK_RSA, on{ck.CKA_SIGN_RECOVER}, nil, plan.NCRYPT_ALLOW_SIGNING_FLAG},
		{"agree", ck.CKK_EC, on{ck.CKA_DERIVE}, nil, plan.NCRYPT_ALLOW_KEY_AGREEMENT_FLAG},
		{"import", ck.CKK_RSA, on{ck.CKA_UNWRAP}, nil, plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG},
		{"import for the session", ck.CKK_RSA, on{ck.CKA_UNWRAP}, []attr.Attribute{unwrapTo(session)}, plan.NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG},
		{"import to keep", ck.CKK_RSA, on{ck.CKA_UNWRAP}, []attr.Attribute{unwrapTo(stored)}, plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG},
		{"import, template of nothing", ck.CKK_RSA, on{ck.CKA_UNWRAP}, []attr.Attribute{unwrapTo(nil)}, plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG},
		{"template without unwrapping", ck.CKK_RSA, on{ck.CKA_SIGN}, []attr.Attribute{unwrapTo(session)}, plan.NCRYPT_ALLOW_SIGNING_FLAG},
		{"damaged template", ck.CKK_RSA, on{ck.CKA_UNWRAP}, []attr.Attribute{{Type: ck.CKA_UNWRAP_TEMPLATE, Value: []byte("x")}}, plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG},
		{"all of RSA", ck.CKK_RSA, on{ck.CKA_DECRYPT, ck.CKA_SIGN, ck.CKA_UNWRAP}, nil, plan.NCRYPT_ALLOW_ALL_USAGES},
		{"all of EC", ck.CKK_EC, on{ck.CKA_SIGN, ck.CKA_DERIVE}, nil, plan.NCRYPT_ALLOW_ALL_USAGES},
		{"all of X25519", ck.CKK_EC_MONTGOMERY, on{ck.CKA_DERIVE}, nil, plan.NCRYPT_ALLOW_ALL_USAGES},
		{"all of Ed25519", ck.CKK_EC_EDWARDS, on{ck.CKA_SIGN}, nil, plan.NCRYPT_ALLOW_ALL_USAGES},
		{"all but keeping", ck.CKK_RSA, on{ck.CKA_DECRYPT, ck.CKA_SIGN, ck.CKA_UNWRAP}, []attr.Attribute{unwrapTo(session)},
			plan.NCRYPT_ALLOW_DECRYPT_FLAG | plan.NCRYPT_ALLOW_SIGNING_FLAG | plan.NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG},
	} {
		got, err := plan.For(made(ck.CKO_PRIVATE_KEY, test.keyType, test.on, test.rest...), plan.Policy{})
		if err != nil || got.KeyUsage != test.want {
			t.Errorf("%s: %#x, %v; want %#x", test.name, got.KeyUsage, err, test.want)
		}
	}
}

// TestDefaultsFitPolicy: on a token that requires isolation, keys of templates that say nothing of it can be planned, whatever their origin.
func TestDefaultsFitPolicy(t *testing.T) {
	tok := plan.Policy{Protection: plan.Require}
	for _, origin := range []attr.Origin{attr.Create, attr.Unwrap} {
		template := attr.Template{
			{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))},
			{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_AES))},
			{Type: ck.CKA_TOKEN, Value: attr.Bool(true)},
		}
		if origin == attr.Create {
			template = append(template, attr.Attribute{Type: ck.CKA_VALUE, Value: make([]byte, 16)})
		}
		n, err := attr.Build(origin, template, attr.Facts{NCryptDefaults: tok.NCryptDefaults()})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := plan.For(n.Set, tok); err != nil || got.ExportPolicy != 0 || got.KeyUsage != plan.NCRYPT_ALLOW_ALL_USAGES {
			t.Errorf("origin %d: %+v, %v", origin, got, err)
		}
	}
	if (plan.Policy{Protection: plan.Prefer}).NCryptDefaults() {
		t.Error("a token that prefers isolation keeps to the defaults of PKCS #11")
	}
}
