#!/bin/sh
# Builds once more, from a copy of the source in another directory and with an
# empty cache, and compares.
set -eu
built=$(cd "$1" && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT INT TERM
tar -c --exclude=./build --exclude=./.git . | tar -x -C "$copy"
GOCACHE="$copy/.cache" "${MAKE:-make}" -s -C "$copy" build
for file in libncrypt11.so ncrypt11; do
	cmp "$built/$file" "$copy/build/$file" || { echo "$file: two builds differ" >&2; exit 1; }
done
echo "two builds are the same, byte for byte"
