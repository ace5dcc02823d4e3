package tpmseal

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
)

// pair is a device and the driver behind it: what is written at one end is read as a whole at the other.
func pair(t *testing.T) (device, *os.File) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	driver := os.NewFile(uintptr(fds[1]), "driver")
	t.Cleanup(func() { driver.Close() })
	return device{os.NewFile(uintptr(fds[0]), "device")}, driver
}

const (
	someCommand = "\x80\x01\x00\x00\x00\x0c\x00\x00\x01\x44\x00\x00"
	someAnswer  = "\x80\x01\x00\x00\x00\x0a\x00\x00\x00\x00"
)

func TestDevice(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		sound  bool
	}{
		"sound":     {someAnswer, true},
		"with data": {"\x80\x02\x00\x00\x00\x0c\x00\x00\x00\x00ab", true},
		"cut":       {someAnswer[:9], false},
		"longer":    {someAnswer + "x", false},
		"tag":       {"\x00\x00" + someAnswer[2:], false},
	} {
		d, driver := pair(t)
		go func() {
			buf := make([]byte, maxAnswer)
			if n, err := driver.Read(buf); err == nil && string(buf[:n]) == someCommand {
				_, _ = driver.WriteString(test.answer)
			}
		}()
		got, err := d.exchange([]byte(someCommand), time.Minute)
		if (err == nil) != test.sound || test.sound && string(got) != test.answer {
			t.Errorf("%s: %x, %v", name, got, err)
		}
		_ = d.Close()
	}
}

// A driver that hangs is left behind, and no other device is opened until it is through.
func TestDeviceHangs(t *testing.T) {
	d, driver := pair(t)
	start := time.Now()
	if _, err := d.exchange([]byte(someCommand), 50*time.Millisecond); !errors.Is(err, errSlow) {
		t.Fatalf("it hangs: %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	_ = d.Close()
	if _, err := openDevice(os.DevNull); !errors.Is(err, errHanging) {
		t.Errorf("another one is opened meanwhile: %v", err)
	}
	if _, err := driver.WriteString(someAnswer); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); hanging.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it hangs still")
		}
	}
	if c, err := openDevice(os.DevNull); err != nil {
		t.Errorf("no device is opened afterwards: %v", err)
	} else {
		_ = c.Close()
	}
}
