// Package forky_test is the tests of OpenSSH on Debian's testing release, whose OpenSSH takes Ed25519 keys from tokens.
package forky_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/machine"
	"github.com/ncrypt11/ncrypt11/test/programs/kit"
	"github.com/ncrypt11/ncrypt11/test/programs/openssh"
)

func TestMain(m *testing.M) { kit.Main(m, machine.Testing) }

func TestKeygen(t *testing.T)          { openssh.Keygen(t) }
func TestLogin(t *testing.T)           { openssh.Login(t) }
func TestLoginOnce(t *testing.T)       { openssh.LoginOnce(t) }
func TestAgent(t *testing.T)           { openssh.Agent(t) }
func TestAgentAtTerminal(t *testing.T) { openssh.AgentAtTerminal(t) }
func TestSign(t *testing.T)            { openssh.Sign(t) }
func TestCertificate(t *testing.T)     { openssh.Certificate(t) }
func TestHostKey(t *testing.T)         { openssh.HostKey(t) }
func TestEd25519(t *testing.T)         { openssh.Ed25519(t) }
