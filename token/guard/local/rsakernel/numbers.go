package rsakernel

import "filippo.io/bigmod"

// Numbers are an RSA key. The secret ones are big-endian, of any length; New copies what it needs.
type Numbers struct {
	N                  *bigmod.Modulus
	E                  uint
	P, Q, DP, DQ, QInv []byte
}
