package peer

import (
	"fmt"
	"os"
	"slices"
)

// Overflow is the number of all users, and of all groups, that have none in the user namespace of who asks (user_namespaces(7)).
const Overflow = 65534

// Distinct says whether everybody has a number of his own here: not in a user namespace that maps some users only.
func Distinct() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	var inside, outside, count uint64
	n, _ := fmt.Sscan(string(text), &inside, &outside, &count) // what is not three numbers is no answer
	return err == nil && n == 3 && inside == 0 && outside == 0 && count == 1<<32-1
}

// Known takes from the peer the groups that it shares with everybody whose groups have no number, and is an error where the same is true of its user.
func (p *Peer) Known() error {
	if p.VM {
		return nil
	}
	if p.UID == Overflow || p.GID == Overflow {
		return fmt.Errorf("user %d and group %d stand for all that have no number in this user namespace", p.UID, p.GID)
	}
	p.Groups = slices.DeleteFunc(p.Groups, func(gid uint32) bool { return gid == Overflow })
	return nil
}
