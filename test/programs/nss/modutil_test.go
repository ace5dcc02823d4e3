package nss_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// The module is added by what `ncrypt11 config` prints, which every test does.
func TestModutil(t *testing.T) {
	tokens(t, "modutil adds the module and shows it, changes the PIN, and removes the module", func(t *testing.T, d *database) {
		modutil := func(args ...string) string {
			return kit.Run(t, kit.User, "modutil", append(args, "-dbdir", d.name, "-force")...)
		}
		kit.Contains(t, modutil("-list"), "ncrypt11", "library name: "+kit.Module, "status: loaded", "token: "+d.Label, "uri: pkcs11:token="+d.Label)
		login := map[bool]string{true: "Login Type: Login required", false: "Login Type: Public (no login required)"}[d.PIN != ""]
		kit.Contains(t, modutil("-list", "ncrypt11"), "Token Name: "+d.Label, "Token Serial Number: "+d.Serial, login, "User Pin: Initialized", "Status: Enabled")
		modutil("-disable", "ncrypt11")
		kit.Contains(t, modutil("-list", "ncrypt11"), "Status: DISABLED (user disabled)")
		modutil("-enable", "ncrypt11")
		if d.PIN != "" {
			modutil("-changepw", d.Label, "-pwfile", d.pinFile, "-newpwfile", d.write(t, "new", "abcd1234\n"))
			d.PIN = "abcd1234"
			d.NCrypt(t, "list")
		}
		kit.Contains(t, modutil("-delete", "ncrypt11"), `Module "ncrypt11" deleted from database.`)
	})
}
