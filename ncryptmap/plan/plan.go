// Package plan says in NCrypt's words what becomes of an object that PKCS #11 makes: whether it persists, under which name, for how long,
// how it is protected, and what may be done with it. It decides by tables and does nothing.
package plan

import (
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Protection is how much isolation (virtualization-based security, in NCrypt) a key is to have. The values are those of CKA_NCRYPT_PROTECTION.
type Protection uint

// The protections, from least to most.
const (
	None    Protection = iota // kept by software alone
	Prefer                    // NCRYPT_PREFER_VBS_FLAG: isolated where possible
	Require                   // NCRYPT_REQUIRE_VBS_FLAG: isolated, or not at all
)

// Scope says whose key it is.
type Scope byte

// The scopes.
const (
	User    Scope = iota
	Machine       // NCRYPT_MACHINE_KEY_FLAG
)

// Lifetime says how long a key lives.
type Lifetime byte

// The lifetimes.
const (
	CrossBoot Lifetime = iota // until it is deleted
	PerBoot                   // NCRYPT_USE_PER_BOOT_KEY_FLAG: on disk, and dead after a reboot
	Ephemeral                 // with its session, and nowhere but in memory
)

// Policy is what a token lays down for all its keys.
type Policy struct {
	Protection Protection // the floor: a template may ask for more, not for less
	Scope      Scope
	PerBoot    bool
}

// NCryptDefaults says whether keys are made as NCrypt makes them when the template does not say, sensitive and not extractable
// (attr.Facts.NCryptDefaults): where isolation is required nothing else would be allowed.
func (p Policy) NCryptDefaults() bool { return p.Protection == Require }

// Plan is what becomes of an object.
type Plan struct {
	Persist      bool
	Name         string // the key's name; empty for what is not a key and for what does not persist
	Scope        Scope
	Lifetime     Lifetime
	Protection   Protection
	ExportPolicy uint32 // NCRYPT_ALLOW_*EXPORT_FLAG
	KeyUsage     uint32 // NCRYPT_ALLOW_*
}

// For plans an object of a token by its attributes, as attr.Build or attr.Copy gave them. Only private and secret keys are keys to NCrypt;
// of other objects the plan says where they live. CKR_TEMPLATE_INCONSISTENT: the template asks for less protection than the token
// gives, or for a way out of it.
func For(set *attr.Set, tok Policy) (Plan, error) {
	p := Plan{Persist: set.Bool(ck.CKA_TOKEN), Scope: tok.Scope, Lifetime: lifetime(set, tok)}
	class, _ := set.ULong(ck.CKA_CLASS)
	if c := ck.ObjectClass(class); c != ck.CKO_PRIVATE_KEY && c != ck.CKO_SECRET_KEY {
		return p, nil
	}
	if label, _ := set.Get(ck.CKA_LABEL); p.Persist {
		p.Name = string(label)
	}
	if _, given := set.Get(ck.CKA_NCRYPT_PER_BOOT); given && tok.PerBoot && !set.Bool(ck.CKA_NCRYPT_PER_BOOT) {
		return Plan{}, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "CKA_NCRYPT_PER_BOOT FALSE in a token whose keys all die with the boot")
	}
	p.ExportPolicy = ExportPolicy(set)
	p.KeyUsage = KeyUsage(set)
	var err error
	if p.Protection, err = protection(set, tok); err != nil {
		return Plan{}, err
	}
	if p.Protection == Require && (p.ExportPolicy != 0 || Archiving(set) != 0) && !handedOut(set) {
		return Plan{}, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a key whose isolation is required can neither be extractable nor archived")
	}
	return p, nil
}

func lifetime(set *attr.Set, tok Policy) Lifetime {
	switch {
	case !set.Bool(ck.CKA_TOKEN):
		return Ephemeral
	case tok.PerBoot || set.Bool(ck.CKA_NCRYPT_PER_BOOT):
		return PerBoot
	}
	return CrossBoot
}

func protection(set *attr.Set, tok Policy) (Protection, error) {
	asked, given := set.ULong(ck.CKA_NCRYPT_PROTECTION)
	if !given {
		// That a key dies with its boot is something that only isolation can promise.
		if set.Bool(ck.CKA_NCRYPT_PER_BOOT) {
			return Require, nil
		}
		return tok.Protection, nil
	}
	if Protection(asked) < tok.Protection {
		return 0, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "CKA_NCRYPT_PROTECTION %d is less than the token's %d", asked, tok.Protection)
	}
	return Protection(asked), nil
}

// handedOut knows the keys that NCrypt has not: secrets for the session only, which it gives to the program as bytes
// (NCryptDeriveKey). Programs that agree on a TLS key must be able to read it wherever the private key lives.
func handedOut(set *attr.Set) bool {
	class, _ := set.ULong(ck.CKA_CLASS)
	return ck.ObjectClass(class) == ck.CKO_SECRET_KEY && !set.Bool(ck.CKA_TOKEN)
}
