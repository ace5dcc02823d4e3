#!/bin/sh
# Builds p11bench, makes tokens in a directory of its own, measures, and removes all of it.
# usage: run.sh [--noise | --no-guard] [p11bench options]; see README.md
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

candidate_token() { # label, login, policy
    label=$1 policy=${3:-software}
    if [ "$2" = none ]; then
        set -- --login none
    else
        set -- --login pin --pin "$pin" --so-pin "$so_pin"
    fi
    "$tool" init --label "$label" --policy "$policy" "$@" >/dev/null || die "$tool made no token $label"
}

# A software TPM of this run's own. It logs each command, so that they can be counted.
start_tpm() {
    command -v swtpm >/dev/null || die "swtpm is not installed; --no-guard does without the rows that need it"
    mkdir "$work/tpm"
    export NCRYPT11_TPM="swtpm:unix:$work/tpm.sock" BENCH_TPM_LOG="$work/tpm.log"
    swtpm socket --tpm2 --tpmstate dir="$work/tpm" --flags not-need-init,startup-clear \
        --server type=unixio,path="$work/tpm.sock" --ctrl type=unixio,path="$work/tpm.ctrl" \
        --log level=5,file="$BENCH_TPM_LOG" &
    tpm=$!
}

# The guard that the module has started stays for a while on its own, and the TPM for good.
clean_up() {
    if [ -n "$tpm" ]; then
        "$work/p11bench" --end-guard || true
        kill "$tpm"
    fi
    rm -rf "$work"
}

noise= guard=--guard tpm=
case ${1:-} in
--noise)
    noise=1 guard=
    shift
    ;;
--no-guard)
    guard=
    shift
    ;;
esac
reference=$(find_softhsm)

# Not /tmp: where that is kept in memory a durable create costs nothing.
work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/p11bench.XXXXXX")
trap clean_up EXIT
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
export NCRYPT11_HOME="$work/ncrypt11" NCRYPT11_TPM=none
unset NCRYPT11_GUARD

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
    if [ -n "$guard" ]; then
        start_tpm
        candidate_token local-keys pin
        candidate_token guarded-keys pin vbs-required
    fi
fi

"$work/p11bench" --pin "$pin" $guard "$@" "$candidate" "$reference"
