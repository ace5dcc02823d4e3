package mech

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// ncryptRows are the mechanisms of p11.h by which keys come in as NCrypt's blobs under another key.
func ncryptRows() []Row {
	return []Row{
		{Type: ck.CKM_NCRYPT_IMPORT_BLOB, Primitive: NCryptBlob, Params: BlobParams, KeyTypes: types(ck.CKK_RSA, ck.CKK_AES), Min: 16, Max: MaxRSABits, Flags: ck.CKF_UNWRAP},
		{Type: ck.CKM_NCRYPT_ISOLATED_ENVELOPE, Primitive: IsolatedEnvelope, KeyTypes: types(ck.CKK_RSA), Min: MinRSABits, Max: MaxRSABits, Flags: ck.CKF_UNWRAP},
		{Type: ck.CKM_NCRYPT_PKCS7_ENVELOPE, Primitive: PKCS7Envelope, Params: CertificateParams, KeyTypes: types(ck.CKK_RSA), Min: MinRSABits, Max: MaxRSABits, Flags: ck.CKF_UNWRAP},
	}
}

// What NCrypt calls the parameters beside a blob that mean something here (ncrypt.h, bcrypt.h).
const (
	ncryptBufferAlgorithm   = 45 // NCRYPTBUFFER_PKCS_ALG_ID
	ncryptBufferCertificate = 47 // NCRYPTBUFFER_CERT_BLOB
)

// Bounds of these parameters, in bytes.
const (
	maxBlobType    = 256
	maxCertificate = 64 << 10
)

// readBlob reads the type of a blob and what is beside it. Their meaning is for who opens it.
func readBlob(s *Scheme, params any) string {
	p, ok := params.(ck.NCryptBlobParams)
	switch {
	case !ok:
		return wrongKind
	case p.BlobType == "" || len(p.BlobType) > maxBlobType:
		return "the blob's type is missing or too long"
	}
	s.Label = []byte(p.BlobType)
	for _, b := range p.Buffers {
		var field *[]byte
		most := maxCertificate
		switch b.Type {
		case ncryptBufferAlgorithm:
			field, most = &s.Info, maxBlobType
		case ncryptBufferCertificate:
			field = &s.Context
		default:
			return "buffers are of type 45 (the algorithm) or 47 (the recipient's certificate)"
		}
		if len(*field) != 0 || len(b.Value) == 0 || len(b.Value) > most {
			return "a buffer is empty, too long, or there twice"
		}
		*field = b.Value
	}
	return ""
}

// readCertificate reads whose key opens an envelope.
func readCertificate(s *Scheme, params any) string {
	der, ok := params.(ck.RawParams)
	switch {
	case !ok:
		return wrongKind
	case len(der) > maxCertificate || der[0] != 0x30:
		return "the certificate is too long, or not in DER"
	}
	s.Context = der
	return ""
}
