// Command licences reads the licence of every module that is linked into the library or the command, and fails where one is not on
// the list. Modules that only tests use are read too.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// allowed are licences by words that only they contain, in whatever case. The first that matches counts.
var allowed = []struct{ name, words string }{
	{"Apache-2.0", "Apache License Version 2.0"},
	{"MPL-2.0", "Mozilla Public License Version 2.0"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software"},
	{"ISC", "Permission to use, copy, modify, and distribute this software for any purpose"},
	{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"BSD-3-Clause", "Redistribution and use in source and binary forms, with or without modification, are permitted provided that the following conditions are met"},
	{"BSD-3-Clause", "SPDX-License-Identifier: BSD-3-Clause OR"},
	{"Unlicense", "This is free and unencumbered software released into the public domain"},
	{"CC0-1.0", "CC0 1.0 Universal"},
}

type module struct {
	Path, Version, Dir string
	Main               bool
}

func main() {
	modules, err := linked()
	if err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
	bad := 0
	for _, m := range modules {
		if name, err := licence(m.Dir); err != nil {
			fmt.Fprintf(os.Stderr, "licences: %s %s: %v\n", m.Path, m.Version, err)
			bad++
		} else if len(os.Args) > 1 && os.Args[1] == "-v" {
			fmt.Printf("%-14s %s %s\n", name, m.Path, m.Version)
		}
	}
	if bad > 0 {
		os.Exit(1)
	}
	fmt.Printf("the licences of %d modules are allowed\n", len(modules))
}

// linked lists the modules of all packages, and of their tests.
func linked() ([]module, error) {
	cmd := exec.Command("go", "list", "-deps", "-test", "-f", "{{with .Module}}{{.Path}}{{end}}", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	args, seen := []string{"list", "-m", "-json"}, map[string]bool{}
	for _, path := range strings.Fields(string(out)) {
		if !seen[path] {
			seen[path] = true
			args = append(args, path)
		}
	}
	cmd = exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	if out, err = cmd.Output(); err != nil {
		return nil, fmt.Errorf("go list -m: %w", err)
	}
	var modules []module
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var m module
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return modules, nil
		} else if err != nil {
			return nil, err
		}
		if !m.Main {
			modules = append(modules, m)
		}
	}
}

var spaces = regexp.MustCompile(`\s+`)

func licence(dir string) (string, error) {
	for _, pattern := range []string{"LICENSE*", "LICENCE*", "COPYING*", "UNLICENSE*", "License*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return "", err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			plain := strings.ToLower(spaces.ReplaceAllString(string(text), " "))
			for _, l := range allowed {
				if strings.Contains(plain, strings.ToLower(l.words)) {
					return l.name, nil
				}
			}
			return "", fmt.Errorf("%s is not a licence on the list", filepath.Base(file))
		}
	}
	return "", errors.New("no licence file")
}
