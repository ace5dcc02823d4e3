package browsers_test

import (
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestChromium(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "Chromium", "chromium", did)
		for _, dir := range []string{".pki", ".local/share/pki", ".config/chromium", ".cache/chromium"} {
			kit.Fresh(t, filepath.Join(kit.Home, dir))
		}
		db := filepath.Join(kit.Home, ".local/share/pki/nssdb")
		if k.Guarded { // who has used Chromium for long has it where it was at first
			db = filepath.Join(kit.Home, ".pki/nssdb")
			kit.Shell(t, kit.User, "mkdir -p "+db+"; certutil -N -d sql:"+db+" --empty-password")
		}
		kit.Contains(t, kit.Apply(t, kit.User, k.Config(t, "chromium", "")), `Module "ncrypt11" added to database.`)
		departments := newDepartments(t, k)
		for _, d := range departments {
			name := d.ca.Certificate.Subject.CommonName
			kit.Run(t, kit.User, "certutil", "-A", "-d", "sql:"+db, "-n", name, "-t", "C,,", "-a", "-i", d.ca.File)
		}
		b := &browser{screen: newScreen(t), pinWindow: "^Unlock Security Device$"}
		b.start(t, "chromium", "--no-first-run", "--password-store=basic", "about:blank")
		kit.Eventually(t, "Chromium has a window", func() bool { return b.window(t, "Chromium$") != "" })
		b.visitAll(t, departments)
	})
}
