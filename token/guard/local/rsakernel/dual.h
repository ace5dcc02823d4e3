/*
 * One RSA private operation, modulo both primes side by side.
 *
 * A number lies across vectors, eight limbs in each, and multiply() walks over the limbs of the other factor. Each step has to wait for
 * the one before, so a second, independent chain runs in the gaps: p and q. It is Montgomery's multiplication with R = 2^(52 * LIMBS), "almost" reduced:
 * what goes in may be as large as 4m and what comes out is below 2m, because R is more than 2^16 times m
 * (S. Gueron, "Efficient software implementations of modular exponentiation", 2012).
 *
 * Blinding is not done, as it is not in crypto/rsa: it hides the input from code whose time depends on it, and here nothing does.
 */
#include <immintrin.h>

#include "limbs.h"

/* Per function, and not by -m for the file: the rest of the library must run on any amd64. */
#define TARGET __attribute__((target("avx512f,avx512ifma,bmi2")))
#define INLINE static inline __attribute__((always_inline))

enum {
	LANES = 8,
	VECTORS = (LIMBS + LANES - 1) / LANES,
};

#define FOR_VECTORS _Pragma("GCC unroll 8") for (int k = 0; k < VECTORS; k++)

typedef __m512i vector;

/* One product on its way. Lane 0 of sum[0] is waste: low is the true lowest column. */
typedef struct {
	vector sum[VECTORS];
	uint64_t low;
} chain;

/* vectors gives the k-th eight limbs of n. Numbers come from Go's memory, where nothing promises an alignment to 64 bytes. */
TARGET INLINE vector vectors(const rsakernel_number *n, int k)
{
	return _mm512_loadu_si512(n->limb + LANES * k);
}

/*
 * step adds a * b for one limb b, and the multiple of the modulus that makes the lowest column zero, and shifts by one limb. The lowest column decides
 * the multiple and with it everything after, so scalars compute it: they have the shorter latency. Products are 104 bits long. Their low
 * halves count in their own column, their high halves in the next, which after the shift is the same lane.
 */
TARGET INLINE void step(chain *c, const rsakernel_number *a, uint64_t b, const rsakernel_half *m)
{
	uint128 lowest = (uint128)a->limb[0] * b + c->low;
	uint64_t y = (uint64_t)lowest * m->k0 & LIMB_MASK;
	lowest += (uint128)m->modulus.limb[0] * y;

	vector vb = _mm512_set1_epi64((long long)b), vy = _mm512_set1_epi64((long long)y);
	FOR_VECTORS c->sum[k] = _mm512_madd52lo_epu64(c->sum[k], vb, vectors(a, k));
	FOR_VECTORS c->sum[k] = _mm512_madd52lo_epu64(c->sum[k], vy, vectors(&m->modulus, k));
	FOR_VECTORS c->sum[k] = _mm512_alignr_epi64(k + 1 < VECTORS ? c->sum[k + 1] : _mm512_setzero_si512(), c->sum[k], 1);
	c->low = (uint64_t)(lowest >> LIMB_BITS) + (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(c->sum[0]));
	FOR_VECTORS c->sum[k] = _mm512_madd52hi_epu64(c->sum[k], vb, vectors(a, k));
	FOR_VECTORS c->sum[k] = _mm512_madd52hi_epu64(c->sum[k], vy, vectors(&m->modulus, k));
}

/*
 * finish carries. What is above a limb's 52 bits goes one lane up, after which a lane exceeds its limb by one carry at most. Those ripple, and
 * are found as in one addition of bit masks: a full lane passes on what arrives, an overfull one makes a carry.
 */
TARGET INLINE void finish(rsakernel_number *out, chain *c)
{
	vector mask = _mm512_set1_epi64((long long)LIMB_MASK), none = _mm512_setzero_si512(), carry[VECTORS];
	c->sum[0] = _mm512_mask_set1_epi64(c->sum[0], 1, (long long)c->low);
	FOR_VECTORS carry[k] = _mm512_srli_epi64(c->sum[k], LIMB_BITS);
	FOR_VECTORS c->sum[k] = _mm512_add_epi64(_mm512_and_si512(c->sum[k], mask),
						 _mm512_alignr_epi64(carry[k], k > 0 ? carry[k - 1] : none, LANES - 1));
	uint64_t over = 0, full = 0;
	FOR_VECTORS over |= (uint64_t)_mm512_cmpgt_epu64_mask(c->sum[k], mask) << (LANES * k);
	FOR_VECTORS full |= (uint64_t)_mm512_cmpeq_epu64_mask(c->sum[k], mask) << (LANES * k);
	uint64_t arrives = ((over << 1) + full) ^ full;
	vector minus_one = _mm512_set1_epi64(-1);
	FOR_VECTORS {
		vector limbs = _mm512_mask_sub_epi64(c->sum[k], (__mmask8)(arrives >> (LANES * k)), c->sum[k], minus_one);
		_mm512_storeu_si512(out->limb + LANES * k, _mm512_and_si512(limbs, mask));
	}
}

