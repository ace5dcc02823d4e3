package config

import "path/filepath"

// LogDirs gives the directories of the event logs: the user's, where the user has a home, and the machine's. Under NCRYPT11_HOME there is one.
func (c *Config) LogDirs() []string { return c.logDirs }

func logDirs(getenv Getenv) []string {
	if home := getenv("NCRYPT11_HOME"); home != "" {
		return []string{filepath.Join(home, "log")}
	}
	const machine = "/var/log/ncrypt11"
	if state := xdg(getenv, "XDG_STATE_HOME", ".local/state"); state != "" {
		return []string{filepath.Join(state, "ncrypt11"), machine}
	}
	return []string{machine}
}

// FailureFile is where the last failed call of this user's programs is kept: beside the guard's socket, or in the log's directory under NCRYPT11_HOME; empty
// where there is no place for it. A configuration that cannot be read is among the failures, so it is not asked.
func FailureFile(getenv Getenv) string {
	const name = "last-error"
	if home := getenv("NCRYPT11_HOME"); home != "" {
		if !filepath.IsAbs(home) {
			return ""
		}
		return filepath.Join(home, "log", name)
	}
	if runtime := runtimeDir(getenv); runtime != "" {
		return filepath.Join(runtime, "ncrypt11", name)
	}
	return ""
}
