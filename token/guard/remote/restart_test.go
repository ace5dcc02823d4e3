package remote_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/remote"
)

// TestStartsAnother: a guard that was started and has ended before it listened is not waited for in vain.
func TestStartsAnother(t *testing.T) {
	p := site(t)
	e := p.endpoint()
	e.Own = p.path
	starts := 0
	e.Start = func() error {
		if starts++; starts == 2 {
			p.up()
		}
		return nil
	}
	g, err := remote.Open(e, guard.Process)
	if err != nil || starts != 2 {
		t.Fatalf("started %d times, %v", starts, err)
	}
	defer g.Close()
}
