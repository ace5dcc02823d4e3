// Package vpn_test has OpenVPN, strongSwan and wpa_supplicant authenticate with keys in tokens.
package vpn_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "bookworm") }