/* multiply gives a * b / R for each prime. The output may be one of the inputs. */
TARGET static __attribute__((noinline)) void multiply(rsakernel_number *out_p, const rsakernel_number *a_p, const rsakernel_number *b_p,
						      rsakernel_number *out_q, const rsakernel_number *a_q, const rsakernel_number *b_q,
						      const rsakernel_key *key)
{
	chain p, q;
	FOR_VECTORS p.sum[k] = q.sum[k] = _mm512_setzero_si512();
	p.low = q.low = 0;
#pragma GCC unroll 2
	for (int i = 0; i < LIMBS; i++) {
		step(&p, a_p, b_p->limb[i], &key->p);
		step(&q, a_q, b_q->limb[i], &key->q);
	}
	finish(out_p, &p);
	finish(out_q, &q);
}

/* choose copies the power that a digit asks for. It reads all of them, whatever the digit: the cache must not learn it. */
TARGET static __attribute__((noinline)) void choose(rsakernel_number *out, const rsakernel_number *powers, uint64_t digit)
{
	vector chosen[VECTORS], wanted = _mm512_set1_epi64((long long)digit);
	FOR_VECTORS chosen[k] = _mm512_setzero_si512();
	for (int i = 0; i < RSAKERNEL_POWERS; i++) {
		__mmask8 is = _mm512_cmpeq_epi64_mask(wanted, _mm512_set1_epi64(i));
		FOR_VECTORS chosen[k] = _mm512_mask_mov_epi64(chosen[k], is, vectors(&powers[i], k));
	}
	FOR_VECTORS _mm512_storeu_si512(out->limb + LANES * k, chosen[k]);
}

/* exponentiate raises powers[1] to each half's exponent, by fixed windows: the same multiplications for every exponent. */
TARGET static void exponentiate(const rsakernel_key *key, rsakernel_scratch *s)
{
	rsakernel_number *p = &s->p, *q = &s->q;
	s->powers_p[0] = key->p.one;
	s->powers_q[0] = key->q.one;
	for (int i = 2; i < RSAKERNEL_POWERS; i++)
		multiply(&s->powers_p[i], &s->powers_p[i - 1], &s->powers_p[1], &s->powers_q[i], &s->powers_q[i - 1], &s->powers_q[1], key);

	choose(p, s->powers_p, key->p.digits[DIGITS - 1]);
	choose(q, s->powers_q, key->q.digits[DIGITS - 1]);
	for (int i = DIGITS - 2; i >= 0; i--) {
		for (int bit = 0; bit < RSAKERNEL_WINDOW; bit++)
			multiply(p, p, p, q, q, q, key);
		choose(&s->factor_p, s->powers_p, key->p.digits[i]);
		choose(&s->factor_q, s->powers_q, key->q.digits[i]);
		multiply(p, p, &s->factor_p, q, q, &s->factor_q, key);
	}
}

/*
 * recombine makes of s->p and s->q the number below the whole modulus that has both as its remainders:
 * q + h * Q with h = (p - q) / Q mod P (RFC 8017, section 5.1.2).
 */
TARGET static void recombine(const rsakernel_key *key, rsakernel_scratch *s)
{
	rsakernel_number *h = &s->factor_p;
	*h = s->p;
	add(h, &key->p.modulus); /* p - q + 2P is not negative: both primes have the same length */
	add(h, &key->p.modulus);
	subtract(h, &s->q);
	multiply(h, h, &key->qinv, &s->factor_q, h, &key->qinv, key); /* the second half is idle */
	reduce(h, &key->p.modulus);

	uint128 column = 0;
	for (int i = 0; i < 2 * LIMBS; i++) {
		int first = i < LIMBS ? 0 : i - LIMBS + 1, last = i < LIMBS ? i : LIMBS - 1;
		if (i < LIMBS)
			column += s->q.limb[i];
		for (int j = first; j <= last; j++)
			column += (uint128)h->limb[j] * key->q.modulus.limb[i - j];
		s->whole[i] = (uint64_t)column & LIMB_MASK;
		column >>= LIMB_BITS;
	}
}

/* leave wipes what an operation wrote: its scratch memory, the vector registers, and the stack where its functions had spilled registers. */
TARGET static __attribute__((noinline)) void leave(rsakernel_scratch *s)
{
	uint8_t spilled[512];
	wipe(spilled, sizeof spilled);
	wipe(s, sizeof *s);
	_mm256_zeroall(); /* vectors 0 to 15, in their whole length */
#define ZERO(n) __asm__ volatile("vpxorq %%zmm" #n ", %%zmm" #n ", %%zmm" #n : : : "xmm" #n)
	ZERO(16); ZERO(17); ZERO(18); ZERO(19); ZERO(20); ZERO(21); ZERO(22); ZERO(23);
	ZERO(24); ZERO(25); ZERO(26); ZERO(27); ZERO(28); ZERO(29); ZERO(30); ZERO(31);
#undef ZERO
}

