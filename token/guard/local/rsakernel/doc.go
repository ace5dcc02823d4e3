// Package rsakernel is the RSA private operation on processors with AVX-512 IFMA, in C, because Go's compiler has no such instructions.
//
// It does keys of two primes of equal length, 1024, 1536 or 2048 bits. Whatever it does not do is crypto/rsa's: New then gives false.
//
// # Against faults
//
// A CRT result that was spoiled in one half gives away the primes (Boneh, DeMillo and Lipton). Each result is raised to the public exponent, by other
// arithmetic, before it leaves. Before the first key, each length must give a known answer; a processor on which it does not has no kernel.
//
// # Against listeners
//
// The instructions and addresses of an operation are the same for every key and input of a length: windows of the exponent are fixed, powers are
// selected by reading all of them, reductions subtract always and choose by masks. The input is not blinded; nor does crypto/rsa. Blinding
// covers for arithmetic whose time depends on its operands, and multiplication does not have that here.
package rsakernel
