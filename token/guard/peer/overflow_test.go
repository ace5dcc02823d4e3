package peer_test

import (
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/guard/peer"
)

const namespaceEnv = "NCRYPT11_TEST_NAMESPACE"

// In a user namespace with one user in it all others have one number.
func TestDistinct(t *testing.T) {
	if os.Getenv(namespaceEnv) != "" {
		if peer.Distinct() {
			t.Error("everybody has a number")
		}
		return
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestDistinct$")
	cmd.Env = append(os.Environ(), namespaceEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER, UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestKnown(t *testing.T) {
	for _, test := range []struct {
		peer   peer.Peer
		known  bool
		groups []uint32
	}{
		{peer.Peer{UID: 1000, GID: 1000, Groups: []uint32{4, peer.Overflow, 5}}, true, []uint32{4, 5}},
		{peer.Peer{UID: peer.Overflow, GID: 1000}, false, nil},
		{peer.Peer{UID: 1000, GID: peer.Overflow}, false, nil},
		{peer.Peer{VM: true, CID: 3}, true, nil},
	} {
		err := test.peer.Known()
		if (err == nil) != test.known || test.known && !slices.Equal(test.peer.Groups, test.groups) {
			t.Errorf("%+v: %v", test.peer, err)
		}
	}
}
