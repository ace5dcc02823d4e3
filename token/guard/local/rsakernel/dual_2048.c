//go:build cgo && amd64

#define HALF_BITS 2048
#define PREPARE rsakernel_prepare_2048
#define PRIVATE rsakernel_private_2048
#include "dual.h"
