package browsers_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestFirefox(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "Firefox ESR", "firefox-esr", did)
		for _, dir := range []string{".mozilla", ".config/mozilla", ".cache/mozilla"} {
			kit.Fresh(t, filepath.Join(kit.Home, dir))
		}
		kit.Apply(t, kit.User, k.Config(t, "firefox", ""))
		departments := newDepartments(t, k)
		trust(t, departments)
		b := &browser{screen: newScreen(t), pinWindow: "^Password Required"}
		b.start(t, "firefox-esr", "about:blank")
		kit.Eventually(t, "Firefox has a window", func() bool { return b.window(t, "Mozilla Firefox$") != "" })
		kit.Eventually(t, "Firefox has done what its policies say", hasModule)
		b.visitAll(t, departments)
	})
}

// hasModule says whether Firefox has the module in its profile. It takes it in once it has loaded it, while it shows its window already.
func hasModule() bool {
	for _, profiles := range []string{".mozilla/firefox", ".config/mozilla/firefox"} {
		files, _ := filepath.Glob(filepath.Join(kit.Home, profiles, "*/pkcs11.txt")) // the pattern is right
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, []byte(kit.Module)) {
				return true
			}
		}
	}
	return false
}

// trust adds the authorities to Firefox's policies, which have the module already.
func trust(t *testing.T, departments []department) {
	t.Helper()
	const file = "/etc/firefox/policies/policies.json"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Policies map[string]any `json:"policies"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, d := range departments {
		files = append(files, d.ca.File)
	}
	all.Policies["Certificates"] = map[string]any{"Install": files}
	if text, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	kit.Write(t, "root", file, string(text))
}
