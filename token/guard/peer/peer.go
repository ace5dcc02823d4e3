// Package peer says who is on the other end of a connection, by the kernel's word and not by the other's.
package peer

import (
	"fmt"
	"net"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/seal"
)

// Peer is the process at the other end of a unix socket, or the machine at the other end of a vsock. Of a process it is what was true
// when it connected: a program that gives the connection away lends its name with it.
type Peer struct {
	PID    int32    // 0: in a PID namespace that is not seen from here
	UID    uint32   // in a user namespace that is not seen from here: the kernel's overflow uid, 65534
	GID    uint32   // the effective one
	Groups []uint32 // the supplementary ones
	CID    uint32   // the context identifier of a vsock
	VM     bool     // CID counts, and nothing else
}

// Of asks the kernel who is at the other end of conn, which is a connected unix socket or vsock.
func Of(conn net.Conn) (Peer, error) {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return Peer{}, fmt.Errorf("who is at the other end of a %T cannot be known", conn)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var p Peer
	var failure error
	if err := raw.Control(func(fd uintptr) { p, failure = OfSocket(int(fd)) }); err != nil {
		return Peer{}, err
	}
	return p, failure
}

// OfSocket is Of for a descriptor.
func OfSocket(fd int) (Peer, error) {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return Peer{}, fmt.Errorf("SO_DOMAIN: %w", err)
	}
	switch domain {
	case unix.AF_UNIX:
		return process(fd)
	case unix.AF_VSOCK:
		return machine(fd)
	}
	return Peer{}, fmt.Errorf("a socket of family %d does not say who is at its other end", domain)
}

func process(fd int) (Peer, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Peer{}, fmt.Errorf("SO_PEERCRED: %w", err)
	}
	if cred.Uid == ^uint32(0) || cred.Gid == ^uint32(0) { // unix(7): a socket that is not connected
		return Peer{}, fmt.Errorf("SO_PEERCRED: %w", unix.ENOTCONN)
	}
	groups, err := peerGroups(fd)
	if err != nil {
		return Peer{}, fmt.Errorf("SO_PEERGROUPS: %w", err)
	}
	return Peer{PID: cred.Pid, UID: cred.Uid, GID: cred.Gid, Groups: groups}, nil
}

func machine(fd int) (Peer, error) {
	address, err := unix.Getpeername(fd)
	if err != nil {
		return Peer{}, fmt.Errorf("getpeername: %w", err)
	}
	vm, ok := address.(*unix.SockaddrVM)
	if !ok {
		return Peer{}, fmt.Errorf("getpeername: %T is not a vsock's address", address)
	}
	return Peer{VM: true, CID: vm.CID}, nil
}

// Principals are the names under which an access list may know the peer: a user first, and the groups it is in.
func (p *Peer) Principals() []seal.Principal {
	if p.VM {
		return []seal.Principal{{Kind: seal.VM, ID: p.CID}}
	}
	groups := append([]uint32{p.GID}, p.Groups...)
	who := []seal.Principal{{Kind: seal.User, ID: p.UID}}
	for i, gid := range groups {
		if !slices.Contains(groups[:i], gid) {
			who = append(who, seal.Principal{Kind: seal.Group, ID: gid})
		}
	}
	return who
}
