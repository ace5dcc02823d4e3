#include "textflag.h"
#include "funcdata.h"

// func reserve()
TEXT ·reserve(SB), 0, $184320-0
	NO_LOCAL_POINTERS
	RET

// func run(f func())
// The function value is called by Go's internal convention: its context in DX, g in R14, X15 zero.
TEXT ·run(SB), 0, $67584-8
	NO_LOCAL_POINTERS
	MOVQ f+0(FP), DX
	MOVQ (TLS), R14
	XORPS X15, X15
	MOVQ (DX), AX
	CALL AX
	RET
