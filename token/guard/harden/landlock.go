package harden

import (
	"errors"
	"fmt"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// abis are what Landlock can restrict, by the kernel's version of it. One is enforced whole, or it counts as not enforced.
var abis = []landlock.Config{
	landlock.V1, landlock.V2, landlock.V3, landlock.V4, landlock.V5, landlock.V6,
	landlock.V7, landlock.V8, landlock.V9, landlock.V10, landlock.V11,
}

// Rights to files. None is to start a program.
const (
	readFile  = ll.AccessFSReadFile
	writeFile = ll.AccessFSWriteFile | ll.AccessFSTruncate
	change    = ll.AccessFSReadDir | ll.AccessFSMakeDir | ll.AccessFSMakeReg | ll.AccessFSRemoveDir | ll.AccessFSRemoveFile
)

// restrictFiles leaves the process the files, devices and TCP ports that it needs. From version 6 on it can signal no process outside, either.
func restrictFiles(r *Report, needs *Needs) {
	version, err := ll.LandlockGetABIVersion()
	if err != nil || version < 1 {
		r.failed(Landlock, false, errors.New("this kernel has none, or has it switched off"))
		return
	}
	version = min(version, len(abis))
	config := abis[version-1]
	if err := config.Restrict(rules(needs, config.HandledAccessFS)...); err != nil {
		r.failed(Landlock, true, err)
		return
	}
	if fd, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); !errors.Is(err, unix.EACCES) {
		_ = unix.Close(fd)
		r.failed(Landlock, true, fmt.Errorf("the root directory can still be read (%v)", err))
		return
	}
	r.add(Landlock, true, fmt.Sprintf("ABI %d", version))
}

// rules grant what needs names, of the rights that this version of Landlock knows.
func rules(needs *Needs, known landlock.AccessFSSet) []landlock.Rule {
	access := func(rights landlock.AccessFSSet, paths []string) landlock.FSRule {
		return landlock.PathAccess(rights&known, paths...)
	}
	all := []landlock.Rule{
		access(readFile|writeFile|change, needs.ReadWriteDirs),
		access(ll.AccessFSRemoveFile, needs.RemoveDirs),
		access(readFile, needs.ReadFiles).IgnoreIfMissing(),
		access(readFile|writeFile, needs.Devices).IgnoreIfMissing(),
	}
	// Where this version does not know the right, every socket can be connected to. A rule of no rights is refused.
	if known&ll.AccessFSResolveUnix != 0 {
		all = append(all, access(ll.AccessFSResolveUnix, needs.Sockets).IgnoreIfMissing())
	}
	for _, port := range needs.ConnectTCP {
		all = append(all, landlock.ConnectTCP(port))
	}
	return all
}
