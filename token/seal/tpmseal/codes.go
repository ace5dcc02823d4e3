package tpmseal

import (
	"errors"

	"github.com/google/go-tpm/tpm2"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// code is what a TPM's answer means to us.
type code struct {
	command tpm2.TPMCC // 0: any
	rc      tpm2.TPMRC // without the number of the parameter, handle or session that it is about
	rv      ck.RV
	is      error // nil: nothing that a sealer has a word for
	text    string
}

const (
	textBusy        = "it asked for more time, until there was none left"
	textEndorsement = "the endorsement hierarchy has a password: tpm2_changeauth -c endorsement -p PASSWORD removes it"
	textForeign     = "or the credential is for another attestation key, or was altered"
	textMemory      = "its memory is full of what other programs have left there: tpm2_flushcontext -t, -l and -s remove it"
)

// codes are the answers that somebody can do something about (Part 2, 6.6.3). All others are CKR_DEVICE_ERROR. The first that fits counts.
var codes = []code{
	{tpm2.TPMCCUnseal, tpm2.TPMRCAuthFail, ck.CKR_PIN_INCORRECT, seal.ErrAuth, ""},
	{tpm2.TPMCCUnseal, tpm2.TPMRCBadAuth, ck.CKR_PIN_INCORRECT, seal.ErrAuth, ""},
	{0, tpm2.TPMRCLockout, ck.CKR_PIN_LOCKED, seal.ErrLocked, "the TPM itself is locked out"},
	{tpm2.TPMCCLoad, tpm2.TPMRCIntegrity, ck.CKR_DEVICE_ERROR, seal.ErrDamaged, ""}, // its parent is the right one, which was checked before
	{tpm2.TPMCCCreatePrimary, tpm2.TPMRCBadAuth, ck.CKR_DEVICE_ERROR, nil, "the owner hierarchy has a password: make the standard ECC storage root key persistent at 0x81000001"},
	{tpm2.TPMCCCreatePrimary, tpm2.TPMRCCurve, ck.CKR_DEVICE_ERROR, nil, "the TPM has no P-256"},
	{tpm2.TPMCCPolicySecret, tpm2.TPMRCBadAuth, ck.CKR_FUNCTION_REJECTED, nil, textEndorsement},
	{tpm2.TPMCCActivateCredential, tpm2.TPMRCIntegrity, ck.CKR_ENCRYPTED_DATA_INVALID, seal.ErrForeign, textForeign},
	{tpm2.TPMCCActivateCredential, tpm2.TPMRCValue, ck.CKR_ENCRYPTED_DATA_INVALID, seal.ErrForeign, textForeign},   // RSA: what was decrypted has no padding,
	{tpm2.TPMCCActivateCredential, tpm2.TPMRCFailure, ck.CKR_ENCRYPTED_DATA_INVALID, seal.ErrForeign, textForeign}, // which libtpms puts so; a TPM in failure mode had made no key before
	{tpm2.TPMCCActivateCredential, tpm2.TPMRCSize, ck.CKR_ENCRYPTED_DATA_INVALID, seal.ErrDamaged, ""},
	{tpm2.TPMCCActivateCredential, tpm2.TPMRCInsufficient, ck.CKR_ENCRYPTED_DATA_INVALID, seal.ErrDamaged, ""},
	{tpm2.TPMCCActivateCredential, tpm2.TPMRCECCPoint, ck.CKR_ENCRYPTED_DATA_INVALID, seal.ErrDamaged, ""}, // not on the curve

	{0, tpm2.TPMRCRetry, ck.CKR_FUNCTION_FAILED, seal.ErrBusy, textBusy},
	{0, tpm2.TPMRCYielded, ck.CKR_FUNCTION_FAILED, seal.ErrBusy, textBusy},
	{0, tpm2.TPMRCTesting, ck.CKR_FUNCTION_FAILED, seal.ErrBusy, textBusy},
	{0, tpm2.TPMRCNVRate, ck.CKR_FUNCTION_FAILED, seal.ErrBusy, textBusy},
	{0, tpm2.TPMRCNVUnavailable, ck.CKR_FUNCTION_FAILED, seal.ErrBusy, "its memory cannot be written now"},
	{0, tpm2.TPMRCCanceled, ck.CKR_FUNCTION_FAILED, seal.ErrBusy, "somebody canceled the command"},

	{0, tpm2.TPMRCObjectMemory, ck.CKR_DEVICE_MEMORY, nil, textMemory},
	{0, tpm2.TPMRCSessionMemory, ck.CKR_DEVICE_MEMORY, nil, textMemory},
	{0, tpm2.TPMRCMemory, ck.CKR_DEVICE_MEMORY, nil, textMemory},
	{0, tpm2.TPMRCSessionHandles, ck.CKR_DEVICE_MEMORY, nil, textMemory},
	{0, tpm2.TPMRCObjectHandles, ck.CKR_DEVICE_MEMORY, nil, textMemory},
	{0, tpm2.TPMRCContextGap, ck.CKR_DEVICE_MEMORY, nil, textMemory},

	{0, tpm2.TPMRCInitialize, ck.CKR_DEVICE_ERROR, nil, "nobody has started the TPM: that is the firmware's work"},
	{0, tpm2.TPMRCFailure, ck.CKR_DEVICE_ERROR, nil, "the TPM is in failure mode: switch the machine off and on"},
	{0, tpm2.TPMRCReboot, ck.CKR_DEVICE_ERROR, nil, "the TPM must be reset: switch the machine off and on"},
	{0, tpm2.TPMRCUpgrade, ck.CKR_DEVICE_ERROR, nil, "the TPM waits for the rest of a firmware update"},
	{0, tpm2.TPMRCHierarchy, ck.CKR_DEVICE_ERROR, nil, "the hierarchy is disabled, by the firmware or with tpm2_hierarchycontrol"},
	{0, tpm2.TPMRCLocality, ck.CKR_DEVICE_ERROR, nil, "commands from here are not permitted"},
	{0, tpm2.TPMRCCommandCode, ck.CKR_DEVICE_ERROR, nil, "the TPM lacks the command"},
	{0, tpm12BadTag, ck.CKR_DEVICE_ERROR, nil, "this is a TPM 1.2"},
}

// tpm12BadTag is TPM_RC_BAD_TAG, TPM 1.2's answer to all that a TPM 2.0 is asked.
const tpm12BadTag tpm2.TPMRC = 0x01E

// meaning is the row for an answer.
func meaning(command tpm2.TPMCC, rc tpm2.TPMRC) code {
	for _, row := range codes {
		if (row.command == 0 || row.command == command) && errors.Is(rc, row.rc) {
			return row
		}
	}
	return code{rc: rc, rv: ck.CKR_DEVICE_ERROR}
}
