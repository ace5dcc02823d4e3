package attack_test

import (
	"os/exec"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/attack"
)

const (
	user  = 65534
	other = 12345
)

// TestControl attacks a program that protects nothing: everything comes through for the same user, and nothing for another one. What is stopped
// elsewhere was stopped by that program, then.
func TestControl(t *testing.T) {
	attacker := attack.Attacker(t)
	cmd := exec.Command(attacker, "victim")
	attack.User(cmd, user)
	v := attack.StartVictim(t, cmd)
	t.Run("same user", func(t *testing.T) { attack.Check(t, attack.RunAs(t, attacker, user, v.PID), false) })
	t.Run("another user", func(t *testing.T) { attack.Check(t, attack.RunAs(t, attacker, other, v.PID), true) })
	found, err := attack.Scan(v.PID, v.Secret)
	if err != nil || found == 0 {
		t.Errorf("the secret is not found: %d, %v", found, err)
	}
	if err := v.End(); err != nil {
		t.Errorf("the attacks have left their mark: %v", err)
	}
}
