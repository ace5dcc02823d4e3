//go:build cgo && amd64

#include "kernel.h"

int rsakernel_supported(void)
{
	/* These ask CPUID, and XCR0 for whether the operating system saves the registers. */
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("bmi2");
}

/* The length of a key is public. */
void rsakernel_prepare(int half, rsakernel_key *key, rsakernel_scratch *s, const uint8_t *numbers)
{
	switch (8 * half) {
	case 1024: rsakernel_prepare_1024(key, s, numbers); break;
	case 1536: rsakernel_prepare_1536(key, s, numbers); break;
	case 2048: rsakernel_prepare_2048(key, s, numbers); break;
	}
}
