package server

import (
	"sync"
	"time"
)

// availableFor is how long an answer about availability is believed: programs that start together do not ask the TPM one by one.
const availableFor = time.Second

// available says whether keys are isolated here.
type available struct {
	probe func() string

	mu    sync.Mutex
	asked time.Time
	last  string
}

// reason is why they are not, or "". Who asks while another is asking waits for that answer.
func (a *available) reason() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked.IsZero() || time.Since(a.asked) > availableFor {
		a.last = a.probe()
		a.asked = time.Now()
	}
	return a.last
}
