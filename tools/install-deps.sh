#!/bin/sh
# Installs what the tests and the demo drive, on Debian, where it is missing and
# we are root. Elsewhere it says what is missing and fails.
set -eu

missing=
need() { # need PACKAGE FILE-OR-PROGRAM
	case $2 in
	*/*) ls $2 >/dev/null 2>&1 ;;
	*) command -v "$2" >/dev/null 2>&1 ;;
	esac || missing="$missing $1"
}

need gcc gcc
need g++ g++
need libc6-dev /usr/include/stdlib.h
need python3 python3
need openssl openssl
need softhsm2 softhsm2-util
need opensc pkcs11-tool
need gnutls-bin p11tool
need p11-kit p11-kit
need libengine-pkcs11-openssl '/usr/lib/*/engines-3/pkcs11.so'
need openssh-client ssh-keygen
need libssl-dev /usr/include/openssl/evp.h
need libnss3 '/usr/lib/*/libsoftokn3.so'
need libnss3-tools modutil
need libnss3-tools certutil
need swtpm swtpm
need swtpm-tools swtpm_setup
need tpm2-tools tpm2_getcap
need gdb gcore
need mmdebstrap mmdebstrap
need npm npm

[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "missing:$missing (install these packages, then try again)" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends $missing >/dev/null
