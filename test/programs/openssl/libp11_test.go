package openssl_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
	"github.com/ncrypt11/ncrypt11/test/programs/openssl/commands"
)

// Programs that use libp11 themselves load the module from where they are told.
func TestLibp11(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "libp11", "libp11-3", "a program in C lists keys and signs")
		n := kit.Count(10, 1000)
		if made := commands.Libp11(t, k, "hosts/libp11.c", "sign", n); made["parent"] != n {
			t.Errorf("signatures: %v", made)
		}
	})
}

func TestLibp11Fork(t *testing.T) {
	kit.EachLogin(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "libp11", "libp11-3", "forked children sign with the key that their parent had opened")
		n := kit.Count(10, 200)
		if made := commands.Libp11(t, k, "hosts/libp11.c", "fork", n); made["parent"] != n || made["child"] != n {
			t.Errorf("signatures: %v", made)
		}
	})
}
