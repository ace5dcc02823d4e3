#!/bin/sh
# Builds p11bench, makes tokens in a directory of its own, measures, and removes all of it.
# usage: run.sh [--noise] [p11bench options]; see README.md
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
candidate=${BENCH_MODULE:-$build/libncrypt11.so}
tool=${BENCH_TOOL:-$build/ncrypt11}
pin=1234
so_pin=12345678

die() {
    echo "run.sh: $*" >&2
    exit 2
}

find_softhsm() {
    for library in "${SOFTHSM2_MODULE:-}" /usr/lib/softhsm/libsofthsm2.so /usr/lib64/pkcs11/libsofthsm2.so \
        /usr/lib/*/softhsm/libsofthsm2.so; do
        if [ -n "$library" ] && [ -e "$library" ]; then
            echo "$library"
            return
        fi
    done
    die "SoftHSM2 is not installed; SOFTHSM2_MODULE may name its library"
}

softhsm_token() {
    softhsm2-util --init-token --free --label "$1" --pin "$pin" --so-pin "$so_pin" >/dev/null ||
        die "softhsm2-util made no token $1"
}

candidate_token() { # label, login
    if [ "$2" = none ]; then
        set -- "$1" --login none
    else
        set -- "$1" --login pin --pin "$pin" --so-pin "$so_pin"
    fi
    label=$1
    shift
    "$tool" init --label "$label" --policy software "$@" >/dev/null || die "$tool made no token $label"
}

noise=
if [ "${1:-}" = --noise ]; then
    noise=1
    shift
fi
reference=$(find_softhsm)

# Not /tmp: where that is kept in memory a durable create costs nothing.
work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/p11bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$work/p11bench" "$here"/*.c -ldl -lpthread -lm

mkdir "$work/softhsm" "$work/ncrypt11"
export SOFTHSM2_CONF="$work/softhsm2.conf"
cat >"$SOFTHSM2_CONF" <<CONF
directories.tokendir = $work/softhsm
objectstore.backend = file
log.level = ERROR
slots.removable = false
CONF
export NCRYPT11_HOME="$work/ncrypt11" NCRYPT11_TPM=none NCRYPT11_GUARD=none

for token in crypto create find start; do
    softhsm_token "b-$token"
done
if [ -n "$noise" ]; then
    # The reference on both sides: what is not 1 in the ratios is the machine's noise.
    candidate=$reference
    for token in crypto create find large start; do
        softhsm_token "a-$token"
    done
else
    [ -e "$candidate" ] && [ -x "$tool" ] || die "$candidate or $tool is missing: run make build first"
    for token in crypto create find large; do
        candidate_token "a-$token" pin
    done
    candidate_token a-start none
fi

"$work/p11bench" --pin "$pin" "$@" "$candidate" "$reference"
