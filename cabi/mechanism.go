package cabi

/*
#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop
*/
import "C"

import (
	"unsafe"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// begin is the shape of the *Init functions. A NULL mechanism ends the active operation (section 5.1.2, v3.0).
func begin(name string, h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE,
	f func(*token.Session, *ck.Mechanism, ck.ObjectHandle) error) C.CK_RV {
	return inSession(name, h, func(s *token.Session) error {
		if m == nil {
			return f(s, nil, ck.ObjectHandle(key))
		}
		mechanism, err := decodeMechanism(m)
		if err != nil {
			return err
		}
		return f(s, &mechanism, ck.ObjectHandle(key))
	})
}

// decodeMechanism copies a CK_MECHANISM out of C memory. The mechanism's row says which struct its parameter is; a mechanism without a row keeps none, and the
// engine refuses it.
func decodeMechanism(m C.CK_MECHANISM_PTR) (ck.Mechanism, error) {
	if m == nil {
		return ck.Mechanism{}, ck.Errorf(ck.CKR_ARGUMENTS_BAD, "no mechanism")
	}
	out := ck.Mechanism{Type: ck.MechanismType(m.mechanism)}
	row := mech.Lookup(out.Type)
	if row == nil {
		return out, nil
	}
	if m.pParameter == nil && m.ulParameterLen != 0 {
		return out, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "%v: NULL with a length of %d", out.Type, uint(m.ulParameterLen))
	}
	if m.pParameter == nil {
		return out, nil
	}
	params, err := paramDecoders[row.Params](m.pParameter, uint(m.ulParameterLen))
	if err != nil {
		return out, err
	}
	out.Params = params
	return out, nil
}

// paramDecoders copy a parameter struct, by kind. Each checks the length before it looks.
var paramDecoders = map[mech.ParamKind]func(p C.CK_VOID_PTR, n uint) (any, error){
	mech.NoParams:      rawParams,
	mech.IVParams:      rawParams,
	mech.WrapIVParams:  rawParams,
	mech.ULongParams:   uLongParams,
	mech.OAEPParams:    oaepParams,
	mech.PSSParams:     pssParams,
	mech.CTRParams:     ctrParams,
	mech.GCMParams:     gcmParams,
	mech.ECDH1Params:   ecdh1Params,
	mech.EdDSAParams:   edDSAParams,
	mech.RSAAESParams:  rsaAESParams,
	mech.ECDHAESParams: ecdhAESParams,
	mech.HKDFParams:    hkdfParams,
	mech.SKIParams:     skiSessionParams,
	mech.ContextParams: contextParams,

	mech.BlobParams:        blobParams,
	mech.CertificateParams: certificateParams,
}

// maxParameter bounds parameters of plain bytes: none is longer than a block.
const maxParameter = 256

func rawParams(p C.CK_VOID_PTR, n uint) (any, error) {
	if n == 0 {
		return nil, nil
	}
	if n > maxParameter {
		return nil, badParameter(n)
	}
	return ck.RawParams(C.GoBytes(unsafe.Pointer(p), C.int(n))), nil
}

func uLongParams(p C.CK_VOID_PTR, n uint) (any, error) {
	u, err := as[C.CK_ULONG](p, n)
	if err != nil {
		return nil, err
	}
	return ck.ULongParams(*u), nil
}

func oaepParams(p C.CK_VOID_PTR, n uint) (any, error) {
	o, err := as[C.CK_RSA_PKCS_OAEP_PARAMS](p, n)
	if err != nil {
		return nil, err
	}
	return copyOAEP(o)
}

func copyOAEP(o *C.CK_RSA_PKCS_OAEP_PARAMS) (out ck.OAEPParams, err error) {
	label, err := parameterBytes(o.pSourceData, o.ulSourceDataLen)
	if err != nil {
		return out, err
	}
	return ck.OAEPParams{Hash: ck.MechanismType(o.hashAlg), MGF: uint(o.mgf), Source: uint(o.source), Label: label}, nil
}

func rsaAESParams(p C.CK_VOID_PTR, n uint) (any, error) {
	o, err := as[C.CK_RSA_AES_KEY_WRAP_PARAMS](p, n)
	if err != nil {
		return nil, err
	}
	if o.pOAEPParams == nil {
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "no parameters of OAEP")
	}
	oaep, err := copyOAEP(o.pOAEPParams)
	if err != nil {
		return nil, err
	}
	return ck.RSAAESParams{AESBits: uint(o.ulAESKeyBits), OAEP: oaep}, nil
}

func pssParams(p C.CK_VOID_PTR, n uint) (any, error) {
	o, err := as[C.CK_RSA_PKCS_PSS_PARAMS](p, n)
	if err != nil {
		return nil, err
	}
	return ck.PSSParams{Hash: ck.MechanismType(o.hashAlg), MGF: uint(o.mgf), SaltLen: uint(o.sLen)}, nil
}

func ctrParams(p C.CK_VOID_PTR, n uint) (any, error) {
	o, err := as[C.CK_AES_CTR_PARAMS](p, n)
	if err != nil {
		return nil, err
	}
	out := ck.CTRParams{CounterBits: uint(o.ulCounterBits)}
	for i := range out.Block {
		out.Block[i] = byte(o.cb[i])
	}
	return out, nil
}

