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

// Object management functions: section 5.7.

// makeObject is the shape of functions that make one object from a template.
func makeObject(name string, h C.CK_SESSION_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, out C.CK_OBJECT_HANDLE_PTR,
	f func(*token.Session, attr.Template) (ck.ObjectHandle, error)) C.CK_RV {
	return inSession(name, h, func(s *token.Session) error {
		if out == nil {
			return ck.Errorf(ck.CKR_ARGUMENTS_BAD, "no place for the object handle")
		}
		tmpl, err := template(t, n)
		if err != nil {
			return err
		}
		defer tmpl.Wipe()
		handle, err := f(s, tmpl)
		if err == nil {
			*out = C.CK_OBJECT_HANDLE(handle)
		}
		return err
	})
}

//export goC_CreateObject
func goC_CreateObject(h C.CK_SESSION_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, out C.CK_OBJECT_HANDLE_PTR) C.CK_RV {
	return makeObject("C_CreateObject", h, t, n, out, (*token.Session).CreateObject)
}

//export goC_CopyObject
func goC_CopyObject(h C.CK_SESSION_HANDLE, object C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, out C.CK_OBJECT_HANDLE_PTR) C.CK_RV {
	return makeObject("C_CopyObject", h, t, n, out, func(s *token.Session, tmpl attr.Template) (ck.ObjectHandle, error) {
		return s.CopyObject(ck.ObjectHandle(object), tmpl)
	})
}

//export goC_DestroyObject
func goC_DestroyObject(h C.CK_SESSION_HANDLE, object C.CK_OBJECT_HANDLE) C.CK_RV {
	return inSession("C_DestroyObject", h, func(s *token.Session) error { return s.DestroyObject(ck.ObjectHandle(object)) })
}

//export goC_GetObjectSize
func goC_GetObjectSize(h C.CK_SESSION_HANDLE, object C.CK_OBJECT_HANDLE, size C.CK_ULONG_PTR) C.CK_RV {
	return inSession("C_GetObjectSize", h, func(s *token.Session) error {
		if size == nil {
			return ck.CKR_ARGUMENTS_BAD
		}
		n, err := s.ObjectSize(ck.ObjectHandle(object))
		if err == nil {
			*size = C.CK_ULONG(n)
		}
		return err
	})
}

//export goC_GetAttributeValue
func goC_GetAttributeValue(h C.CK_SESSION_HANDLE, object C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) C.CK_RV {
	return inSession("C_GetAttributeValue", h, func(s *token.Session) error {
		list, err := entries(t, n)
		if err != nil {
			return err
		}
		readings := readingsOf(list)
		var failed error
		if err := s.GetAttributes(ck.ObjectHandle(object), readings, func() { failed = fill(list, readings) }); err != nil {
			return err
		}
		return failed
	})
}

//export goC_SetAttributeValue
func goC_SetAttributeValue(h C.CK_SESSION_HANDLE, object C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) C.CK_RV {
	return inSession("C_SetAttributeValue", h, func(s *token.Session) error {
		tmpl, err := template(t, n)
		if err != nil {
			return err
		}
		defer tmpl.Wipe()
		return s.SetAttributes(ck.ObjectHandle(object), tmpl)
	})
}

//export goC_FindObjectsInit
func goC_FindObjectsInit(h C.CK_SESSION_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) C.CK_RV {
	return inSession("C_FindObjectsInit", h, func(s *token.Session) error {
		tmpl, err := template(t, n)
		if err != nil {
			return err
		}
		defer tmpl.Wipe()
		return s.FindObjectsInit(tmpl)
	})
}

//export goC_FindObjects
func goC_FindObjects(h C.CK_SESSION_HANDLE, out C.CK_OBJECT_HANDLE_PTR, room C.CK_ULONG, count C.CK_ULONG_PTR) C.CK_RV {
	return inSession("C_FindObjects", h, func(s *token.Session) error {
		if count == nil || out == nil && room > 0 {
			return ck.CKR_ARGUMENTS_BAD
		}
		found, err := s.FindObjects(int(min(room, 1<<20)))
		if err != nil {
			return err
		}
		if len(found) > 0 {
			handles := unsafe.Slice((*C.CK_OBJECT_HANDLE)(unsafe.Pointer(out)), len(found))
			for i, handle := range found {
				handles[i] = C.CK_OBJECT_HANDLE(handle)
			}
		}
		*count = C.CK_ULONG(len(found))
		return nil
	})
}

//export goC_FindObjectsFinal
func goC_FindObjectsFinal(h C.CK_SESSION_HANDLE) C.CK_RV {
	return inSession("C_FindObjectsFinal", h, (*token.Session).FindObjectsFinal)
}
