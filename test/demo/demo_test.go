// Package demo has the scripts of `make demo`: what they show is so, or they fail.
package demo

import (
	"os/exec"
	"testing"
)

func TestDemo(t *testing.T) {
	for _, script := range []string{"demo.sh", "guard.sh"} {
		t.Run(script, func(t *testing.T) {
			if out, err := exec.Command("sh", script).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
