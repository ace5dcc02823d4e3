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
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Bounds of a template. Real ones have some forty attributes.
const (
	maxAttributes    = 1 << 12
	maxTemplateBytes = 64 << 20
)

// arrayAttributes have a CK_ATTRIBUTE array for a value: pointers, which are followed and copied.
var arrayAttributes = map[ck.AttributeType]bool{
	ck.CKA_WRAP_TEMPLATE: true, ck.CKA_UNWRAP_TEMPLATE: true, ck.CKA_DERIVE_TEMPLATE: true,
	ck.CKA_ENCAPSULATE_TEMPLATE: true, ck.CKA_DECAPSULATE_TEMPLATE: true,
	ck.CKA_ENCAPSULATE_TEMPLATE | ck.AttributeType(ck.CKF_ARRAY_ATTRIBUTE): true,
	ck.CKA_DECAPSULATE_TEMPLATE | ck.AttributeType(ck.CKF_ARRAY_ATTRIBUTE): true,
}

const attributeSize = C.CK_ULONG(unsafe.Sizeof(C.CK_ATTRIBUTE{}))

// entries is a CK_ATTRIBUTE array as a slice of the caller's memory.
func entries(p C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) ([]C.CK_ATTRIBUTE, error) {
	switch {
	case n == 0:
		return nil, nil
	case p == nil:
		return nil, ck.Errorf(ck.CKR_ARGUMENTS_BAD, "NULL template of %d attributes", uint(n))
	case n > maxAttributes:
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "template of %d attributes", uint(n))
	}
	return unsafe.Slice((*C.CK_ATTRIBUTE)(unsafe.Pointer(p)), n), nil
}

// template copies a template once, secret values and others alike. The caller wipes it when the call ends.
func template(p C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) (attr.Template, error) {
	return copyTemplate(p, n, true)
}

func copyTemplate(p C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, nested bool) (attr.Template, error) {
	list, err := entries(p, n)
	if err != nil {
		return nil, err
	}
	t := make(attr.Template, 0, len(list))
	total := 0
	for i := range list {
		a, err := copyAttribute(&list[i], nested)
		if err == nil {
			total += len(a.Value)
			t = append(t, a)
		}
		if err == nil && total > maxTemplateBytes {
			err = ck.Errorf(ck.CKR_HOST_MEMORY, "template of more than %d bytes", maxTemplateBytes)
		}
		if err != nil {
			t.Wipe()
			return nil, err
		}
	}
	return t, nil
}

func copyAttribute(a *C.CK_ATTRIBUTE, nested bool) (attr.Attribute, error) {
	out := attr.Attribute{Type: ck.AttributeType(a._type)}
	n := a.ulValueLen
	if a.pValue == nil && n != 0 || n > maxTemplateBytes {
		return out, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "%v: bad pointer or length", out.Type)
	}
	if arrayAttributes[out.Type] {
		return copyArray(out, a, nested)
	}
	out.Value = make([]byte, n)
	if n > 0 {
		copy(out.Value, unsafe.Slice((*byte)(unsafe.Pointer(a.pValue)), n))
	}
	return out, nil
}

// copyArray copies an attribute whose value is a template. Templates inside templates inside templates do not exist.
func copyArray(out attr.Attribute, a *C.CK_ATTRIBUTE, nested bool) (attr.Attribute, error) {
	if !nested || a.ulValueLen%attributeSize != 0 {
		return out, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "%v: not an array of attributes", out.Type)
	}
	inner, err := copyTemplate(C.CK_ATTRIBUTE_PTR(a.pValue), a.ulValueLen/attributeSize, false)
	if err != nil {
		return out, err
	}
	defer inner.Wipe()
	out.Value = attr.EncodeNested(inner)
	return out, nil
}

// readingsOf says what a C_GetAttributeValue template asks for.
func readingsOf(list []C.CK_ATTRIBUTE) []token.Reading {
	readings := make([]token.Reading, len(list))
	for i := range list {
		readings[i].Type = ck.AttributeType(list[i]._type)
	}
	return readings
}

// unavailable is what C_GetAttributeValue says instead of a length.
const unavailable = ^C.CK_ULONG(0)

// fill writes what was read into the caller's template, by the rules of section 5.7.5: every entry is processed, and the code is that of the last one that failed.
func fill(list []C.CK_ATTRIBUTE, readings []token.Reading) error {
	var failed error
	for i := range list {
		if err := fillOne(&list[i], &readings[i]); err != nil {
			failed = err
		}
	}
	return failed
}

func fillOne(a *C.CK_ATTRIBUTE, r *token.Reading) error {
	if r.Err != nil {
		a.ulValueLen = unavailable
		return r.Err
	}
	if arrayAttributes[r.Type] && len(r.Value) > 0 {
		return fillArray(a, r.Value)
	}
	err := fillValue(a, r.Value)
	r.Untaken = err != nil || a.pValue == nil
	return err
}

func fillValue(a *C.CK_ATTRIBUTE, value []byte) error {
	n := C.CK_ULONG(len(value))
	switch {
	case a.pValue == nil:
	case a.ulValueLen < n:
		a.ulValueLen = unavailable
		return ck.CKR_BUFFER_TOO_SMALL
	case n > 0:
		copy(unsafe.Slice((*byte)(unsafe.Pointer(a.pValue)), n), value)
	}
	a.ulValueLen = n
	return nil
}

// fillArray writes a template into a template: the outer length first, then in another call types and lengths, then values.
func fillArray(a *C.CK_ATTRIBUTE, value []byte) error {
	inner, err := attr.DecodeNested(value)
	if err != nil {
		a.ulValueLen = unavailable
		return err
	}
	n := C.CK_ULONG(len(inner)) * attributeSize
	if a.pValue == nil {
		a.ulValueLen = n
		return nil
	}
	if a.ulValueLen < n {
		a.ulValueLen = unavailable
		return ck.CKR_BUFFER_TOO_SMALL
	}
	a.ulValueLen = n
	list := unsafe.Slice((*C.CK_ATTRIBUTE)(unsafe.Pointer(a.pValue)), len(inner))
	var failed error
	for i := range inner {
		list[i]._type = C.CK_ATTRIBUTE_TYPE(inner[i].Type)
		if err := fillValue(&list[i], inner[i].Value); err != nil {
			failed = err
		}
	}
	return failed
}
