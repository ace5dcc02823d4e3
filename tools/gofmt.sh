#!/bin/sh
# Names the Go files that gofmt would change, and fails if there are any.
set -eu
files=$(gofmt -l $(find . -name '*.go' -not -path './build/*'))
[ -z "$files" ] || { printf 'gofmt would change:\n%s\n' "$files" >&2; exit 1; }
