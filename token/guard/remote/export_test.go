package remote

import (
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// Hurry has guards answer every request within d, until the test is over.
func Hurry(t *testing.T, d time.Duration) {
	before := deadline
	deadline = func(protocol.Method) time.Duration { return d }
	t.Cleanup(func() { deadline = before })
}
