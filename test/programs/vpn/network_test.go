package vpn_test

import (
	"os/exec"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// host is a network namespace with an address: another computer, as far as the network goes.
type host struct{ name, address string }

// near and far are two of them with a cable between. What is set up is set up at the near one.
var (
	near = host{"near", "10.9.0.1"}
	far  = host{"far", "10.9.0.2"}
)

// connect makes near and far, until the test ends.
func connect(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		for _, h := range []host{near, far} {
			_, _ = kit.Try(t, "root", "ip", "netns", "delete", h.name) // it may not have been made
		}
	})
	kit.Shell(t, "root", `for h in near far; do ip netns add $h; ip -n $h link set lo up; done
ip link add name eth0 netns near type veth peer name eth0 netns far
ip -n near address add `+near.address+`/24 dev eth0; ip -n near link set eth0 up
ip -n far address add `+far.address+`/24 dev eth0; ip -n far link set eth0 up`)
}

// command is a program that root starts at that host.
func (h host) command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	return kit.Command(t, "root", "ip", append([]string{"netns", "exec", h.name, name}, args...)...)
}

// run gives what the program prints at that host, and fails if it fails.
func (h host) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := kit.Output(h.command(t, name, args...))
	if err != nil {
		t.Fatalf("%s at %s: %v\n%s", name, h.name, err, out)
	}
	return out
}

// greeting is what a web server at a host says.
const greeting = "behind the tunnel"

// greet has a web server run at that host.
func (h host) greet(t *testing.T) {
	t.Helper()
	dir := kit.Dir(t, "root")
	kit.Write(t, "root", dir+"/index.html", greeting)
	kit.Start(t, h.command(t, "python3", "-m", "http.server", "--directory", dir, "80"))
}

// reaches waits until the web server at an address answers this host.
func (h host) reaches(t *testing.T, address string) {
	t.Helper()
	kit.Eventually(t, h.name+" reaches "+address, func() bool {
		out, err := kit.Output(h.command(t, "curl", "--silent", "--max-time", "5", "http://"+address+"/"))
		return err == nil && out == greeting
	})
}
