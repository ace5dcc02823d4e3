package openssl_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
	"github.com/ncrypt11/ncrypt11/test/programs/openssl/commands"
)

// curl is Debian's, which uses OpenSSL and takes keys from an engine. Nothing but curl is set up: the engine finds the module by p11-kit.
func TestCurl(t *testing.T) {
	kit.EachLogin(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "curl (OpenSSL engine)", "curl", "client certificates from the token, TLS 1.2 and 1.3")
		commands.Curl(t, k)
	})
}
