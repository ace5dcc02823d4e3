package openssl_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "bookworm") }
