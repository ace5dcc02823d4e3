package token

import (
	"errors"
	"slices"
	"strings"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// A token with the profile of a smart card is one whose keys are made in it. Private keys from outside become its keys only where that was allowed when it
// was made, for exchange keys and for signature keys each (on Windows: AllowPrivateExchangeKeyImport and AllowPrivateSignatureKeyImport). Like unique names,
// this binds who goes through this module.

// Role is what a private key is to a smart card.
type Role string

// The roles.
const (
	Exchange  Role = "exchange"  // it decrypts, agrees or takes keys in, whether it signs as well or not
	Signature Role = "signature" // it signs and does nothing else
)

// Roles are all of them.
var Roles = []Role{Exchange, Signature}

// ErrNoImport: the token takes in no such private keys from outside. It comes as CKR_ACTION_PROHIBITED.
var ErrNoImport = errors.New("the smart card takes in no such private keys")

const profileSmartCard = "smart-card"

// SmartCard says whether the token has the profile of a smart card.
func SmartCard(h *store.Header) bool { return h.Options[optionProfile] == profileSmartCard }

// Imports are the roles of the private keys from outside that the token takes in: all, where it is no smart card.
func Imports(h *store.Header) []Role {
	if !SmartCard(h) {
		return Roles
	}
	var allowed []Role
	for _, word := range strings.Split(h.Options[optionImport], ",") {
		if slices.Contains(Roles, Role(word)) {
			allowed = append(allowed, Role(word))
		}
	}
	return allowed
}

// exchanges are the attributes that make a private key one for exchange.
var exchanges = []ck.AttributeType{ck.CKA_DECRYPT, ck.CKA_UNWRAP, ck.CKA_DERIVE, ck.CKA_DECAPSULATE}

// RoleOf is the role of a private key with these attributes.
func RoleOf(set *attr.Set) Role {
	if slices.ContainsFunc(exchanges, set.Bool) {
		return Exchange
	}
	return Signature
}

// takesIn says whether an object with these attributes may be kept in the token: a private key that was not made in it (CKA_LOCAL FALSE), however it came,
// must have a role that the token takes in.
func takesIn(h *store.Header, set *attr.Set) error {
	if !SmartCard(h) || classOf(set) != ck.CKO_PRIVATE_KEY || !set.Bool(ck.CKA_TOKEN) || set.Bool(ck.CKA_LOCAL) {
		return nil
	}
	role := RoleOf(set)
	if slices.Contains(Imports(h), role) {
		return nil
	}
	return ck.Errorf(ck.CKR_ACTION_PROHIBITED, "%w: %s keys; make a token with `ncrypt11 init --profile smart-card --allow-import %s`", ErrNoImport, role, role)
}

// smartCardOptions are what the header of a smart card says.
func smartCardOptions(imports []Role) map[string]string {
	words := make([]string, len(imports))
	for i, role := range imports {
		words[i] = string(role)
	}
	return map[string]string{optionProfile: profileSmartCard, optionImport: strings.Join(words, ",")}
}
