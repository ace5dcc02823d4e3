package main

import (
	"strings"
)

func checkSecureBoot(f *facts) finding {
	const advice = "switch Secure Boot on in the firmware's settings"
	switch f.Machine.SecureBoot {
	case "on":
		return ok("Secure Boot is on: the machine starts only kernels that are signed.")
	case "off":
		return warning(advice, "Secure Boot is off: whoever can start another system on this machine can have the TPM unseal what has no PIN.")
	case "no-uefi":
		return warning("a machine with UEFI can check what it starts", "This machine was not started by UEFI: nothing checks the kernel that it starts.")
	}
	return unknownFact(advice, "Whether Secure Boot is on cannot be told here.")
}

func checkLockdown(f *facts) finding {
	const advice = "start the kernel with lockdown=integrity, or with Secure Boot on a distribution that ties the two"
	switch f.Machine.Lockdown {
	case "none":
		return warning(advice, "The kernel is not locked down: root can read and change all memory, the guard's too.")
	case "integrity", "confidentiality":
		return ok("The kernel is locked down (%s): the usual ways for root to change it are shut.", f.Machine.Lockdown)
	}
	return unknownFact(advice, "Whether the kernel is locked down cannot be told here.")
}

// checkPtrace is about programs that hold keys themselves: a guard defends itself.
func checkPtrace(f *facts) finding {
	const advice = "sysctl kernel.yama.ptrace_scope=1, and in /etc/sysctl.d for the next start"
	switch f.Machine.PtraceScope {
	case "none", "0":
		return warning(advice, "Each program may look into the memory of the same user's other programs. A guard refuses that for itself; PINs that are being typed, and the "+
			"keys of tokens in software, are open to it.")
	}
	return ok("Programs cannot look into the memory of others that they did not start (Yama ptrace_scope %s).", f.Machine.PtraceScope)
}

func checkSwap(f *facts) finding {
	var open []string
	for i := range f.Machine.Swap {
		if s := &f.Machine.Swap[i]; !s.safe() {
			open = append(open, display(s.Name))
		}
	}
	switch {
	case len(open) > 0:
		return warning("encrypt it (a random key at each start will do, see crypttab(5)), use zram, or do without",
			"Memory may be written to a disk without encryption: %s. A guard's keys are locked in memory; PINs, and the keys of tokens in software, may get there.", strings.Join(open, ", "))
	case len(f.Machine.Swap) > 0:
		return ok("Memory is swapped out to nothing that can be read later.")
	}
	return ok("No memory is swapped out.")
}

func checkCoreDumps(f *facts) finding {
	pattern := f.Machine.CorePattern
	software := f.inSoftware()
	switch {
	case len(software) == 0:
		return ok("A guard never leaves a core dump, and no token has keys in the memory of programs.")
	case pattern == "" || pattern == "|/bin/false":
		return ok("Programs that crash leave no core dump.")
	}
	return warning("forbid it to the programs that use them: LimitCORE=0 in their systemd units, or ulimit -c 0",
		"The keys of these tokens are in the memory of the programs that use them, and a program that crashes may leave its memory behind (core_pattern: %s): %s.",
		display(pattern), strings.Join(software, ", "))
}

func checkMemlock(f *facts) finding {
	const advice = "raise it: LimitMEMLOCK=infinity in the unit, or memlock in /etc/security/limits.conf; systemd's unit for the machine's guard has it"
	switch f.Machine.Memlock {
	case "unlimited":
		return ok("A guard that this user starts can lock all its memory.")
	case factUnknown:
		return unknownFact("", "How much memory a program may lock cannot be told here.")
	case "0":
		return warning(advice, "This user may lock no memory: a guard of its own cannot keep its memory from being swapped out.")
	}
	return ok("A guard that this user starts can lock the memory that keys are in, and not all of it (%s bytes).", f.Machine.Memlock)
}