// legacyGCM is CK_GCM_PARAMS as the text of v2.40 had it, without ulIvBits. Java and older NSS pass it.
type legacyGCM struct {
	pIv      C.CK_BYTE_PTR
	ulIvLen  C.CK_ULONG
	pAAD     C.CK_BYTE_PTR
	ulAADLen C.CK_ULONG
	tagBits  C.CK_ULONG
}

func gcmParams(p C.CK_VOID_PTR, n uint) (any, error) {
	var o legacyGCM
	if n == uint(unsafe.Sizeof(o)) {
		o = *(*legacyGCM)(unsafe.Pointer(p))
	} else {
		full, err := as[C.CK_GCM_PARAMS](p, n)
		if err != nil {
			return nil, err
		}
		o = legacyGCM{full.pIv, full.ulIvLen, full.pAAD, full.ulAADLen, full.ulTagBits}
	}
	iv, err := parameterBytes(C.CK_VOID_PTR(o.pIv), o.ulIvLen)
	if err != nil {
		return nil, err
	}
	aad, err := parameterBytes(C.CK_VOID_PTR(o.pAAD), o.ulAADLen)
	if err != nil {
		return nil, err
	}
	return ck.GCMParams{IV: iv, AAD: aad, TagBits: uint(o.tagBits)}, nil
}

func ecdh1Params(p C.CK_VOID_PTR, n uint) (any, error) {
	o, err := as[C.CK_ECDH1_DERIVE_PARAMS](p, n)
	if err != nil {
		return nil, err
	}
	shared, err := parameterBytes(C.CK_VOID_PTR(o.pSharedData), o.ulSharedDataLen)
	if err != nil {
		return nil, err
	}
	public, err := parameterBytes(C.CK_VOID_PTR(o.pPublicData), o.ulPublicDataLen)
	if err != nil {
		return nil, err
	}
	return ck.ECDH1Params{KDF: uint(o.kdf), SharedData: shared, PublicData: public}, nil
}

func ecdhAESParams(p C.CK_VOID_PTR, n uint) (any, error) {
	o, err := as[C.CK_ECDH_AES_KEY_WRAP_PARAMS](p, n)
	if err != nil {
		return nil, err
	}
	shared, err := parameterBytes(C.CK_VOID_PTR(o.pSharedData), o.ulSharedDataLen)
	if err != nil {
		return nil, err
	}
	return ck.ECDHAESParams{AESBits: uint(o.ulAESKeyBits), KDF: uint(o.kdf), SharedData: shared}, nil
}

func hkdfParams(p C.CK_VOID_PTR, n uint) (any, error) {
	o, err := as[C.CK_HKDF_PARAMS](p, n)
	if err != nil {
		return nil, err
	}
	salt, err := parameterBytes(C.CK_VOID_PTR(o.pSalt), o.ulSaltLen)
	if err != nil {
		return nil, err
	}
	info, err := parameterBytes(C.CK_VOID_PTR(o.pInfo), o.ulInfoLen)
	if err != nil {
		return nil, err
	}
	return ck.HKDFParams{
		Extract: o.bExtract != C.CK_FALSE, Expand: o.bExpand != C.CK_FALSE, Hash: ck.MechanismType(o.prfHashMechanism),
		SaltType: uint(o.ulSaltType), Salt: salt, Info: info, SaltKey: ck.ObjectHandle(o.hSaltKey),
	}, nil
}

func edDSAParams(p C.CK_VOID_PTR, n uint) (any, error) {
	o, err := as[C.CK_EDDSA_PARAMS](p, n)
	if err != nil {
		return nil, err
	}
	context, err := parameterBytes(C.CK_VOID_PTR(o.pContextData), o.ulContextDataLen)
	if err != nil {
		return nil, err
	}
	return ck.EdDSAParams{Prehash: o.phFlag != C.CK_FALSE, Context: context}, nil
}

func contextParams(p C.CK_VOID_PTR, n uint) (any, error) {
	o, err := as[C.CK_SIGN_ADDITIONAL_CONTEXT](p, n)
	if err != nil {
		return nil, err
	}
	context, err := parameterBytes(C.CK_VOID_PTR(o.pContext), o.ulContextLen)
	if err != nil {
		return nil, err
	}
	return ck.ContextParams{Hedge: uint(o.hedgeVariant), Context: context}, nil
}

// as takes a parameter for a struct of type T, if it is exactly that long.
func as[T any](p C.CK_VOID_PTR, n uint) (*T, error) {
	var t T
	if n != uint(unsafe.Sizeof(t)) {
		return nil, badParameter(n)
	}
	return (*T)(unsafe.Pointer(p)), nil
}

func badParameter(n uint) error {
	return ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "a parameter of %d bytes", n)
}

// parameterBytes copies bytes that a parameter struct points to.
func parameterBytes(p C.CK_VOID_PTR, n C.CK_ULONG) ([]byte, error) {
	const longest = 1 << 30
	switch {
	case n == 0:
		return nil, nil
	case p == nil || n > longest:
		return nil, badParameter(uint(n))
	}
	return C.GoBytes(unsafe.Pointer(p), C.int(n)), nil
}
