package main

import (
	"slices"
	"strings"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// parseRoles reads --allow-import.
func parseRoles(words []string) ([]token.Role, error) {
	var roles []token.Role
	for _, word := range words {
		role := token.Role(word)
		switch {
		case !slices.Contains(token.Roles, role):
			return nil, usagef("--allow-import has %s, not %q", strings.Join(roleWords(), " or "), word)
		case !slices.Contains(roles, role):
			roles = append(roles, role)
		}
	}
	return roles, nil
}

func roleWords() []string {
	words := make([]string, len(token.Roles))
	for i, role := range token.Roles {
		words[i] = string(role)
	}
	return words
}

func (s *tokenStatus) describeProfile(h *store.Header) {
	if !token.SmartCard(h) {
		return
	}
	s.Profile = profileSmartCard
	for _, role := range token.Imports(h) {
		s.Import = append(s.Import, string(role))
	}
}

// profileWords say for people what the token takes in.
func (s *tokenStatus) profileWords() string {
	switch {
	case s.Profile == "":
		return ""
	case len(s.Import) == 0:
		return "smart card: private keys are made in it, and none comes in from outside"
	}
	return "smart card: " + strings.Join(s.Import, " and ") + " keys may come in from outside"
}
