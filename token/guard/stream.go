package guard

// StreamShape says how a multi-part operation gives its output out: of what it has taken and not given yet, whole units, but for what it keeps back.
// With it, who does not run the operation knows what an Update will give.
type StreamShape struct {
	Unit int // bytes; 0: an Update gives nothing
	Keep int // bytes that are never given before the end, since they may be padding
	Held int // bytes that were taken and not given out
}

// UpdateLen is what an Update with n more bytes gives.
func (s StreamShape) UpdateLen(n int) int {
	if s.Unit == 0 {
		return 0
	}
	return max(0, s.Held+n-s.Keep) / s.Unit * s.Unit
}
