package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/ncrypt11/ncrypt11/token/config"
)

// service is the guard that systemd starts.
type service struct {
	Systemd bool   // it runs this machine
	Unit    string // the socket unit; empty: not installed
	Enabled bool
}

// guardUnit is the unit that makes the machine's guard answer.
const guardUnit = "ncrypt11-guard.socket"

// unitDirs are where systemd looks for units (systemd.unit(5)), the first one first.
var unitDirs = []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

func (t tree) service() service {
	s := service{Systemd: t.exists("/run/systemd/system")}
	for _, dir := range unitDirs {
		if unit := filepath.Join(dir, guardUnit); s.Unit == "" && t.exists(unit) {
			s.Unit = unit
		}
		if _, err := os.Lstat(t.path(filepath.Join(dir, "sockets.target.wants", guardUnit))); err == nil {
			s.Enabled = true
		}
	}
	return s
}

// libraryName is the module's file name.
const libraryName = "libncrypt11.so"

// registration is how p11-kit knows of the module (pkcs11.conf(5)).
type registration struct {
	File   string // the module file; empty: there is none
	Module string // what it says that the module is
	Broken bool   // there is no such module
}

// registrationDirs are where p11-kit looks for module files, but for the user's own.
var registrationDirs = []string{"/etc/pkcs11/modules", "/usr/share/p11-kit/modules"}

func (t tree) registration(getenv config.Getenv) registration {
	dirs := registrationDirs
	if home := getenv("HOME"); filepath.IsAbs(home) {
		dirs = append([]string{filepath.Join(home, ".config/pkcs11/modules")}, dirs...)
	}
	for _, dir := range dirs {
		files, _ := filepath.Glob(t.path(filepath.Join(dir, "*.module"))) // the pattern is sound but for odd names of homes
		for _, file := range files {
			name := filepath.Join(dir, filepath.Base(file))
			if module := t.registeredModule(name); filepath.Base(module) == libraryName {
				return registration{File: name, Module: module, Broken: filepath.IsAbs(module) && !t.exists(module)}
			}
		}
	}
	return registration{}
}

// registeredModule is the value of "module:" in a module file.
func (t tree) registeredModule(file string) string {
	text, _ := t.read(file)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "module:"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// closedAbove gives the first directory on the way to path, itself included, that not everybody may pass; "" where there is none.
func (t tree) closedAbove(path string) string {
	for dir := path; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if info, err := os.Stat(t.path(dir)); err == nil && info.Mode().Perm()&0o001 == 0 {
			return dir
		}
	}
	return ""
}
