package main

import (
	"fmt"
	"strings"
)

// handWritten are the functions whose C body is in front.c: those that work before C_Initialize, and those that begin and end Go; and in
// digest.c.
var handWritten = map[string]bool{
	"C_GetFunctionList": true, "C_GetInterfaceList": true, "C_GetInterface": true,
	"C_Initialize": true, "C_Finalize": true,
	"C_DigestInit": true, "C_Digest": true,
}

// settling are the other functions that concern a session's digest operation, which must be Go's by then (digest.h).
var settling = map[string]bool{
	"C_DigestUpdate": true, "C_DigestKey": true, "C_DigestFinal": true, "C_DigestEncryptUpdate": true, "C_DecryptDigestUpdate": true,
	"C_SessionCancel": true, "C_GetOperationState": true, "C_SetOperationState": true,
}

// constantAnswers are the functions that have one answer once the library is initialized, and need no Go for it. PKCS #11 v3.2,
// C_GetFunctionStatus and C_CancelFunction: legacy functions, which shall simply return CKR_FUNCTION_NOT_PARALLEL.
var constantAnswers = map[string]string{
	"C_GetFunctionStatus": "CKR_FUNCTION_NOT_PARALLEL",
	"C_CancelFunction":    "CKR_FUNCTION_NOT_PARALLEL",
}

const stubsHead = `
#include "digest.h"
#include "enter.h"
#include "front.h"

#include <stddef.h>
`

// cStubs writes stubs_gen.c: the exported C_* functions, as far as they are not hand-written.
func cStubs(h *header, bodies map[string]bool) ([]byte, error) {
	var out strings.Builder
	fmt.Fprintf(&out, "/* %s */\n\n%s%s", notice, protectedHeader, stubsHead)
	for _, f := range h.functions {
		answer, constant := constantAnswers[f.name]
		if constant && bodies[f.name] {
			return nil, fmt.Errorf("go%s exists, and %s is answered in C", f.name, f.name)
		}
		switch {
		case handWritten[f.name]:
		case constant:
			answerStub(&out, f, answer)
		case bodies[f.name]:
			goStub(&out, f)
		default:
			answerStub(&out, f, "CKR_FUNCTION_NOT_SUPPORTED")
		}
	}
	return []byte(out.String()), nil
}

// goStub is the stub of a function that Go implements.
func goStub(out *strings.Builder, f function) {
	fmt.Fprintf(out, "\nextern CK_RV go%s(%s);\n", f.name, declared(f))
	fmt.Fprintf(out, "CK_RV %s(%s)\n{\n", f.name, declared(f))
	forward(out, f)
	if settling[f.name] {
		fmt.Fprintf(out, "\tdigest_settle(%s);\n", f.params[0].name)
	}
	out.WriteString("\tif (!ncrypt11_enter_allowed())\n\t\treturn CKR_CRYPTOKI_NOT_INITIALIZED;\n")
	out.WriteString("\tstruct shim_call call;\n\tCK_RV rv = enter(&call);\n\tif (rv != CKR_OK)\n\t\treturn rv;\n")
	fmt.Fprintf(out, "\trv = go%s(%s);\n\tshim_leave(&call);\n\treturn rv;\n}\n", f.name, passed(f))
}

// answerStub is the stub of a function with a fixed answer.
func answerStub(out *strings.Builder, f function, answer string) {
	fmt.Fprintf(out, "\nCK_RV %s(%s)\n{\n", f.name, declared(f))
	forward(out, f)
	fmt.Fprintf(out, "\treturn ncrypt11_enter_allowed() ? %s : CKR_CRYPTOKI_NOT_INITIALIZED;\n}\n", answer)
}

// forward passes the call to the private copy of the library, in a forked child where Go could not be restarted in place.
func forward(out *strings.Builder, f function) {
	out.WriteString("\tconst CK_FUNCTION_LIST_3_2 *copy = shim_forward();\n\tif (copy != NULL)\n")
	fmt.Fprintf(out, "\t\treturn copy->%s(%s);\n", f.name, passed(f))
}

func declared(f function) string {
	var list []string
	for _, p := range f.params {
		list = append(list, strings.ReplaceAll(p.ctype+" "+p.name, "* ", "*"))
	}
	return strings.Join(list, ", ")
}

func passed(f function) string {
	var list []string
	for _, p := range f.params {
		list = append(list, p.name)
	}
	return strings.Join(list, ", ")
}
