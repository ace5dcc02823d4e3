package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/events"
	"github.com/ncrypt11/ncrypt11/token/guard/harden"
	"github.com/ncrypt11/ncrypt11/token/guard/peer"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/seal/tpmseal"
)

// guardFlags are what `ncrypt11 guard` may be told. The rest is configuration.
type guardFlags struct {
	socket, state string
	vsock         uint32
	idle          time.Duration
	onDemand      bool
	machine       bool
}

func (a *app) guardCommand() *cobra.Command {
	var f guardFlags
	cmd := &cobra.Command{
		Use:   "guard",
		Short: "Keep keys for programs: the process that VBS tokens need",
		Long: "The guard keeps the keys of VBS tokens in its own memory, sealed to the TPM on disk, and lets programs use them.\n" +
			"The init system starts it for the whole machine (ncrypt11-guard.socket), which protects best. Where it does not,\n" +
			"programs that need a guard start one of the user's own, which ends when nobody has used it for a while.",
		Args: arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return a.guard(&f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.socket, "socket", "", "listen at this path (default: where programs look)")
	flags.StringVar(&f.state, "state", "", "count wrong PINs in this directory")
	flags.Uint32Var(&f.vsock, "vsock", 0, "listen at this port of a vsock, for programs on other (virtual) machines")
	flags.DurationVar(&f.idle, "idle", 0, "end when nobody has been connected for so long (default: never)")
	flags.BoolVar(&f.onDemand, "on-demand", false, "be quiet, and leave where another guard is there already: programs start the guard so")
	flags.BoolVar(&f.machine, "machine", false, "serve every user of the machine")
	return cmd
}

// arenaLen is the room for secrets outside of Go's heap: beyond what 10,000 keys take.
const arenaLen = 16 << 20

// gcPercent lets the heap, which is next to empty, grow to 16 MiB between collections instead of 4. What a signature leaves behind is
// some kilobytes, and many programs sign.
const gcPercent = 400

// guard is the guard's life. Nothing secret is there before harden.Confine is through.
func (a *app) guard(f *guardFlags) error {
	report, err := harden.Early(inheritedSockets(a.getenv)...)
	if err != nil {
		return err
	}
	g, err := a.prepareGuard(f)
	if g == nil || err != nil {
		return err
	}
	defer g.socket.release()
	debug.SetGCPercent(gcPercent)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	if f.onDemand {
		silence() // while it still can
	}
	g.options.Hardening = harden.Confine(report, g.needs)
	g.options.Available = g.available
	if !f.onDemand {
		a.announce(g)
	}
	return g.serve(stop)
}

// guardProcess is a guard about to serve.
type guardProcess struct {
	options server.Options
	needs   harden.Needs
	tpm     *tpmseal.TPM
	socket  *guardSocket
}

// prepareGuard opens what a confined guard could not. Nil: another guard is there, and this one is not needed.
func (a *app) prepareGuard(f *guardFlags) (*guardProcess, error) {
	cfg, err := config.Load(a.getenv)
	if err != nil {
		return nil, err
	}
	place, err := guardPlaceOf(cfg, f, a.getenv)
	if err != nil {
		return nil, err
	}
	g := &guardProcess{}
	if g.tpm, err = tpmseal.Open(cfg.Guard.TPM); err != nil {
		return nil, err
	}
	if g.socket, err = listen(place); errors.Is(err, errServed) && f.onDemand {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	for _, dir := range []string{place.state, place.logs} {
		if err := ownDir(dir); err != nil {
			g.socket.release()
			return nil, err
		}
	}
	g.needs = harden.Needs{ReadWriteDirs: []string{place.state, place.logs}, RemoveDirs: place.removable(), Sockets: []string{journalDir}, Arena: arenaLen}
	if err := reachTPM(&g.needs, cfg.Guard.TPM); err != nil {
		g.socket.release()
		return nil, err
	}
	g.options = server.Options{
		Sealer: tpmseal.New(g.tpm, tpmseal.WithTries(tpmseal.FileTries(place.state), cfg.MaxPINFailures)),
		Log:    events.Open(place.logs, a.getenv("NCRYPT11_HOME") != ""), LogUses: cfg.LogUses, Idle: f.idle,
		Namespace: !peer.Distinct(), UID: uint32(os.Geteuid()), PID: os.Getpid(), CID: g.socket.cid, Version: version(), TPM: g.tpm.Info,
	}
	return g, nil
}

// journalDir has the socket of systemd's journal.
const journalDir = "/run/systemd/journal"

// available says why keys do not count as isolated in this guard.
func (g *guardProcess) available() string {
	if ok, reason := g.options.Hardening.Hardened(); !ok {
		return "the guard could not shut itself off: " + reason
	}
	if _, err := g.tpm.Info(); err != nil {
		return reason(err)
	}
	return ""
}

// announce says on the terminal, or in the journal, what was achieved.
func (a *app) announce(g *guardProcess) {
	for _, address := range g.socket.addresses {
		fmt.Fprintf(a.stdout, "listening at %s\n", address)
	}
	for _, m := range g.options.Hardening {
		achieved := "no "
		if m.Achieved {
			achieved = "yes"
		}
		fmt.Fprintf(a.stdout, "%-12s %s %s\n", m.Name, achieved, m.Detail)
	}
	if why := g.available(); why != "" {
		fmt.Fprintf(a.stdout, "VBS is unavailable: %s\n", why)
	}
}

// linger is how long who found the guard just before it leaves may take to connect.
const linger = 50 * time.Millisecond

// serve serves until a signal comes, or nobody does.
func (g *guardProcess) serve(stop <-chan os.Signal) error {
	s := server.New(g.options)
	failed := make(chan error, len(g.socket.listeners))
	for _, l := range g.socket.listeners {
		go func() { failed <- s.Serve(l) }()
	}
	for {
		select {
		case <-stop:
			g.socket.release()
			s.Close()
			return nil
		case err := <-failed:
			s.Close()
			return fmt.Errorf("serving: %w", err)
		case <-s.Idle():
			// From here on programs do not find this guard, and start another. One that found it just now is served to its end.
			g.socket.release()
			if s.Retire(linger) {
				return nil
			}
		}
	}
}

// silence gives the terminal back: an on-demand guard outlives the program that started it.
func silence() {
	_, _ = unix.Setsid() // it fails where whoever started the guard did it
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	for fd := range 3 {
		_ = unix.Dup3(null, fd, 0) // what stays open is no secret
	}
	_ = unix.Close(null)
}

// inheritedSockets are the descriptors that systemd passed (sd_listen_fds(3)), if they are meant for this process.
func inheritedSockets(getenv config.Getenv) (fds []int) {
	const first = 3
	var pid, count int
	if _, err := fmt.Sscan(getenv("LISTEN_PID"), &pid); err != nil || pid != os.Getpid() {
		return nil
	}
	if _, err := fmt.Sscan(getenv("LISTEN_FDS"), &count); err != nil || count < 0 || count > 16 {
		return nil
	}
	for i := range count {
		fds = append(fds, first+i)
	}
	return fds
}

// reachTPM adds what leads to the TPM to what a confined guard may reach. The address is sound.
func reachTPM(needs *harden.Needs, address string) error {
	software, ok := strings.CutPrefix(address, "swtpm:")
	if path, unix := strings.CutPrefix(software, "unix:"); ok && unix {
		needs.Sockets = append(needs.Sockets, filepath.Dir(path)) // a software TPM that is started again has a new socket
		return nil
	}
	if !ok {
		needs.Devices = append(needs.Devices, config.TPMDevices...)
		if filepath.IsAbs(address) {
			needs.Devices = append(needs.Devices, address)
		}
		return nil
	}
	_, text, err := net.SplitHostPort(software)
	if err != nil {
		return err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return fmt.Errorf("NCRYPT11_TPM: %q is no port", text)
	}
	needs.ConnectTCP = append(needs.ConnectTCP, uint16(port))
	needs.ReadFiles = append(needs.ReadFiles, "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf")
	return nil
}
