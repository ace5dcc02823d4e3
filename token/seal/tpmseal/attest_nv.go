package tpmseal

import (
	"bytes"
	"errors"
	"slices"

	"github.com/google/go-tpm/tpm2"

	"github.com/ncrypt11/ncrypt11/inject/attest"
)

const (
	// chunk is what each TPM reads of an index at a time (PC Client Platform TPM Profile: TPM_PT_NV_BUFFER_MAX is at least this).
	chunk = 512
	// maxIndex is how much of an index is read.
	maxIndex = 2 * attest.MaxCertificate
)

// unreadable are the answers for an index that is not there, or that is not for us.
var unreadable = []tpm2.TPMRC{
	tpm2.TPMRCHandle, tpm2.TPMRCAuthFail, tpm2.TPMRCBadAuth, tpm2.TPMRCNVAuthorization, tpm2.TPMRCNVLocked, tpm2.TPMRCNVUninitialized, tpm2.TPMRCAuthUnavailable,
}

// readNV reads what is in an index; nil where it is not there, is not for us or has more than a certificate could.
func (o *operation) readNV(index tpm2.TPMHandle) ([]byte, error) {
	content, err := o.tryNV(index)
	if slices.ContainsFunc(unreadable, func(rc tpm2.TPMRC) bool { return errors.Is(err, rc) }) {
		return nil, nil
	}
	return content, err
}

func (o *operation) tryNV(index tpm2.TPMHandle) ([]byte, error) {
	got, err := execute(o, tpm2.NVReadPublic{NVIndex: index})
	if err != nil {
		return nil, err
	}
	area, err := got.NVPublic.Contents()
	if err != nil {
		return nil, unsound("TPM2_NV_ReadPublic: " + err.Error())
	}
	name, err := tpm2.NVName(area)
	if err != nil || area.NVIndex != index || !bytes.Equal(name.Buffer, got.NVName.Buffer) {
		return nil, unsound("TPM2_NV_ReadPublic tells of another index than it was asked for")
	}
	reader, ok := readerOf(area, *name)
	if !ok || area.DataSize > maxIndex {
		return nil, nil
	}
	content := make([]byte, 0, area.DataSize)
	for len(content) < int(area.DataSize) {
		size := min(chunk, int(area.DataSize)-len(content))
		part, err := execute(o, tpm2.NVRead{
			AuthHandle: reader,
			NVIndex:    tpm2.NamedHandle{Handle: index, Name: *name},
			Size:       uint16(size),
			Offset:     uint16(len(content)),
		})
		if err != nil {
			return nil, err
		}
		if len(part.Data.Buffer) != size {
			return nil, unsound("TPM2_NV_Read gave less or more than it was asked for")
		}
		content = append(content, part.Data.Buffer...)
	}
	return content, nil
}

// readerOf is who may read an index without a password: whoever asks, or the owner. Where a wrong password would count as a wrong PIN, none is tried, not even an empty one.
func readerOf(area *tpm2.TPMSNVPublic, name tpm2.TPM2BName) (reader tpm2.AuthHandle, ok bool) {
	has := area.Attributes
	switch {
	case !has.Written || has.NT != tpm2.TPMNTOrdinary:
		return reader, false
	case has.AuthRead && has.NoDA:
		return tpm2.AuthHandle{Handle: area.NVIndex, Name: name, Auth: tpm2.PasswordAuth(nil)}, true
	case has.OwnerRead:
		return tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)}, true
	}
	return reader, false
}
