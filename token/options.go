package token

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// What a token's header says of its protection, beyond its policy. It is there to be shown, and to choose a guard by; what holds is in the sealed
// master keys, where nobody can change it.
const (
	optionIsolation = "isolation" // guard.Level that the token was made under; missing: software
	optionBoot      = "boot"      // for a per-boot token: the boot that its keys live in
	optionAllow     = "allow"     // the access list, separated by commas
	optionScope     = "scope"     // "machine" for one with an access list; missing: its owner's alone
	optionKeysBoot  = "keys-boot" // the boot of those of its keys that die with one, where the token does not
	optionPINLimit  = "pin-limit" // how many wrong PINs in a row the guard lets pass
)

// What a token's header says of the keys that are made in it.
const (
	optionSemantics = "semantics" // "ncrypt": what templates leave open is as NCrypt has it; missing: as PKCS #11 has it
	optionNames     = "names"     // "unique": no two keys have the same name; missing: labels are labels
	optionCodes     = "codes"     // "ncrypt": ncrypt11's own return values; missing: the standard's
	optionProfile   = "profile"   // "smart-card": see smartcard.go; missing: it takes in whatever it is given
	optionImport    = "import"    // of a smart card: the roles of private keys that it takes in, separated by commas
)

// NCryptSemantics says whether the keys of templates that do not say are sensitive, not extractable, and named once.
func NCryptSemantics(h *store.Header) bool { return h.Options[optionSemantics] == "ncrypt" }

// UniqueNames says whether a key's label is its name, which no other key may have.
func UniqueNames(h *store.Header) bool { return h.Options[optionNames] == "unique" }

// Isolation is the level of the guard that the token was made under.
func Isolation(h *store.Header) guard.Level {
	level, _ := guard.ParseLevel(h.Options[optionIsolation])
	return level
}

// Boot is the boot that the token's keys live in, by the kernel's boot_id; empty where they outlive it.
func Boot(h *store.Header) string { return h.Options[optionBoot] }

// PerBoot says whether the token's keys die with the boot that they were made in.
func PerBoot(h *store.Header) bool { return Boot(h) != "" }

// Allowed is the token's access list, as it was when the token was made.
func Allowed(h *store.Header) []string {
	return slices.DeleteFunc(strings.Split(h.Options[optionAllow], ","), func(s string) bool { return s == "" })
}

// termsOf gives the terms that the token was made with.
func termsOf(h *store.Header) (*seal.Terms, error) {
	terms := &seal.Terms{PerBoot: PerBoot(h), Access: seal.Access{Machine: h.Options[optionScope] == string(config.Machine)}}
	for _, name := range Allowed(h) {
		p, err := seal.ParsePrincipal(name)
		if err != nil {
			return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "the token's access list is damaged: %w", err)
		}
		terms.Access.Allow = append(terms.Access.Allow, p)
	}
	return terms, nil
}

func setOption(h *store.Header, name, value string) {
	if h.Options == nil {
		h.Options = map[string]string{}
	}
	h.Options[name] = value
}

// describeProtection writes down what the token's master keys are made under.
func describeProtection(h *store.Header, keys guard.Keys, terms *seal.Terms) {
	if level := keys.Level(); level != guard.Software {
		setOption(h, optionIsolation, level.String())
	}
	if limit := keys.PINLimit(); limit > 0 {
		setOption(h, optionPINLimit, strconv.Itoa(limit))
	}
	if terms == nil {
		return
	}
	if terms.PerBoot {
		setOption(h, optionBoot, currentBoot())
	}
	if terms.Access.Machine {
		setOption(h, optionScope, string(config.Machine))
	}
	var allow []string
	for _, p := range terms.Access.Allow {
		allow = append(allow, p.String())
	}
	if len(allow) > 0 {
		setOption(h, optionAllow, strings.Join(allow, ","))
	}
}

// pinLimit is how many wrong PINs in a row lock a PIN of the token.
func (t *Token) pinLimit(h *store.Header) int {
	if limit, err := strconv.Atoi(h.Options[optionPINLimit]); err == nil && limit > 0 {
		return min(limit, t.maxFails)
	}
	return t.maxFails
}
