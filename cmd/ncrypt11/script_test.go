package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ncrypt11": mainInTree})
}

// mainInTree is the command as it is, but for where it reads facts about the machine: $TREE, in which a script can have the machine that it
// wants; and for where it takes the module to be, which is not beside this test.
func mainInTree() {
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, root: tree(os.Getenv("TREE")), library: "/usr/lib/" + libraryName}
	os.Exit(a.run(os.Args[1:]))
}

// quickEnd has the race detector not wait a second at the end of each command, for races that other threads might still show.
const quickEnd = "atexit_sleep_ms=0"

// TestScripts runs the command as its users do. Each script has a home of its own, without tokens. $KEYS has key files.
func TestScripts(t *testing.T) {
	keys, err := filepath.Abs("keyfile/testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("KEYS", keys)
			env.Setenv("GORACE", quickEnd)
			env.Setenv("ESCAPE", "\x1b[2Jx")
			env.Setenv("NCRYPT11_HOME", filepath.Join(env.WorkDir, "home"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fails":          fails,
			"fails-printing": failsPrinting,
			"json":           checkJSON,
			"result":         checkResult,
			"field":          saveField,
			"setenv":         setenv,
		},
	})
}

// fails CODE PROGRAM [ARGUMENT...] runs a program that must end with the exit code, say why in one line, and print nothing else.
func fails(ts *testscript.TestScript, _ bool, args []string) {
	failsPrinting(ts, false, args)
	if text := ts.ReadFile("stdout"); text != "" {
		ts.Fatalf("it printed %q", text)
	}
}

// failsPrinting is fails for a program that may print.
func failsPrinting(ts *testscript.TestScript, _ bool, args []string) {
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); !errors.As(err, &exit) {
		ts.Fatalf("it did not fail: %v", err)
	}
	if want, _ := strconv.Atoi(args[0]); exit.ExitCode() != want {
		ts.Fatalf("exit code %d, want %d", exit.ExitCode(), want)
	}
	if text := ts.ReadFile("stderr"); strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "ncrypt11: ") {
		ts.Fatalf("not one line that says why: %q", text)
	}
}

// checkResult CHECK RESULT: what doctor printed last as JSON has this result of the check.
func checkResult(ts *testscript.TestScript, _ bool, args []string) {
	var d diagnosis
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &d))
	for _, found := range d.Checks {
		if found.Name == args[0] {
			if found.Result != args[1] {
				ts.Fatalf("%s: %s, want %s (%s)", args[0], found.Result, args[1], found.Meaning)
			}
			return
		}
	}
	ts.Fatalf("there is no check %s", args[0])
}

// checkJSON PATH VALUE: what was printed last is JSON, and what stands there in it is VALUE.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	got := field(ts, args[0])
	if (got == args[1]) == neg {
		ts.Fatalf("%s is %s, want %s (negated: %v)", args[0], got, args[1], neg)
	}
}

// saveField PATH FILE writes what stands there into a file.
func saveField(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(field(ts, args[0])), 0o600))
}

// setenv NAME PATH puts what stands there into the environment.
func setenv(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], field(ts, args[1]))
}

// field finds a value: keys and indexes with dots between them, "len" for a length.
func field(ts *testscript.TestScript, path string) string {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for _, step := range strings.Split(path, ".") {
		list, _ := v.([]any)
		index, err := strconv.Atoi(step)
		switch {
		case step == "len":
			v = float64(len(list))
		case err == nil && index < len(list):
			v = list[index]
		default:
			object, _ := v.(map[string]any)
			v = object[step]
		}
	}
	if text, ok := v.(string); ok {
		return text
	}
	text, err := json.Marshal(v)
	ts.Check(err)
	return string(text)
}
