//go:build cgo && amd64

package rsakernel_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/guard/local/rsakernel/leaf"
)

// TestStack: all functions that the operations are made of, one upon the other, fit on the stack that they are given, and none calls a library for more than to copy and to fill.
func TestStack(t *testing.T) {
	for _, bits := range []int{1024, 1536, 2048} {
		dir := t.TempDir()
		object := filepath.Join(dir, "dual.o")
		flags := []string{"-std=gnu11", "-O2", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-fstack-usage", "-c", fmt.Sprintf("dual_%d.c", bits), "-o", object}
		if out, err := exec.Command("gcc", flags...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if total := stackUsage(t, filepath.Join(dir, "dual.su")); total == 0 || total > leaf.Stack {
			t.Errorf("%d bits: the functions take up to %d bytes of stack, and have %d", bits, total, leaf.Stack)
		}
		out, err := exec.Command("nm", "--undefined-only", "--format=posix", object).Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			if name, _, _ := strings.Cut(line, " "); name != "__stack_chk_fail" && name != "_GLOBAL_OFFSET_TABLE_" && name != "memset" && name != "memcpy" {
				t.Errorf("%d bits: it calls %s", bits, name)
			}
		}
	}
}

// stackUsage adds up what gcc says of each function.
func stackUsage(t *testing.T, file string) (total int) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		n, err := strconv.Atoi(fields[1])
		if err != nil || fields[2] == "dynamic" {
			t.Fatalf("%s", lines.Text())
		}
		total += n
	}
	return total
}
