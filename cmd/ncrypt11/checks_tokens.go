package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// needsGuard says that the token's keys are never used without a guard.
func (s *tokenStatus) needsGuard() bool {
	return s.Protection == protectionIsolated || s.Protection == protectionUnavailable
}

// complaint is what is wrong with a token, and whether its keys cannot be used for it.
func (s *tokenStatus) complaint() (words string, serious bool) {
	switch {
	case s.Error != "":
		return "it cannot be used: " + s.Error, true
	case s.KeysAlive != nil && !*s.KeysAlive:
		return "its boot is over, and its keys are gone for good; delete it", true
	case s.Protection == protectionUnavailable:
		return "VBS is unavailable, and its policy allows nothing less", true
	case s.UserPIN == "locked":
		return "the user's PIN is locked; the security officer unlocks it: ncrypt11 pin --unlock", true
	case s.SOPIN == "locked":
		return "the security officer's PIN is locked for good", false
	case s.UserPIN == "final-try", s.SOPIN == "final-try":
		return "one more wrong PIN locks it", false
	case s.Protection == protectionSoftware && s.Policy == store.PolicyVBSPreferred:
		return "it was made without a guard and stays without; to have its keys isolated, make another token and import them there", false
	}
	return "", false
}

func checkTokens(f *facts) finding {
	serious := len(f.Problems) > 0
	complaints := slices.Clone(f.Problems)
	for i := range f.Tokens {
		t := &f.Tokens[i]
		words, bad := t.complaint()
		if words == "" {
			continue
		}
		name := display(t.Label)
		if name == "" {
			name = t.Serial
		}
		complaints = append(complaints, name+": "+words)
		serious = serious || bad
	}
	text := strings.Join(complaints, ". ")
	switch {
	case serious:
		return problem("do what is said of each; ncrypt11 status shows more", "%s.", text)
	case text != "":
		return warning("do what is said of each; ncrypt11 status shows more", "%s.", text)
	case len(f.Tokens) == 0:
		return ok("There is no token yet; ncrypt11 init makes one.")
	}
	return ok("All tokens can be used: %d.", len(f.Tokens))
}

// checkReach is about machine tokens with an access list: who is on it must get to them.
func checkReach(f *facts) finding {
	var shut []string
	any := false
	for i := range f.Tokens {
		t := &f.Tokens[i]
		if t.Scope != string(config.Machine) || len(t.Allow) == 0 || t.Error != "" {
			continue
		}
		any = true
		if dir := f.root.closedAbove(t.Path); dir != "" {
			shut = append(shut, fmt.Sprintf("%s (%s)", display(t.Label), dir))
		}
	}
	switch {
	case len(shut) > 0:
		return warning("chmod a+x the directories that are named", "These tokens have an access list, and those who are on it cannot get to their files: %s.", strings.Join(shut, ", "))
	case any && !f.guardForAll():
		return warning("have systemd start one guard for the machine: systemctl enable --now "+guardUnit,
			"There are tokens with an access list, and those who are on it cannot get to a guard that has their keys: there is no guard but each user's own.")
	case any:
		return ok("Those who are on the access lists of tokens can get to their files, and to the guard.")
	}
	return finding{}
}

// guardForAll says whether every user can connect to the guard that was found, or would be.
func (f *facts) guardForAll() bool {
	where := f.Guard.Where
	if !f.Guard.Running && f.usesMachineGuard() {
		where = "unix:" + config.MachineSocket
	}
	path, local := strings.CutPrefix(where, "unix:")
	if !local {
		return where != "" // over a vsock
	}
	info, err := os.Stat(f.root.path(path))
	return err == nil && info.Mode().Perm()&0o002 != 0 && f.root.closedAbove(filepath.Dir(path)) == ""
}

func checkLibrary(f *facts) finding {
	if f.Library == "" {
		return warning("install both from the same package, or build both: make build", "The PKCS #11 module %s is not beside this command, where it belongs.", libraryName)
	}
	return ok("The PKCS #11 module is %s.", f.Library)
}

func checkRegistration(f *facts) finding {
	r := &f.registration
	switch {
	case r.File == "":
		return warning("write a file /etc/pkcs11/modules/ncrypt11.module with the line: module: PATH OF "+libraryName,
			"p11-kit does not know of the module: programs that find their modules through it do not see the tokens. Others are given the module's path.")
	case r.Broken:
		return problem("write the module's path into it", "%s says that the module is %s, where there is none.", r.File, r.Module)
	}
	return ok("p11-kit knows of the module by %s.", r.File)
}
