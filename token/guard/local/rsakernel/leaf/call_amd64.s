#include "textflag.h"
#include "funcdata.h"

// func call(f uintptr, a, b, c, d unsafe.Pointer)
// The frame is the C function's stack. C keeps BX, R12 to R15 and BP; of these Go minds BP only.
TEXT ·call(SB), 0, $8192-40
	NO_LOCAL_POINTERS
	MOVQ f+0(FP), AX
	MOVQ a+8(FP), DI
	MOVQ b+16(FP), SI
	MOVQ c+24(FP), DX
	MOVQ d+32(FP), CX
	MOVQ SP, BX
	ADDQ $8128, SP
	ANDQ $~63, SP
	CALL AX
	MOVQ BX, SP
	RET
