package ck

// NCryptBlobParams is CK_NCRYPT_IMPORT_BLOB_PARAMS.
type NCryptBlobParams struct {
	BlobType string
	Buffers  []NCryptBuffer
}

// NCryptBuffer is CK_NCRYPT_BUFFER: one of the parameters that NCrypt has beside a blob.
type NCryptBuffer struct {
	Type  uint
	Value []byte
}
