#!/bin/sh
# The second half: a key that is bound to one machine and that no program has in its
# memory. The machine's TPM is a software one (swtpm), and so is that of the second
# machine, which gets a copy of the disk. Everything happens in a directory that is
# gone at the end.
set -eu
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
tpms=
# A guard ends on its own when nobody has used it for some minutes. Who cleans up ends it now.
end_guard() { # HOME
	pid=$(NCRYPT11_HOME=$1 "$ncrypt11" status --json | sed -n 's/^ *"pid": \([0-9]*\),$/\1/p')
	[ -z "$pid" ] || kill "$pid"
}
clean_up() {
	for home in "$work/disk" "$work/copy"; do
		[ ! -e "$home/guard.sock" ] || end_guard "$home" || true
	done
	[ -z "$tpms" ] || kill $tpms
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM
. test/demo/lib.sh
unset NCRYPT11_GUARD

# machine NAME gives a machine a TPM of its own.
machine() {
	mkdir "$work/$1"
	swtpm socket --tpm2 --tpmstate dir="$work/$1" --flags not-need-init,startup-clear \
		--server type=unixio,path="$work/$1.tpm" --ctrl type=unixio,path="$work/$1.ctrl" 2>"$work/$1.log" &
	tpms="$tpms $!"
}
# on NAME DISK: what follows happens on that machine, with that disk.
on() {
	export NCRYPT11_TPM="swtpm:unix:$work/$1.tpm" NCRYPT11_HOME="$work/$2"
	echo "  (on the $1 machine, whose disk is '$2')"
}
sign() {
	show openssl dgst -sha256 -engine pkcs11 -keyform engine -sign "pkcs11:token=web;object=site;type=private;pin-value=$pin" -out "$work/signature" "$work/message"
	verified "$work/signature" OpenSSL
	rm "$work/signature"
}

step "1. Two machines, each with a TPM. On the first: a token whose keys have to be isolated, and a key from a file"
machine first
machine second
on first disk
key_file
show "$ncrypt11" init --label web --policy vbs-required --pin $pin --so-pin $so_pin
show "$ncrypt11" import "$work/server.key" --label site --token web --pin $pin
rm "$work/server.key"

step "2. OpenSSL signs. It asks the guard, a process of its own; the key was never in OpenSSL's memory"
sign

step "3. What protects the key"
echo "  \$ build/ncrypt11 status     (these lines, among others)"
"$ncrypt11" status | grep -E 'VBS:|Process:|Level:|Isolates:|Maker:|Policy:|Protection:' | sed 's/^ */    /'
cat <<'END'
  This guard was started when it was first needed, as the same user: level 'process'. The one that 'make install'
  installs is started by the init system and runs as another user: level 'service'. Nobody debugs that.
END

step "4. Where keys cannot be isolated, such a token does not work at all. It does not get weaker"
refused "VBS is unavailable" env NCRYPT11_GUARD=none "$ncrypt11" list --token web --pin $pin

step "5. Somebody copies the disk, knows the PIN, and has a machine with a TPM"
end_guard "$work/disk" # what is in its memory is on no disk
cp -R "$work/disk" "$work/copy"
rm -f "$work"/copy/guard.sock*
on second copy
refused "sealed by another TPM" "$ncrypt11" list --token web --pin $pin
cat <<'END'
  The master key of the token is sealed: encrypted by a key that does not leave the first machine's TPM. This
  TPM has another one. The PIN was not even tried, so the copy gives no way to guess it either. Other programs get
  the same answer:
END
refused CKR_DEVICE_ERROR pkcs11-tool --module "$module" --token-label web --login --pin $pin --sign --label site -m SHA256-RSA-PKCS -i "$work/message" -o "$work/stolen.sig"
[ ! -e "$work/stolen.sig" ] || [ ! -s "$work/stolen.sig" ]

step "6. On the machine that it belongs to, it works as before: a new guard, the same TPM"
on first disk
sign

step "Done. What to try next"
cat <<'END'
  make install                               the library, the command, p11-kit's module file, the guard's units
  build/ncrypt11 doctor                      what this machine has, and what it lacks
  README.md                                  how an nginx gets its key from a token
  export NCRYPT11_HOME=$HOME/ncrypt11-trial  a place for trials; without it, your own tokens
  build/ncrypt11 init --label trial          a token of your own, isolated where this machine can; it asks for PINs
  build/ncrypt11 generate p256 --label key   a key that was never in a file
  build/ncrypt11 status                      what protects each token
  ssh-keygen -D build/libncrypt11.so         the token's keys for OpenSSH
END
