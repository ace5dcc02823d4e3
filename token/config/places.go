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
