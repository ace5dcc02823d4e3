package machine

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// images is where systems are kept between runs. One that is no longer up to date may be deleted at any time.
const images = "/var/cache/ncrypt11-test"

// Testing is Debian's next release. It changes from day to day, and on some days there is no making a system of it: what is tested with it alone is
// skipped then, and says why.
const Testing = "forky"

// packages has the packages of each release, one a line, and a script that is run in the system once they are installed, where there is one.
//
//go:embed packages
var packages embed.FS

// prepare opens the directory of the release's system, and makes it if need be. The directory's name has the sum of what it is made from. While it is
// open nobody removes it.
func prepare(release string) (*os.File, error) {
	list, err := packages.ReadFile("packages/" + release)
	if err != nil {
		return nil, err
	}
	script, err := packages.ReadFile("packages/" + release + ".sh")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	sum := sha256.Sum256(slices.Concat(list, []byte{0}, script))
	dir := filepath.Join(images, fmt.Sprintf("%s-%x", release, sum[:6]))
	if err := os.MkdirAll(images, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(images, release+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil { // two packages' tests may want the same
		return nil, err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "machine: making a Debian %s with %d packages, which takes minutes, and once\n", release, len(names(list)))
		if err := install(dir, release, names(list), script); err != nil {
			return nil, err
		}
	}
	image, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(image.Fd()), unix.LOCK_SH); err != nil {
		return nil, errors.Join(err, image.Close())
	}
	return image, prune(release, dir)
}

// prune removes the release's systems that are no longer up to date, but for those that somebody uses.
func prune(release, current string) error {
	all, err := filepath.Glob(filepath.Join(images, release+"-*"))
	if err != nil {
		return err
	}
	for _, path := range all {
		dir, err := os.Open(path)
		if err != nil || path == current {
			continue
		}
		if unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			err = os.RemoveAll(path)
		}
		if err := errors.Join(err, dir.Close()); err != nil {
			return err
		}
	}
	return nil
}

// names are the words of a list without its comments.
func names(list []byte) []string {
	var names []string
	for line := range strings.Lines(string(list)) {
		line, _, _ = strings.Cut(line, "#")
		names = append(names, strings.Fields(line)...)
	}
	return names
}

// install makes the system beside its place, so that one that is there is whole.
func install(dir, release string, packages []string, script []byte) error {
	unfinished := dir + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	sources, err := sources(release)
	if err != nil {
		return err
	}
	hook := unfinished + ".sh"
	if err := os.WriteFile(hook, slices.Concat([]byte("set -eu\n"), script), 0o600); err != nil {
		return err
	}
	defer os.Remove(hook)
	args := []string{"--quiet", "--variant=minbase", "--mode=root", "--aptopt=Acquire::Retries \"3\"", "--include=" + strings.Join(packages, ","),
		"--customize-hook=chroot \"$1\" sh < " + hook}
	if release == Testing {
		// Its index is valid for a week only, and a mirror or cache that is behind has an older one. It is signed all the same.
		args = append(args, "--aptopt=Acquire::Check-Valid-Until \"false\"")
	}
	cmd := exec.Command("mmdebstrap", append(args, release, unfinished, "-")...)
	cmd.Stdin = strings.NewReader(sources)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mmdebstrap: %w\n%s", err, tail(out))
	}
	return os.Rename(unfinished, dir)
}

// sources are the release's lines of sources.list, from the servers that this machine has its packages from.
func sources(release string) (string, error) {
	out, err := exec.Command("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)").Output()
	if err != nil {
		return "", fmt.Errorf("apt-get indextargets: %w", err)
	}
	own, err := codename()
	if err != nil {
		return "", err
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		uri, suite, _ := strings.Cut(strings.TrimSpace(line), " ")
		if suite != own && suite != own+"-security" {
			continue
		}
		line = fmt.Sprintf("deb %s %s%s main\n", uri, release, strings.TrimPrefix(suite, own))
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return "", fmt.Errorf("no server of Debian's packages is known: apt-get indextargets has none for %s", own)
	}
	return strings.Join(lines, ""), nil
}

// codename is this Debian's.
func codename() (string, error) {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return name, nil
		}
	}
	return "", errors.New("/etc/os-release has no VERSION_CODENAME")
}

// tail is the end of what a program printed.
func tail(out []byte) []byte {
	const enough = 4000
	out = bytes.TrimSpace(out)
	return out[max(0, len(out)-enough):]
}

func hasField(text, field string) bool { return slices.Contains(strings.Fields(text), field) }
