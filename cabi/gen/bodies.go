package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

var exportForm = regexp.MustCompile(`(?m)^//export go(C_\w+)\s*$`)

// findBodies finds the functions that Go implements, by the //export lines in dir.
func findBodies(dir string, h *header) (map[string]bool, error) {
	known := map[string]bool{}
	for _, f := range h.functions {
		known[f.name] = true
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	bodies := map[string]bool{}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for _, m := range exportForm.FindAllSubmatch(text, -1) {
			name := string(m[1])
			if !known[name] {
				return nil, fmt.Errorf("%s exports go%s, and there is no %s", path, name, name)
			}
			bodies[name] = true
		}
	}
	return bodies, nil
}
