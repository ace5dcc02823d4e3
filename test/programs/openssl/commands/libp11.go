package commands

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// Libp11 has the program in hosts/libp11.c, which is found there from a package's directory, list keys and sign, in a mode and so many times. It gives
// how many signatures of parents and children are good.
func Libp11(t *testing.T, k *kit.Token, host, mode string, count int) map[string]int {
	t.Helper()
	program := kit.CHost(t, host, "-lp11", "-lcrypto")
	record := kit.NewRecord(t, k)
	k.Generate(t, "rsa2048", "another")
	kit.Contains(t, kit.Run(t, k.Owner, program, record.Args(k, mode, count)...), kit.SignerLabel+"\n", "another\n")
	return record.Signatures(t)
}
