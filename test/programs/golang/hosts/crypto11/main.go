// Command crypto11 is a program in Go that goes on using a key until it is interrupted, through crypto11 as it is maintained now. It has its own
// runtime next to the module's: many goroutines sign while memory is allocated and collected, and a signal is handled as programs in Go do.
//
//	crypto11 MODULE TOKEN PIN-FILE KEY GOROUTINES SIGNATURES
//
// It prints "signed" after that many signatures, goes on, and ends after SIGINT with "interrupted".
package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/ThalesGroup/crypto11"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "crypto11:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	pin, err := os.ReadFile(args[2])
	if err != nil {
		return err
	}
	goroutines, err := strconv.Atoi(args[4])
	if err != nil {
		return err
	}
	enough, err := strconv.ParseUint(args[5], 10, 64)
	if err != nil {
		return err
	}
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	token, err := crypto11.Configure(&crypto11.Config{Path: args[0], TokenLabel: args[1], Pin: string(pin)})
	if err != nil {
		return err
	}
	key, err := token.FindKeyPair(nil, []byte(args[3]))
	if err != nil {
		return err
	}
	if key == nil {
		return fmt.Errorf("there is no key %q", args[3])
	}
	if err := use(interrupted, key, goroutines, enough); err != nil {
		return err
	}
	if err := token.Close(); err != nil {
		return err
	}
	fmt.Println("interrupted")
	return nil
}

// use signs from many goroutines until it is interrupted.
func use(interrupted context.Context, key crypto.Signer, goroutines int, enough uint64) error {
	var done atomic.Uint64
	failures := make([]error, goroutines)
	var signers sync.WaitGroup
	for i := range goroutines {
		signers.Go(func() {
			for interrupted.Err() == nil && failures[i] == nil {
				n := done.Add(1)
				if failures[i] = signOnce(key, n); n == enough {
					fmt.Println("signed")
				}
				if n%16 == 0 {
					runtime.GC()
				}
			}
		})
	}
	signers.Wait()
	return errors.Join(failures...)
}

func signOnce(key crypto.Signer, n uint64) error {
	garbage := make([]byte, 1<<16)
	binary.BigEndian.PutUint64(garbage, n)
	digest := sha256.Sum256(garbage)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return err
	}
	switch public := key.Public().(type) {
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(public, digest[:], signature) {
			return fmt.Errorf("signature %d is not good", n)
		}
		return nil
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)
	}
	return fmt.Errorf("a key of type %T", key.Public())
}
