package tpmseal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// operation is a connection to the TPM, from the first command of something to its last.
type operation struct {
	tpm      *TPM
	conn     conn
	software bool
	managed  bool
	started  bool          // TPM2_Startup was sent
	full     bool          // the TPM has no room for an object or a session
	lost     error         // the connection broke, or the TPM hangs
	longer   time.Duration // how much longer than usual the next answers may take
}

// patience is how long an answer may take.
func (o *operation) patience() time.Duration { return o.tpm.patience + o.longer }

// end disconnects. What could not be flushed because the TPM was gone is left to the next operation.
func (o *operation) end() {
	if o.lost != nil {
		o.tpm.littered = true
	}
	_ = o.conn.Close()
}

// commandNames are the commands that are used here.
var commandNames = map[tpm2.TPMCC]string{
	tpm2.TPMCCActivateCredential: "TPM2_ActivateCredential",
	tpm2.TPMCCCertify:            "TPM2_Certify",
	tpm2.TPMCCCreate:             "TPM2_Create",
	tpm2.TPMCCCreatePrimary:      "TPM2_CreatePrimary",
	tpm2.TPMCCFlushContext:       "TPM2_FlushContext",
	tpm2.TPMCCGetCapability:      "TPM2_GetCapability",
	tpm2.TPMCCLoad:               "TPM2_Load",
	tpm2.TPMCCNVRead:             "TPM2_NV_Read",
	tpm2.TPMCCNVReadPublic:       "TPM2_NV_ReadPublic",
	tpm2.TPMCCPolicySecret:       "TPM2_PolicySecret",
	tpm2.TPMCCReadPublic:         "TPM2_ReadPublic",
	tpm2.TPMCCSign:               "TPM2_Sign",
	tpm2.TPMCCStartAuthSession:   "TPM2_StartAuthSession",
	tpm2.TPMCCStartup:            "TPM2_Startup",
	tpm2.TPMCCUnseal:             "TPM2_Unseal",
}

// again are the answers after which a command is sent once more. The TPM has not started it: nonces and counters are as before.
var again = []tpm2.TPMRC{tpm2.TPMRCRetry, tpm2.TPMRCYielded, tpm2.TPMRCTesting, tpm2.TPMRCNVRate}

const firstPause = time.Millisecond

// Send implements transport.TPM. It waits for a TPM that is busy with itself, and starts a software TPM that nobody has started.
func (o *operation) Send(command []byte) ([]byte, error) {
	code := tpm2.TPMCC(binary.BigEndian.Uint32(command[6:]))
	o.tpm.counts.add(commandNames[code])
	end := time.Now().Add(o.patience())
	for pause := firstPause; ; pause *= 2 {
		answer, err := o.exchange(command)
		if err != nil {
			return nil, err
		}
		rc := tpm2.TPMRC(binary.BigEndian.Uint32(answer[6:]))
		switch {
		case rc == tpm2.TPMRCInitialize && o.software && !o.started:
			o.started = true
			if _, err := (tpm2.Startup{StartupType: tpm2.TPMSUClear}).Execute(o); err != nil && o.lost != nil {
				return nil, o.lost
			}
		case slices.Contains(again, rc) && time.Now().Add(pause).Before(end):
			time.Sleep(pause)
		default:
			return answer, nil
		}
	}
}

func (o *operation) exchange(command []byte) ([]byte, error) {
	if o.lost != nil {
		return nil, o.lost
	}
	answer, err := o.conn.exchange(command, o.patience())
	if err != nil {
		o.lost = ck.Errorf(ck.CKR_DEVICE_REMOVED, "%w: %v", seal.ErrAbsent, err)
		return nil, o.lost
	}
	if tap := o.tpm.tap.Load(); tap != nil {
		(*tap)(command, answer)
	}
	return answer, nil
}

// command is one of go-tpm's.
type command[R any] interface {
	Command() tpm2.TPMCC
	Execute(t transport.TPM, s ...tpm2.Session) (*R, error)
}

// execute runs a command, and says in our words what went wrong.
func execute[R any](o *operation, cmd command[R]) (*R, error) {
	rsp, err := cmd.Execute(o)
	if err != nil {
		return nil, o.explain(cmd.Command(), err)
	}
	return rsp, nil
}

// flush removes an object or session from the TPM's memory.
func (o *operation) flush(handle tpm2.TPMHandle) {
	if _, err := (tpm2.FlushContext{FlushHandle: handle}).Execute(o); err != nil {
		o.tpm.littered = true
	}
}

// sweep removes every object and session. It is meant for a TPM without a resource manager, where one client is served at a time and
// whatever is loaded now belongs to nobody who is there. Contexts that were saved are not touched.
func (o *operation) sweep() (removed bool) {
	o.full = false
	for _, first := range []uint32{0x80000000, 0x02000000} { // TRANSIENT_FIRST, LOADED_SESSION_FIRST
		got, err := execute(o, tpm2.GetCapability{Capability: tpm2.TPMCapHandles, Property: first, PropertyCount: 64})
		if err != nil {
			return false
		}
		handles, err := got.CapabilityData.Data.Handles()
		if err != nil {
			return false
		}
		for _, h := range handles.Handle {
			o.flush(h)
			removed = true
		}
	}
	return removed
}

// session starts a session whose key nobody on the bus learns, because it comes from a secret that is encrypted to a decryption key of the TPM. The
// caller closes it with done.
func (o *operation) session(key tpm2.TPMHandle, public tpm2.TPMTPublic, options ...tpm2.AuthOption) (s tpm2.Session, done func(), err error) {
	const nonceLen = 16
	s = tpm2.HMAC(tpm2.TPMAlgSHA256, nonceLen, append(options, tpm2.Salted(key, public))...)
	if err := s.Init(o); err != nil {
		return nil, nil, o.explain(tpm2.TPMCCStartAuthSession, err)
	}
	return s, func() {
		if h := s.Handle(); h != tpm2.TPMRHNull { // the TPM ends a session with the command that it was for, if that went well
			o.flush(h)
		}
	}, nil
}

// errUnsound is part of the error for an answer that a sound TPM does not give.
var errUnsound = errors.New("the TPM's answer is not sound")

func unsound(what string) error {
	return ck.Errorf(ck.CKR_DEVICE_ERROR, "%w: %s", errUnsound, what)
}

// explain gives an error of a command its CK_RV and our words.
func (o *operation) explain(code tpm2.TPMCC, err error) error {
	var rc tpm2.TPMRC
	switch {
	case o.lost != nil:
		return o.lost
	case !errors.As(err, &rc):
		return unsound(fmt.Sprintf("%s: %v", commandNames[code], err))
	}
	row := meaning(code, rc)
	o.full = o.full || row.rv == ck.CKR_DEVICE_MEMORY
	text := row.text
	if row.is == seal.ErrLocked {
		text += o.untilForgiven()
	}
	if text != "" {
		text = ": " + text
	}
	if row.is == nil {
		return ck.Errorf(row.rv, "%s: %w (0x%x)%s", commandNames[code], rc, uint32(rc), text)
	}
	return ck.Errorf(row.rv, "%w%s (%s: 0x%x)", row.is, text, commandNames[code], uint32(rc))
}
