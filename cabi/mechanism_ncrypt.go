package cabi

/*
#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop
*/
import "C"

import (
	"unsafe"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Bounds of what the mechanisms for NCrypt's blobs have beside a blob.
const (
	maxBlobBuffers = 8
	maxBlobBuffer  = 64 << 10
)

func blobParams(p C.CK_VOID_PTR, n uint) (any, error) {
	o, err := as[C.CK_NCRYPT_IMPORT_BLOB_PARAMS](p, n)
	if err != nil {
		return nil, err
	}
	name, err := blobBytes(C.CK_VOID_PTR(o.pBlobType), o.ulBlobTypeLen)
	if err != nil {
		return nil, err
	}
	if o.ulBuffersCount > maxBlobBuffers || o.pBuffers == nil && o.ulBuffersCount != 0 {
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "a list of %d buffers", uint(o.ulBuffersCount))
	}
	out := ck.NCryptBlobParams{BlobType: string(name)}
	for _, b := range unsafe.Slice((*C.CK_NCRYPT_BUFFER)(unsafe.Pointer(o.pBuffers)), o.ulBuffersCount) {
		value, err := blobBytes(b.pBuffer, b.ulBufferLen)
		if err != nil {
			return nil, err
		}
		out.Buffers = append(out.Buffers, ck.NCryptBuffer{Type: uint(b.ulType), Value: value})
	}
	return out, nil
}

func certificateParams(p C.CK_VOID_PTR, n uint) (any, error) {
	der, err := blobBytes(p, C.CK_ULONG(n))
	if err != nil || len(der) == 0 {
		return nil, err
	}
	return ck.RawParams(der), nil
}

func blobBytes(p C.CK_VOID_PTR, n C.CK_ULONG) ([]byte, error) {
	if n > maxBlobBuffer {
		return nil, badParameter(uint(n))
	}
	return parameterBytes(p, n)
}
