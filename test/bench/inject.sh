#!/bin/sh
# Seals many keys to a token with a guard and a software TPM, and imports them: keys per second on both sides.
# usage: inject.sh [--quick]; see README.md
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
tool=${BENCH_TOOL:-$build/ncrypt11}
p256=9900 rsa=100
[ "${1:-}" != --quick ] || p256=990 rsa=10

die() {
    echo "inject.sh: $*" >&2
    exit 2
}
[ -x "$tool" ] || die "$tool is missing: run make build first"
command -v swtpm >/dev/null || die "swtpm is not installed"

# Not /tmp: where that is kept in memory what is durable costs nothing.
work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/p11inject.XXXXXX")
tpm=
clean_up() {
    guard=$("$tool" status --json 2>/dev/null | sed -n 's/^ *"pid": \([0-9]*\),$/\1/p')
    [ -z "$guard" ] || kill "$guard" || true
    [ -z "$tpm" ] || kill "$tpm"
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

mkdir "$work/keys" "$work/tpm" "$work/home"
export NCRYPT11_HOME="$work/home" NCRYPT11_TPM="swtpm:unix:$work/tpm.sock"
unset NCRYPT11_GUARD
swtpm socket --tpm2 --tpmstate dir="$work/tpm" --flags not-need-init,startup-clear \
    --server type=unixio,path="$work/tpm.sock" --ctrl type=unixio,path="$work/tpm.ctrl" 2>"$work/tpm.log" &
tpm=$!
go run "$here/keys" "$work/keys" "$p256" "$rsa"
"$tool" init --label bench --policy vbs-required --login none >/dev/null

now() { date +%s%N; }
row() { # name, keys, nanoseconds
    awk -v name="$1" -v keys="$2" -v ns="$3" 'BEGIN { printf "%-16s %8.2f s %10.0f keys/s\n", name, ns / 1e9, keys * 1e9 / ns }'
}

echo "$p256 P-256 and $rsa RSA-2048 keys, one package, load $(cut -d' ' -f1 /proc/loadavg)"
began=$(now)
fingerprint=$("$tool" inject target --output "$work/target.json" | sed -n 's/^Fingerprint: *//p')
row inject-target 2 $(($(now) - began))
began=$(now)
"$tool" inject seal --min-isolation process --to "$work/target.json" --fingerprint "$fingerprint" --output "$work/package" "$work/keys" >/dev/null
row inject-seal $((p256 + rsa)) $(($(now) - began))
began=$(now)
"$tool" inject import "$work/package" >"$work/imported"
row inject-import $((p256 + rsa)) $(($(now) - began))
[ "$(grep -c 'private key' "$work/imported")" -eq $((p256 + rsa)) ] || die "not all keys were imported"
echo "package: $(($(stat -c %s "$work/package") / 1024)) KiB"
