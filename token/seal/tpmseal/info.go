package tpmseal

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-tpm/tpm2"
)

// Info is what a TPM says of itself.
type Info struct {
	Manufacturer string // TPM_PT_MANUFACTURER, "INTC"
	Vendor       string // TPM_PT_VENDOR_STRING_1 to 4
	Firmware     string // TPM_PT_FIRMWARE_VERSION_1 and 2, "7.2.3.1"
	Revision     string // of the specification, "1.59"

	Failures     uint32        // wrong PINs that it remembers
	MaxFailures  uint32        // how many lock it
	ForgiveEvery time.Duration // it forgets one as often; 0: never before a restart
	Recovery     time.Duration // how long a wrong lockout password keeps tpm2_dictionarylockout from working
	LockedOut    bool

	StorageKey string // what is at 0x81000001: "standard", "other" or "none"
}

// properties reads count properties from first on.
func (o *operation) properties(first tpm2.TPMPT, count uint32) (map[tpm2.TPMPT]uint32, error) {
	values := make(map[tpm2.TPMPT]uint32, count)
	got, err := execute(o, tpm2.GetCapability{Capability: tpm2.TPMCapTPMProperties, Property: uint32(first), PropertyCount: count})
	if err != nil {
		return nil, err
	}
	list, err := got.CapabilityData.Data.TPMProperties()
	if err != nil {
		return nil, unsound("TPM2_GetCapability: " + err.Error())
	}
	for _, p := range list.TPMProperty {
		values[p.Property] = p.Value
	}
	return values, nil
}

// inLockout is TPMA_PERMANENT's bit for it.
const inLockout = 1 << 9

// Info asks the TPM.
func (t *TPM) Info() (*Info, error) {
	var info *Info
	err := t.operate(func(o *operation) error {
		fixed, err := o.properties(tpm2.TPMPTFamilyIndicator, 16)
		if err != nil {
			return err
		}
		variable, err := o.properties(tpm2.TPMPTPermanent, 32)
		if err != nil {
			return err
		}
		revision := fixed[tpm2.TPMPTRevision]
		info = &Info{
			Manufacturer: letters(fixed[tpm2.TPMPTManufacturer]),
			Vendor: letters(fixed[tpm2.TPMPTVendorString1], fixed[tpm2.TPMPTVendorString2],
				fixed[tpm2.TPMPTVendorString3], fixed[tpm2.TPMPTVendorString4]),
			Firmware: version(fixed[tpm2.TPMPTFirmwareVersion1], fixed[tpm2.TPMPTFirmwareVersion2]),
			Revision: fmt.Sprintf("%d.%02d", revision/100, revision%100),

			Failures:     variable[tpm2.TPMPTLockoutCounter],
			MaxFailures:  variable[tpm2.TPMPTMaxAuthFail],
			ForgiveEvery: time.Duration(variable[tpm2.TPMPTLockoutInterval]) * time.Second,
			Recovery:     time.Duration(variable[tpm2.TPMPTLockoutRecovery]) * time.Second,
			LockedOut:    variable[tpm2.TPMPTPermanent]&inLockout != 0,
		}
		info.StorageKey, err = o.storageKey()
		return err
	})
	return info, err
}

// storageKey says what is at the handle where the storage root key belongs.
func (o *operation) storageKey() (string, error) {
	got, err := execute(o, tpm2.GetCapability{Capability: tpm2.TPMCapHandles, Property: uint32(srkHandle), PropertyCount: 1})
	if err != nil {
		return "", err
	}
	handles, err := got.CapabilityData.Data.Handles()
	switch {
	case err != nil:
		return "", unsound("TPM2_GetCapability: " + err.Error())
	case len(handles.Handle) == 0 || handles.Handle[0] != srkHandle:
		return "none", nil
	case o.persistent() == nil:
		return "other", nil
	}
	return "standard", nil
}

// letters are the printable characters of properties that are four of them each.
func letters(values ...uint32) string {
	var text []byte
	for _, v := range values {
		text = binary.BigEndian.AppendUint32(text, v)
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(text)))
}

func version(high, low uint32) string {
	return fmt.Sprintf("%d.%d.%d.%d", high>>16, high&0xFFFF, low>>16, low&0xFFFF)
}

// Tolerance is how many wrong PINs lock the TPM itself. It hardly ever changes, so the TPM is asked once.
func (t *TPM) Tolerance() (int, error) {
	if n := t.maxAuthFail.Load(); n != 0 {
		return int(n), nil
	}
	var n int
	err := t.operate(func(o *operation) (err error) {
		n, err = o.tolerance()
		return err
	})
	return n, err
}

// maxTolerance is far beyond what any TPM is set to, and fits in an int.
const maxTolerance = 1 << 16

func (o *operation) tolerance() (int, error) {
	if n := o.tpm.maxAuthFail.Load(); n != 0 {
		return int(n), nil
	}
	values, err := o.properties(tpm2.TPMPTMaxAuthFail, 1)
	if err != nil {
		return 0, err
	}
	n := min(max(1, values[tpm2.TPMPTMaxAuthFail]), maxTolerance)
	o.tpm.maxAuthFail.Store(n)
	return int(n), nil
}

// untilForgiven says how a lockout ends. It is part of an error message, so it has no errors of its own.
func (o *operation) untilForgiven() string {
	got, err := (tpm2.GetCapability{Capability: tpm2.TPMCapTPMProperties, Property: uint32(tpm2.TPMPTLockoutInterval), PropertyCount: 1}).Execute(o)
	if err != nil {
		return ""
	}
	list, err := got.CapabilityData.Data.TPMProperties()
	if err != nil || len(list.TPMProperty) != 1 || list.TPMProperty[0].Property != tpm2.TPMPTLockoutInterval || list.TPMProperty[0].Value == 0 {
		return ": tpm2_dictionarylockout -c clears it"
	}
	return fmt.Sprintf(": wait up to %d s, or clear it with tpm2_dictionarylockout -c", list.TPMProperty[0].Value)
}
