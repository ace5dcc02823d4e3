/*
 * RSA private operations on AVX-512 IFMA. dual.h has the arithmetic, which
 * dual_1024.c, dual_1536.c and dual_2048.c compile for one length of primes each.
 *
 * Nothing here allocates, and no branch and no address depends on a secret.
 */
#ifndef NCRYPT11_RSAKERNEL_H
#define NCRYPT11_RSAKERNEL_H

#include <stdint.h>

enum {
	RSAKERNEL_LIMBS = 40,     /* of 52 bits: 2048 bits and room to spare */
	RSAKERNEL_WINDOW = 5,     /* bits of an exponent that are taken at once */
	RSAKERNEL_POWERS = 1 << RSAKERNEL_WINDOW,
	RSAKERNEL_DIGITS = (2048 + RSAKERNEL_WINDOW - 1) / RSAKERNEL_WINDOW,
};

/* A number, least limb first. Limbs that a length does not use are zero. */
typedef struct {
	uint64_t limb[RSAKERNEL_LIMBS];
} rsakernel_number;

/* What is known of one prime m beforehand; R is 2^(52 * limbs). */
typedef struct {
	rsakernel_number modulus;
	rsakernel_number one;              /* R mod m */
	rsakernel_number r2, r3;           /* R^2 and R^3 mod m */
	uint64_t k0;                       /* -1 / m mod 2^52 */
	uint8_t digits[RSAKERNEL_DIGITS];  /* of the exponent, least first */
} rsakernel_half;

typedef struct {
	rsakernel_half p, q;
	rsakernel_number qinv; /* R / q mod p */
} rsakernel_key;

/* What an operation writes to on its way. The caller brings it, because a host's thread may have little stack. It is zero afterwards. */
typedef struct {
	rsakernel_number powers_p[RSAKERNEL_POWERS], powers_q[RSAKERNEL_POWERS];
	rsakernel_number p, q, factor_p, factor_q, low, high, unit;
	uint64_t whole[2 * RSAKERNEL_LIMBS];
} rsakernel_scratch;

/* rsakernel_supported says whether processor and operating system have what dual.h is compiled to. Ask before anything else. */
int rsakernel_supported(void);

/*
 * rsakernel_prepare makes a key of p, q, dP, dQ and qInv, which follow each other as big-endian bytes, `half` each: 128, 192 or 256. Both primes have
 * their top bit set and are odd. The rest is not checked, and a key that is none gives wrong numbers.
 */
void rsakernel_prepare(int half, rsakernel_key *key, rsakernel_scratch *s, const uint8_t *numbers);

/*
 * One of these pairs for each length in bits of a prime. rsakernel_prepare_* does what rsakernel_prepare says. rsakernel_private_* raises `in` to the private
 * exponent. Both `in` and `out` are big-endian bytes, as many as the modulus has, and `in` is below the modulus. It runs on a goroutine's stack (package
 * leaf), and so calls no library and uses little stack: a test adds it up.
 */
#define RSAKERNEL_DECLARE(bits) \
	void rsakernel_prepare_##bits(rsakernel_key *key, rsakernel_scratch *s, const uint8_t *numbers); \
	void rsakernel_private_##bits(const rsakernel_key *key, rsakernel_scratch *s, uint8_t *out, const uint8_t *in)

RSAKERNEL_DECLARE(1024);
RSAKERNEL_DECLARE(1536);
RSAKERNEL_DECLARE(2048);

#endif
