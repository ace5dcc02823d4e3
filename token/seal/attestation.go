package seal

import "github.com/ncrypt11/ncrypt11/token/secret"

// Attestation is a TPM's word for a statement, with what it takes to check it. Its parts are as TPMs marshal them (TPM 2.0 library, part 2); nothing in it is secret.
type Attestation struct {
	EKCertificates [][]byte // DER: the endorsement key's certificate, then those of its issuers that the TPM keeps; none where it has none
	EKPublic       []byte   // TPMT_PUBLIC: the endorsement key, a primary key by the TCG's template
	AKPublic       []byte   // TPMT_PUBLIC: the attestation key, a restricted signing key of the endorsement hierarchy
	KeyPublic      []byte   // TPMT_PUBLIC: the key that signed the statement
	Certified      []byte   // TPMS_ATTEST: TPM2_Certify of that key by the attestation key, with the statement's SHA-256 as qualifying data
	Certificate    []byte   // TPMT_SIGNATURE of Certified, by the attestation key
	Signature      []byte   // TPMT_SIGNATURE of the statement's SHA-256, by the key
}

// Attester is a sealer whose TPM can tell strangers what it is.
type Attester interface {
	// Attest signs a statement with a key that the TPM made, and has its attestation key certify that key. Both come out of the TPM's seeds each time: a TPM that
	// was not cleared gives the same keys again. Errors: ErrAbsent, ErrBusy; CKR_FUNCTION_REJECTED where the endorsement hierarchy has a password.
	Attest(statement []byte) (*Attestation, error)
	// Activate opens a credential (TPM2_ActivateCredential): the secret of who encrypted it to the endorsement key for the attestation key of the same TPM.
	// blob is a TPM2B_ID_OBJECT, encrypted a TPM2B_ENCRYPTED_SECRET. Errors: as Attest; ErrForeign for another TPM's, ErrDamaged.
	Activate(blob, encrypted []byte) (*secret.Bytes, error)
}
