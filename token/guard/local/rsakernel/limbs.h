/*
 * Numbers of LIMBS limbs of 52 bits, one limb after the other: conversions, and the few sums that are not worth vectors. Loops run over
 * all limbs, and choices are masks.
 */
#ifndef NCRYPT11_RSAKERNEL_LIMBS_H
#define NCRYPT11_RSAKERNEL_LIMBS_H

#include <stddef.h>
#include <string.h>

#include "kernel.h"

enum {
	LIMB_BITS = 52,
	LIMBS = HALF_BITS / LIMB_BITS + 1, /* at least 16 bits to spare, as multiply() wants */
	HALF_BYTES = HALF_BITS / 8,
	DIGITS = (HALF_BITS + RSAKERNEL_WINDOW - 1) / RSAKERNEL_WINDOW,
};

static const uint64_t LIMB_MASK = (UINT64_C(1) << LIMB_BITS) - 1;

typedef unsigned __int128 uint128;

/* wipe zeroes what the compiler may think is never read again. */
static void wipe(void *memory, size_t size)
{
	memset(memory, 0, size);
	__asm__ volatile("" : : "r"(memory) : "memory");
}

/* A reader takes big-endian bytes from their end, some bits at a time; zeros when there are no more. */
typedef struct {
	const uint8_t *bytes;
	int size, held;
	uint128 window;
} reader;

static uint64_t take(reader *r, int bits)
{
	for (; r->held < bits; r->held += 8)
		r->window |= (uint128)(r->size > 0 ? r->bytes[--r->size] : 0) << r->held;
	uint64_t low = (uint64_t)r->window & ((UINT64_C(1) << bits) - 1);
	r->window >>= bits;
	r->held -= bits;
	return low;
}

/* split is big-endian bytes as limbs. */
static void split(uint64_t *limbs, int count, const uint8_t *bytes, int size)
{
	reader r = { .bytes = bytes, .size = size };
	for (int i = 0; i < count; i++)
		limbs[i] = take(&r, LIMB_BITS);
}

/* join is the reverse of split. */
static void join(uint8_t *bytes, int size, const uint64_t *limbs)
{
	uint128 window = 0;
	int held = 0;
	while (size > 0) {
		if (held < 8) {
			window |= (uint128)*limbs++ << held;
			held += LIMB_BITS;
		}
		bytes[--size] = (uint8_t)window;
		window >>= 8;
		held -= 8;
	}
}

/* add sets a to a + b, which must fit. */
static void add(rsakernel_number *a, const rsakernel_number *b)
{
	uint64_t carry = 0;
	for (int i = 0; i < LIMBS; i++) {
		uint64_t sum = a->limb[i] + b->limb[i] + carry;
		a->limb[i] = sum & LIMB_MASK;
		carry = sum >> LIMB_BITS;
	}
}

/* subtract sets a to a - b modulo 2^(52 * LIMBS), and gives 1 where a was less than b. */
static uint64_t subtract(rsakernel_number *a, const rsakernel_number *b)
{
	uint64_t borrow = 0;
	for (int i = 0; i < LIMBS; i++) {
		uint64_t difference = a->limb[i] - b->limb[i] - borrow;
		a->limb[i] = difference & LIMB_MASK;
		borrow = difference >> 63;
	}
	return borrow;
}

/* reduce brings a from below 2m to below m. */
static void reduce(rsakernel_number *a, const rsakernel_number *m)
{
	uint64_t was_less = -subtract(a, m), carry = 0;
	for (int i = 0; i < LIMBS; i++) {
		uint64_t sum = a->limb[i] + (m->limb[i] & was_less) + carry;
		a->limb[i] = sum & LIMB_MASK;
		carry = sum >> LIMB_BITS;
	}
}

#endif
