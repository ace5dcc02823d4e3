//go:build cgo && amd64

#define HALF_BITS 1024
#define PREPARE rsakernel_prepare_1024
#define PRIVATE rsakernel_private_1024
#include "dual.h"
