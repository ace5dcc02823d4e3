package main

import (
	"strings"

	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

func checkTPM(f *facts) finding {
	d := &f.Machine.TPM
	switch {
	case f.Guard.Report != nil && f.Guard.Report.TPM == nil:
		return problem("see what the kernel says of it: dmesg | grep -i tpm", "The guard cannot use its TPM: %s.", f.Guard.Report.TPMError)
	case f.Guard.level() > guard.Process:
		return ok("The guard uses a TPM; programs and users need no access to it.")
	case strings.HasPrefix(d.Setting, "swtpm:"):
		return warning("use it for tests only, and unset NCRYPT11_TPM elsewhere", "NCRYPT11_TPM names a TPM in software (%s): it binds keys to its own files, not to this machine.", d.Setting)
	case d.Setting == "none":
		return f.withoutTPM("unset NCRYPT11_TPM", "NCRYPT11_TPM is none: no TPM is used.")
	case d.Device == "":
		return f.withoutTPM("switch the TPM on in the firmware's settings (it may be called PTT, fTPM or security device)", "This machine shows no TPM: there is neither "+
			strings.Join(config.TPMDevices, " nor ")+".")
	case !d.Usable && f.Guard.Report == nil:
		return f.withoutTPM("have systemd start the machine's guard (systemctl enable --now "+guardUnit+"), or let this user use the TPM: usermod -a -G tss USER, and log in anew",
			"There is a TPM, but this user may not open "+d.Device+", and so cannot start a guard.")
	case d.Device == config.TPMDevices[1]:
		return warning("use a kernel of 4.12 or later", "There is a TPM, but only as %s, which one program at a time can use.", d.Device)
	}
	return ok("There is a TPM, which this user's guard can use: %s.", d.Device)
}

// withoutTPM is worse where there are tokens that need one.
func (f *facts) withoutTPM(advice, meaning string) finding {
	if len(f.isolated()) > 0 {
		return problem(advice, "%s", meaning)
	}
	return warning(advice, "%s", meaning)
}

func checkLockout(f *facts) finding {
	if f.Guard.Report == nil || f.Guard.Report.TPM == nil || f.Guard.Report.TPM.MaxFailures == 0 {
		return finding{}
	}
	t := f.Guard.Report.TPM
	wait := "it forgets none by itself"
	if t.ForgiveEvery > 0 {
		wait = "it forgets one every " + t.forgiveEvery().String()
	}
	const clear = "tpm2_dictionarylockout -c clears it, as root"
	switch {
	case t.LockedOut:
		return problem("wait, or clear it: "+clear,
			"The TPM is locked after %d wrong PINs: no token with a PIN can be unlocked, with the right PIN neither; %s.", t.Failures, wait)
	case 2*t.Failures >= t.MaxFailures:
		return warning("find out who tries PINs (ncrypt11 events --kind pin-wrong,lockout); "+clear,
			"The TPM has seen %d wrong PINs, and locks itself at %d; %s. Machines that are switched off without a shutdown count too.", t.Failures, t.MaxFailures, wait)
	}
	return ok("The TPM is not near to locking itself: it has seen %d wrong PINs of the %d that do it; %s.", t.Failures, t.MaxFailures, wait)
}
