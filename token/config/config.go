// Package config says where things are and what the administrator chose. It is read once, at C_Initialize or when a command starts.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/pelletier/go-toml/v2"
)

// Scope says whose tokens a directory holds.
type Scope string

// The scopes, named as on the command line.
const (
	User    Scope = "user"
	Machine Scope = "machine"
)

// Dir is a directory of tokens.
type Dir struct {
	Path  string
	Scope Scope
}

// Config is the whole configuration. The zero value of each setting is the default.
type Config struct {
	TokenDirs []Dir    // looked through in this order; the first one of a scope is where new tokens of that scope go
	Files     []string // configuration files that were read
	Guard     Guard
	logDirs   []string

	Settings
}

// Settings is what config.toml may say.
type Settings struct {
	// MaxPINFailures is how many wrong PINs in a row lock a PIN. 0 means 10.
	MaxPINFailures int `toml:"max_pin_failures"`
	// StrictSOLogin refuses a security officer's login while read-only sessions are open, and the reverse (PKCS #11 v2.40). Off,
	// read-only sessions stay open and public, as v3.2 allows and NSS needs.
	StrictSOLogin bool `toml:"strict_so_login"`

	guardSettings
}

// Getenv reads one environment variable; "" where it is unset.
type Getenv func(string) string

// Load reads the environment and the configuration files. Its errors name the file and the line.
func Load(getenv Getenv) (*Config, error) {
	c := &Config{logDirs: logDirs(getenv)}
	var files []string
	if home := getenv("NCRYPT11_HOME"); home != "" {
		if !filepath.IsAbs(home) {
			return nil, fmt.Errorf("NCRYPT11_HOME must be an absolute path, not %q", home)
		}
		c.TokenDirs = []Dir{{filepath.Join(home, "tokens"), User}, {filepath.Join(home, "machine"), Machine}}
		files = []string{filepath.Join(home, "config.toml")}
	} else {
		if data := xdg(getenv, "XDG_DATA_HOME", ".local/share"); data != "" {
			c.TokenDirs = append(c.TokenDirs, Dir{filepath.Join(data, "ncrypt11", "tokens"), User})
		}
		c.TokenDirs = append(c.TokenDirs, Dir{"/var/lib/ncrypt11/tokens", Machine})
		files = []string{"/etc/ncrypt11/config.toml"}
		if conf := xdg(getenv, "XDG_CONFIG_HOME", ".config"); conf != "" {
			files = append(files, filepath.Join(conf, "ncrypt11", "config.toml"))
		}
	}
	var err error
	if c.Guard, err = loadGuard(getenv); err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := c.read(file); err != nil {
			return nil, err
		}
	}
	return c, c.check()
}

// xdg gives a base directory of the XDG specification, or "" where the user has none.
func xdg(getenv Getenv, name, fallback string) string {
	if dir := getenv(name); filepath.IsAbs(dir) {
		return dir
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, fallback)
	}
	return ""
}

// read adds a file's settings; later files win, but a user's file takes no isolation back that the machine's asks for. A file that does not exist, or that this user may not read, says nothing. Accounts of daemons
// have homes in which nothing can exist, like /dev/null.
func (c *Config) read(file string) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	before := c.MinIsolation
	if err := toml.NewDecoder(f).DisallowUnknownFields().Decode(&c.Settings); err != nil {
		return fmt.Errorf("%s: %w", file, describe(err))
	}
	c.MinIsolation = stronger(before, c.MinIsolation)
	c.Files = append(c.Files, file)
	return nil
}

// describe puts the line into a TOML error.
func describe(err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		row, _ := strict.Errors[0].Position()
		return fmt.Errorf("line %d: unknown setting %q", row, strings.Join(strict.Errors[0].Key(), "."))
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		row, column := decode.Position()
		return fmt.Errorf("line %d, column %d: %w", row, column, err)
	}
	return err
}

func (c *Config) check() error {
	if c.MaxPINFailures == 0 {
		c.MaxPINFailures = 10
	}
	if c.MaxPINFailures < 3 || c.MaxPINFailures > 100 {
		return fmt.Errorf("max_pin_failures is %d, but must be between 3 and 100", c.MaxPINFailures)
	}
	return c.guardSettings.check()
}

// DirOf gives the directory for new tokens of a scope.
func (c *Config) DirOf(scope Scope) (string, error) {
	for _, dir := range c.TokenDirs {
		if dir.Scope == scope {
			return dir.Path, nil
		}
	}
	return "", fmt.Errorf("there is no directory for %s tokens: set HOME, XDG_DATA_HOME or NCRYPT11_HOME", scope)
}
