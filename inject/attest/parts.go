package attest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/google/go-tpm/tpm2"
	"golang.org/x/crypto/cryptobyte"
)

// certified is what is taken from a TPMS_ATTEST of TPM2_Certify.
type certified struct {
	firmware string
}

// certified checks that the TPM certified the statement's key, for this statement. TPMS_ATTEST (Part 2, 10.12.8): a magic number, which a restricted key puts its name under only
// if the TPM wrote it; what it is about; the signer's Qualified Name; who asked for it says digest; clock; firmware; and for TPM2_Certify the object's Name and Qualified Name.
func (k *keys) certified(attest []byte, digest [sha256.Size]byte) (*certified, error) {
	var (
		magic                         uint32
		tag                           uint16
		clock, firmware               []byte
		signer, extra, name, fullName cryptobyte.String
	)
	const clockLen, firmwareLen = 8 + 4 + 4 + 1, 8
	s := cryptobyte.String(attest)
	switch {
	case !s.ReadUint32(&magic) || magic != uint32(tpm2.TPMGeneratedValue):
		return nil, errors.New("no TPM made it")
	case !s.ReadUint16(&tag) || tag != uint16(tpm2.TPMSTAttestCertify):
		return nil, errors.New("it is about something else than a key")
	case !s.ReadUint16LengthPrefixed(&signer) || !s.ReadUint16LengthPrefixed(&extra) || !s.ReadBytes(&clock, clockLen) || !s.ReadBytes(&firmware, firmwareLen) ||
		!s.ReadUint16LengthPrefixed(&name) || !s.ReadUint16LengthPrefixed(&fullName) || !s.Empty():
		return nil, errors.New("it is not as TPMs write it")
	case !bytes.Equal(extra, digest[:]):
		return nil, errors.New("it was made for another statement")
	case !bytes.Equal(name, k.key.Name) || !bytes.Equal(fullName, k.key.qualifiedName()):
		return nil, errors.New("it is about another key")
	case !bytes.Equal(signer, k.ak.qualifiedName()):
		return nil, errors.New("it is another attestation key's")
	}
	part := func(at int) uint16 { return binary.BigEndian.Uint16(firmware[at:]) }
	return &certified{fmt.Sprintf("%d.%d.%d.%d", part(0), part(2), part(4), part(6))}, nil
}

// qualifiedName is the Qualified Name (Part 1, 16) that the key has as a primary key of the endorsement hierarchy, whose own is its handle.
func (k *Key) qualifiedName() []byte {
	hierarchy := binary.BigEndian.AppendUint32(nil, uint32(tpm2.TPMRHEndorsement))
	digest := sha256.Sum256(slices.Concat(hierarchy, k.Name))
	return append(nameAlg(), digest[:]...)
}

// readSignature reads a TPMT_SIGNATURE of ECDSA with SHA-256.
func readSignature(signature []byte) (r, s *big.Int, err error) {
	rest, ok := bytes.CutPrefix(signature, []byte{0x00, 0x18, 0x00, 0x0B}) // TPM_ALG_ECDSA, TPM_ALG_SHA256
	if !ok {
		return nil, nil, errors.New("it is not by ECDSA with SHA-256")
	}
	first, second, ok := readPair(rest, p256Len)
	if !ok {
		return nil, nil, errors.New("it is not as TPMs write it")
	}
	return new(big.Int).SetBytes(first), new(big.Int).SetBytes(second), nil
}

// readPair reads two TPM2B of at most limit bytes each, and nothing else.
func readPair(b cryptobyte.String, limit int) (first, second cryptobyte.String, ok bool) {
	ok = b.ReadUint16LengthPrefixed(&first) && b.ReadUint16LengthPrefixed(&second) && b.Empty() && len(first) <= limit && len(second) <= limit
	return first, second, ok
}
