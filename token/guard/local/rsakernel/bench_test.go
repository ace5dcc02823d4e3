//go:build cgo && amd64

package rsakernel_test

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/guard/local/rsakernel"
)

// BenchmarkPrivate has crypto/rsa beside the kernel. Both check their result.
func BenchmarkPrivate(b *testing.B) {
	needKernel(b)
	for _, half := range rsakernel.Halves {
		k := sample[16*half]()
		key := newKey(b, k)
		in, out := make([]byte, 2*half), make([]byte, 2*half)
		in[5] = 1
		b.Run(fmt.Sprint(16*half, "/kernel"), func(b *testing.B) {
			for b.Loop() {
				if !key.Private(out, in) {
					b.Fatal("refused")
				}
			}
		})
		b.Run(fmt.Sprint(16*half, "/crypto-rsa"), func(b *testing.B) {
			for b.Loop() {
				if _, err := rsa.SignPKCS1v15(nil, k, crypto.Hash(0), in[:32]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint(16*half, "/new"), func(b *testing.B) {
			numbers := numbers(k)
			for b.Loop() {
				if _, ok := rsakernel.New(numbers); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}
