package local

// Isolated is false: keys are in the memory of the program that uses them.
func (g *Keys) Isolated() bool { return false }