TARGET void PRIVATE(const rsakernel_key *key, rsakernel_scratch *s, uint8_t *out, const uint8_t *in)
{
	split(s->whole, 2 * LIMBS, in, 2 * HALF_BYTES);
	memcpy(s->low.limb, s->whole, sizeof s->whole[0] * LIMBS);
	memcpy(s->high.limb, s->whole + LIMBS, sizeof s->whole[0] * LIMBS);

	/* in * R = low * R^2 / R + high * R^3 / R. The sum is below 4m. */
	rsakernel_number *p = &s->powers_p[1], *q = &s->powers_q[1];
	multiply(p, &s->low, &key->p.r2, q, &s->low, &key->q.r2, key);
	multiply(&s->factor_p, &s->high, &key->p.r3, &s->factor_q, &s->high, &key->q.r3, key);
	add(p, &s->factor_p);
	add(q, &s->factor_q);
	exponentiate(key, s);

	s->unit.limb[0] = 1;
	multiply(&s->p, &s->p, &s->unit, &s->q, &s->q, &s->unit, key);
	reduce(&s->p, &key->p.modulus);
	reduce(&s->q, &key->q.modulus);
	recombine(key, s);
	join(out, 2 * HALF_BYTES, s->whole);
	leave(s);
}

/* twice sets a, which is below m, to 2a mod m. */
static void twice(rsakernel_number *a, const rsakernel_number *m)
{
	add(a, a);
	reduce(a, m);
}

/* begin takes one prime and its exponent, and computes what a half needs before there is multiplication. */
static void begin(rsakernel_half *m, const uint8_t *modulus, const uint8_t *exponent)
{
	split(m->modulus.limb, LIMBS, modulus, HALF_BYTES);
	reader r = { .bytes = exponent, .size = HALF_BYTES };
	for (int i = 0; i < DIGITS; i++)
		m->digits[i] = (uint8_t)take(&r, RSAKERNEL_WINDOW);

	/* Newton's iteration doubles the bits of 1 / m that are right. An odd number is its own inverse to three bits. */
	uint64_t m0 = m->modulus.limb[0], inverse = m0;
	for (int right = 3; right < LIMB_BITS; right *= 2)
		inverse *= 2 - m0 * inverse;
	m->k0 = -inverse & LIMB_MASK;

	/* 2^(HALF_BITS - 1) is below m; from there to R by doubling. */
	m->one.limb[(HALF_BITS - 1) / LIMB_BITS] = UINT64_C(1) << (HALF_BITS - 1) % LIMB_BITS;
	for (int bit = HALF_BITS - 1; bit < LIMB_BITS * LIMBS; bit++)
		twice(&m->one, &m->modulus);
}

/* to_the_r sets a and b, which are 2R, to R^2: two raised to the 52 * LIMBS by squaring and doubling. That exponent is no secret. */
TARGET static void to_the_r(rsakernel_number *a, rsakernel_number *b, const rsakernel_key *key)
{
	int bit = 1;
	while (bit <= LIMB_BITS * LIMBS / 2)
		bit *= 2;
	while (bit /= 2) {
		multiply(a, a, a, b, b, b, key);
		reduce(a, &key->p.modulus);
		reduce(b, &key->q.modulus);
		if (LIMB_BITS * LIMBS & bit) {
			twice(a, &key->p.modulus);
			twice(b, &key->q.modulus);
		}
	}
}

TARGET void PREPARE(rsakernel_key *key, rsakernel_scratch *s, const uint8_t *numbers)
{
	rsakernel_half *p = &key->p, *q = &key->q;
	memset(key, 0, sizeof *key);
	begin(p, numbers, numbers + 2 * HALF_BYTES);
	begin(q, numbers + HALF_BYTES, numbers + 3 * HALF_BYTES);

	p->r2 = p->one;
	q->r2 = q->one;
	twice(&p->r2, &p->modulus);
	twice(&q->r2, &q->modulus);
	to_the_r(&p->r2, &q->r2, key);
	multiply(&p->r3, &p->r2, &p->r2, &q->r3, &q->r2, &q->r2, key);
	reduce(&p->r3, &p->modulus);
	reduce(&q->r3, &q->modulus);

	split(s->low.limb, LIMBS, numbers + 4 * HALF_BYTES, HALF_BYTES);
	multiply(&key->qinv, &s->low, &p->r2, &s->factor_q, &s->low, &p->r2, key); /* the second half is idle */
	reduce(&key->qinv, &p->modulus);
	leave(s);
}
