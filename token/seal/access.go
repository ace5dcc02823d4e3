package seal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a principal is.
type Kind byte

// The kinds. Their values are a format.
const (
	User  Kind = iota + 1 // a uid
	Group                 // a gid
	VM                    // a vsock context identifier: users of another machine, whom this one cannot tell apart
)

var kinds = map[Kind]string{User: "user", Group: "group", VM: "vm"}

// Principal is somebody whom the kernel vouches for.
type Principal struct {
	Kind Kind
	ID   uint32
}

// String gives the principal as "user:33".
func (p Principal) String() string {
	name, ok := kinds[p.Kind]
	if !ok {
		name = "unknown"
	}
	return name + ":" + strconv.FormatUint(uint64(p.ID), 10)
}

// ParsePrincipal reads what String writes: names of users and groups are somebody else's to look up.
func ParsePrincipal(text string) (Principal, error) {
	name, number, _ := strings.Cut(text, ":")
	id, err := strconv.ParseUint(number, 10, 32)
	for kind, known := range kinds {
		if name == known && err == nil {
			return Principal{kind, uint32(id)}, nil
		}
	}
	return Principal{}, fmt.Errorf("%q is not user:NUMBER, group:NUMBER or vm:NUMBER", text)
}

// MaxAllowed bounds an access list.
const MaxAllowed = 64

// Access says who may open a sealed master key: NCrypt's security descriptor. The zero value lets everybody.
type Access struct {
	Owner   Principal // who had it sealed
	Machine bool      // machine scope: those whom Allow names may open it, too. Else it is its owner's alone
	Allow   []Principal
}

// Permits says whether somebody who is all of these principals (a user, and the groups it is in) may open it.
func (a *Access) Permits(who []Principal) bool {
	if a.Owner == (Principal{}) || slices.Contains(who, a.Owner) {
		return true
	}
	return a.Machine && slices.ContainsFunc(a.Allow, func(p Principal) bool { return slices.Contains(who, p) })
}
