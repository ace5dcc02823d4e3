package browsers_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// screen is what alice sees and types at.
type screen struct{ name string }

func newScreen(t *testing.T) *screen {
	t.Helper()
	s := &screen{name: ":9"}
	kit.Start(t, kit.Command(t, kit.User, "Xvfb", s.name, "-screen", "0", "1280x900x24", "-nolisten", "tcp"))
	kit.Eventually(t, "there is a screen", func() bool {
		_, err := s.try(t, "xdotool", "getmouselocation")
		return err == nil
	})
	s.start(t, "openbox")
	kit.Eventually(t, "windows are managed", func() bool {
		_, err := s.try(t, "xdotool", "get_num_desktops")
		return err == nil
	})
	return s
}

// start runs a program on the screen until the test ends.
func (s *screen) start(t *testing.T, name string, args ...string) *kit.Daemon {
	t.Helper()
	cmd := kit.Command(t, kit.User, name, args...)
	cmd.Env = append(cmd.Env, "DISPLAY="+s.name)
	return kit.Start(t, cmd)
}

func (s *screen) try(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	cmd := kit.Command(t, kit.User, name, args...)
	cmd.Env = append(cmd.Env, "DISPLAY="+s.name)
	return kit.Output(cmd)
}

func (s *screen) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := s.try(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// window finds a window by its title. It gives "" where there is none.
func (s *screen) window(t *testing.T, title string) string {
	t.Helper()
	out, err := s.try(t, "xdotool", "search", "--onlyvisible", "--name", title)
	if err != nil { // it found none
		return ""
	}
	id, _, _ := strings.Cut(out, "\n")
	return id
}

// answer types into the window in front, in place of what may be there, and ends with the return key.
func (s *screen) answer(t *testing.T, text string) {
	t.Helper()
	s.run(t, "xdotool", "key", "ctrl+a", "type", text)
	s.run(t, "xdotool", "key", "Return")
}

// isDimmed says whether the page is dark behind a dialog that the browser has drawn over it. A page is light, and where there is none yet the screen is black.
func (s *screen) isDimmed(t *testing.T) bool {
	t.Helper()
	out := s.run(t, "import", "-silent", "-window", "root", "-crop", "1x1+40+800", "-format", "%[fx:luminance]", "info:-")
	light, err := strconv.ParseFloat(strings.TrimSpace(out), 64)
	if err != nil {
		t.Fatalf("the screen: %v", err)
	}
	return light > 0.2 && light < 0.7
}

// isStill says whether what is below the browser's bars is as it was half a second ago: nothing is being drawn there.
func (s *screen) isStill(t *testing.T) bool {
	t.Helper()
	look := func() string {
		return s.run(t, "import", "-silent", "-window", "root", "-crop", "1280x700+0+150", "-format", "%#", "info:-")
	}
	before := look()
	time.Sleep(500 * time.Millisecond)
	return look() == before
}

// keep has a picture of the screen among the artefacts.
func (s *screen) keep(t *testing.T, name string) {
	t.Helper()
	file := filepath.Join(kit.Dir(t, kit.User), name)
	s.run(t, "import", "-silent", "-window", "root", file)
	picture, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(filepath.Join(kit.Artefacts(t), name), picture, 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}
