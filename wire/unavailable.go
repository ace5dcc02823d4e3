package wire

import (
	"os"

	"github.com/ncrypt11/ncrypt11/token/events"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// logUnavailable writes down that a token's keys could not be isolated. There is no guard that would.
func (c *chooser) logUnavailable(h *store.Header, err error) {
	dirs := c.cfg.LogDirs()
	if len(dirs) == 0 {
		return
	}
	log := events.Open(dirs[0], true)
	defer log.Flush()
	event := events.Event{
		Kind: events.Unavailable, Token: h.Serial, PID: os.Getpid(), NTE: "NTE_VBS_UNAVAILABLE",
		User: seal.Principal{Kind: seal.User, ID: uint32(os.Geteuid())}.String(),
	}
	log.Write(event.Because(err))
}
