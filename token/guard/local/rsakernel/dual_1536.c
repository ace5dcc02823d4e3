//go:build cgo && amd64

#define HALF_BITS 1536
#define PREPARE rsakernel_prepare_1536
#define PRIVATE rsakernel_private_1536
#include "dual.h"
