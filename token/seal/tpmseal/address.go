package tpmseal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// place is where a TPM is.
type place struct {
	network string // "unix" or "tcp" for a software TPM, "device", "none", or "" for the machine's own
	name    string
}

// parsePlace reads the value of NCRYPT11_TPM.
func parsePlace(address string) (place, error) {
	swtpm, software := strings.CutPrefix(address, "swtpm:")
	path, unix := strings.CutPrefix(swtpm, "unix:")
	switch {
	case address == "":
		return place{}, nil
	case address == "none":
		return place{"none", ""}, nil
	case software && unix && filepath.IsAbs(path):
		return place{"unix", path}, nil
	case software && !unix:
		if host, port, err := net.SplitHostPort(swtpm); err == nil && host != "" && port != "" {
			return place{"tcp", swtpm}, nil
		}
	case filepath.IsAbs(address):
		return place{"device", address}, nil
	}
	return place{}, fmt.Errorf("%q is no TPM: it must be a device, swtpm:unix:PATH, swtpm:HOST:PORT or none", address)
}

// software TPMs have no firmware that would send them TPM2_Startup.
func (p place) software() bool { return p.network == "unix" || p.network == "tcp" }

// managed TPMs are behind the kernel's resource manager, which removes what a client has loaded when the client goes.
func (p place) managed() bool {
	return p.network == "device" && strings.HasPrefix(filepath.Base(p.name), "tpmrm")
}

// found is the place itself, or for the machine's own TPM where that is now: its driver may be loaded late.
func (p place) found() place {
	if p.network != "" {
		return p
	}
	for _, path := range config.TPMDevices {
		if _, err := os.Stat(path); err == nil {
			return place{"device", path}
		}
	}
	return p
}

// How often it is tried to reach a TPM, and for how long one is waited for that nobody listens for: it is perhaps just being started.
const (
	dialPause  = 20 * time.Millisecond
	startGrace = 500 * time.Millisecond
)

// refusals says what the errors of connecting mean.
var refusals = []struct {
	cause  error
	wait   bool // it is worth waiting for, as long as there is time
	starts bool // where it is a software TPM, that may be about to start
	is     error
	rv     ck.RV
	text   string
}{
	{syscall.EBUSY, true, false, seal.ErrBusy, ck.CKR_FUNCTION_FAILED, "another program has it open: use /dev/tpmrm0, which several can share"},
	{errHanging, false, false, seal.ErrBusy, ck.CKR_FUNCTION_FAILED, "an earlier command hangs still"},
	{syscall.EAGAIN, true, false, seal.ErrBusy, ck.CKR_FUNCTION_FAILED, "others wait for it"},
	{syscall.ECONNREFUSED, false, true, seal.ErrAbsent, ck.CKR_DEVICE_REMOVED, "no software TPM listens there"},
	{fs.ErrNotExist, false, true, seal.ErrAbsent, ck.CKR_DEVICE_REMOVED, "there is no such file"},
	{fs.ErrPermission, false, false, seal.ErrAbsent, ck.CKR_DEVICE_REMOVED, "not permitted: the guard's user has to be in the group that the device belongs to, often tss"},
}

// dial connects, and waits where waiting may help.
func (p place) dial(patience time.Duration) (conn, error) {
	switch p.network {
	case "none":
		return nil, ck.Errorf(ck.CKR_DEVICE_REMOVED, "%w: NCRYPT11_TPM is none", seal.ErrAbsent)
	case "":
		return nil, ck.Errorf(ck.CKR_DEVICE_REMOVED, "%w: this machine has neither %s", seal.ErrAbsent, strings.Join(config.TPMDevices, " nor "))
	}
	start := time.Now()
	for {
		c, err := p.connect(patience)
		if err == nil {
			return c, nil
		}
		again, failure := p.refused(err, time.Since(start), patience)
		if !again {
			return nil, failure
		}
		time.Sleep(dialPause)
	}
}

func (p place) connect(patience time.Duration) (conn, error) {
	if p.network == "device" {
		return openDevice(p.name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, p.network, p.name)
	if err != nil {
		return nil, err
	}
	return stream{c}, nil
}

// refused says whether to try again after an error of connect, and what the error means.
func (p place) refused(err error, waited, patience time.Duration) (again bool, failure error) {
	for _, row := range refusals {
		if errors.Is(err, row.cause) {
			again = row.wait && waited < patience || row.starts && p.software() && waited < min(startGrace, patience)
			return again, ck.Errorf(row.rv, "%w: %s: %s", row.is, p.name, row.text)
		}
	}
	return false, ck.Errorf(ck.CKR_DEVICE_REMOVED, "%w: %v", seal.ErrAbsent, err)
}
