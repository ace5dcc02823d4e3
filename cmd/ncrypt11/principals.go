package main

import (
	"errors"
	"fmt"
	"math"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/ncrypt11/ncrypt11/token/seal"
)

// parseAllow reads the values of --allow: user:NAME, user:UID, group:NAME, group:GID.
func parseAllow(texts []string) ([]seal.Principal, error) {
	var all []seal.Principal
	for _, text := range texts {
		p, err := parsePrincipal(text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	if len(all) > seal.MaxAllowed {
		return nil, usagef("--allow names %d users and groups, and %d is the most: put users into a group", len(all), seal.MaxAllowed)
	}
	return all, nil
}

func parsePrincipal(text string) (seal.Principal, error) {
	kind, name, _ := strings.Cut(text, ":")
	switch {
	case name == "":
	case kind == "user":
		id, err := idOf(name, func() (string, error) {
			u, err := user.Lookup(name)
			if err != nil {
				return "", err
			}
			return u.Uid, nil
		})
		return seal.Principal{Kind: seal.User, ID: id}, asAllow(text, err)
	case kind == "group":
		id, err := idOf(name, func() (string, error) {
			g, err := user.LookupGroup(name)
			if err != nil {
				return "", err
			}
			return g.Gid, nil
		})
		return seal.Principal{Kind: seal.Group, ID: id}, asAllow(text, err)
	}
	return seal.Principal{}, usagef("--allow takes user:NAME, user:UID, group:NAME or group:GID, not %q", text)
}

// idOf is the number that a name is or stands for. A number is not looked up: it may be of somebody who is yet to come.
func idOf(name string, lookUp func() (string, error)) (uint32, error) {
	text := name
	if _, err := strconv.ParseUint(name, 10, 64); err != nil {
		if text, err = lookUp(); err != nil {
			return 0, err
		}
	}
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil || id == math.MaxUint32 { // (uid_t) -1 is nobody
		return 0, fmt.Errorf("%s is no number of a user or group", text)
	}
	return uint32(id), nil
}

// asAllow says what --allow was about.
func asAllow(text string, err error) error {
	var noUser user.UnknownUserError
	var noGroup user.UnknownGroupError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &noUser), errors.As(err, &noGroup):
		kind, name, _ := strings.Cut(text, ":")
		return fmt.Errorf("--allow %s: there is no %s %q on this machine; one that a directory service knows is named by its number", text, kind, name)
	}
	return fmt.Errorf("--allow %s: %w", text, err)
}

// principalWords name a principal for people: "user:33 (www-data)".
func principalWords(text string) string {
	p, err := seal.ParsePrincipal(text)
	if err != nil {
		return display(text)
	}
	id := strconv.FormatUint(uint64(p.ID), 10)
	switch p.Kind {
	case seal.User:
		if u, err := user.LookupId(id); err == nil {
			return fmt.Sprintf("%s (%s)", text, display(u.Username))
		}
	case seal.Group:
		if g, err := user.LookupGroupId(id); err == nil {
			return fmt.Sprintf("%s (%s)", text, display(g.Name))
		}
	}
	return text
}

// userName is a user for people: "root (0)".
func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return fmt.Sprintf("%s (%s)", display(u.Username), id)
	}
	return "user " + id
}
