package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
)

// testMachine is a machine of a script: a home, a TPM where it has one.
type testMachine struct {
	home string
	tpm  *swtpm.TPM
}

// machinesKey and testKey are where a script keeps its machines, by name, and the test that it is.
type (
	machinesKey struct{}
	testKey     struct{}
)

// TestInjectScripts brings keys from one machine to another. A script has as many machines as it names; those called server have neither a TPM nor a
// configuration that can be read.
func TestInjectScripts(t *testing.T) {
	keys, err := filepath.Abs("keyfile/testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/inject",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Values[machinesKey{}], env.Values[testKey{}] = map[string]*testMachine{}, env.T()
			env.Setenv("KEYS", keys)
			env.Setenv("GORACE", quickEnd)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fails":          fails,
			"fails-printing": failsPrinting,
			"json":           checkJSON,
			"field":          saveField,
			"setenv":         setenv,
			"machine":        onMachine,
			"disk":           copyDisk,
			"made-by":        madeBy,
			"manufactured":   manufactured,
			"flip":           flipByte,
			"cut":            cutFile,
			"archivist":      archivist,
			"recover":        recoverKeys,
		},
	})
}

// onMachine NAME has what follows happen on that machine, which there is from now on.
func onMachine(ts *testscript.TestScript, _ bool, args []string) {
	machines := ts.Value(machinesKey{}).(map[string]*testMachine)
	m, ok := machines[args[0]]
	if !ok {
		m = newMachine(ts, args[0])
		machines[args[0]] = m
	}
	ts.Setenv("NCRYPT11_HOME", m.home)
	ts.Setenv("MACHINE", args[0])
	ts.Setenv("NCRYPT11_TPM", "none")
	ts.Setenv("NCRYPT11_GUARD", "none")
	if m.tpm != nil {
		ts.Setenv("NCRYPT11_TPM", m.tpm.Address())
		ts.Setenv("NCRYPT11_GUARD", "auto")
	}
}

func newMachine(ts *testscript.TestScript, name string) *testMachine {
	t := ts.Value(testKey{}).(testing.TB)
	home, err := os.MkdirTemp("", "n11inj") // short: the guard's socket is in it
	ts.Check(err)
	t.Cleanup(func() { os.RemoveAll(home) })
	config := "guard_idle = \"30s\"\n"
	m := &testMachine{home: home}
	if name == "server" {
		config = "this is no configuration"
	} else {
		m.tpm = swtpm.Start(t)
		t.Cleanup(func() { endGuard(t, home) })
	}
	ts.Check(os.WriteFile(filepath.Join(home, "config.toml"), []byte(config), 0o644))
	return m
}

// copyDisk FROM TO gives a new machine, with a TPM of its own, a copy of the tokens of another.
func copyDisk(ts *testscript.TestScript, _ bool, args []string) {
	machines := ts.Value(machinesKey{}).(map[string]*testMachine)
	m := newMachine(ts, args[1])
	machines[args[1]] = m
	ts.Check(os.CopyFS(filepath.Join(m.home, "tokens"), os.DirFS(filepath.Join(machines[args[0]].home, "tokens"))))
}

// madeBy MAKER FILE has a maker certify the TPM of the machine, and leaves who believes him his root certificate.
func madeBy(ts *testscript.TestScript, _ bool, args []string) {
	t := ts.Value(testKey{}).(testing.TB)
	maker := swtpm.NewMaker(t, args[0], time.Now().AddDate(1, 0, 0))
	ts.Value(machinesKey{}).(map[string]*testMachine)[ts.Getenv("MACHINE")].tpm.Endorse(maker, "ecc")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: maker.Root.Raw}), 0o644))
}

// localCA is how swtpm_setup has swtpm_localca, which comes with swtpm, certify a TPM: its files, with the directory in place of %s.
var localCA = map[string]string{
	"setup.conf": "create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = %[1]s/ca.conf\ncreate_certs_tool_options = %[1]s/ca.options\n",
	"ca.conf":    "statedir = %[1]s\nsigningkey = %[1]s/key.pem\nissuercert = %[1]s/issuer.pem\ncertserial = %[1]s/serial\n",
	"ca.options": "--platform-manufacturer Example\n--platform-version 1\n--platform-model Test\n",
}

// manufactured FILE has the machine's TPM made anew by swtpm's own tools, with certificates that are not of this project's making, and leaves those of its maker.
func manufactured(ts *testscript.TestScript, _ bool, args []string) {
	tpm := ts.Value(machinesKey{}).(map[string]*testMachine)[ts.Getenv("MACHINE")].tpm
	ca := ts.MkAbs("ca")
	ts.Check(os.Mkdir(ca, 0o755))
	for name, text := range localCA {
		ts.Check(os.WriteFile(filepath.Join(ca, name), fmt.Appendf(nil, text, ca), 0o644))
	}
	state := filepath.Join(filepath.Dir(strings.TrimPrefix(tpm.Address(), "swtpm:unix:")), "state")
	tpm.Stop()
	ts.Check(os.RemoveAll(state))
	ts.Check(os.Mkdir(state, 0o700))
	ts.Check(ts.Exec("swtpm_setup", "--tpm2", "--tpmstate", state, "--create-ek-cert", "--create-platform-cert", "--config", filepath.Join(ca, "setup.conf")))
	tpm.Start()
	issuer := ts.ReadFile(filepath.Join(ca, "issuer.pem"))
	root := ts.ReadFile(filepath.Join(ca, "swtpm-localca-rootca-cert.pem"))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(issuer+root), 0o644))
}

// archivist KIND NAME FILE makes somebody who can read archives, of one kind of age's recipients: $NAME is what they are encrypted to, FILE what it takes to read them.
func archivist(ts *testscript.TestScript, _ bool, args []string) {
	var recipient, identity string
	switch args[0] {
	case "x25519":
		i, err := age.GenerateX25519Identity()
		ts.Check(err)
		recipient, identity = i.Recipient().String(), i.String()
	case "hybrid":
		i, err := age.GenerateHybridIdentity()
		ts.Check(err)
		recipient, identity = i.Recipient().String(), i.String()
	}
	ts.Setenv(args[1], recipient)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(identity), 0o600))
}

// recoverKeys ARCHIVE IDENTITY FILE decrypts an archive.
func recoverKeys(ts *testscript.TestScript, neg bool, args []string) {
	identities, err := age.ParseIdentities(strings.NewReader(ts.ReadFile(args[1])))
	ts.Check(err)
	plain, err := age.Decrypt(strings.NewReader(ts.ReadFile(args[0])), identities...)
	if (err != nil) != neg {
		ts.Fatalf("decrypting %s: %v", args[0], err)
	}
	if err == nil {
		text, err := io.ReadAll(plain)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[2]), text, 0o600))
	}
}

// flipByte FILE OFFSET alters a file: an offset below zero counts from its end.
func flipByte(ts *testscript.TestScript, _ bool, args []string) {
	data := []byte(ts.ReadFile(args[0]))
	data[offset(ts, args[1], len(data))] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}

// cutFile FILE OFFSET ends a file there.
func cutFile(ts *testscript.TestScript, _ bool, args []string) {
	data := []byte(ts.ReadFile(args[0]))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data[:offset(ts, args[1], len(data))], 0o644))
}

func offset(ts *testscript.TestScript, text string, size int) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	if n < 0 {
		n += size
	}
	return n
}
