package cabi

/*
#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop
*/
import "C"

import "github.com/ncrypt11/ncrypt11/token"

// Random number generation functions: section 5.19.

//export goC_SeedRandom
func goC_SeedRandom(h C.CK_SESSION_HANDLE, seed C.CK_BYTE_PTR, n C.CK_ULONG) C.CK_RV {
	return feed("C_SeedRandom", h, 0, seed, n, (*token.Session).SeedRandom)
}

//export goC_GenerateRandom
func goC_GenerateRandom(h C.CK_SESSION_HANDLE, out C.CK_BYTE_PTR, n C.CK_ULONG) C.CK_RV {
	return feed("C_GenerateRandom", h, 0, out, n, (*token.Session).GenerateRandom)
}
