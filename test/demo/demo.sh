#!/bin/sh
# The main job of ncrypt11, on a machine where it has just been built: a key that
# lay in a file moves into a token, and programs that know nothing of ncrypt11
# sign with it. Everything happens in a directory that is gone at the end.
set -eu
cd "$(dirname "$0")/../.."

module=$PWD/build/libncrypt11.so
ncrypt11=$PWD/build/ncrypt11
pin=1234
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
export NCRYPT11_HOME="$work/home"
export PKCS11_MODULE_PATH="$module" # for OpenSSL's engine

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
# show prints a command as it could be typed, then runs it.
show() {
	printf '  $ '
	for word; do
		case $word in
		*[!A-Za-z0-9_./:=,@%+-]*) printf "'%s' " "$word" ;;
		*) printf '%s ' "$word" ;;
		esac
	done | sed "s#$work/##g; s#$PWD/##g"
	printf '\n'
	if "$@" >"$work/output" 2>&1; then
		sed 's/^/    /' "$work/output"
	else
		sed 's/^/    /' "$work/output" >&2
		exit 1
	fi
}
verified() {
	if openssl dgst -sha256 -verify "$work/public.pem" -signature "$1" "$work/message" >/dev/null 2>&1; then
		echo "    openssl dgst -verify, with the public key alone: Verified OK"
	else
		echo "    the signature of $2 is NOT good" >&2
		exit 1
	fi
}

step "1. A key in a file, as it lies on many servers"
show openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/server.key"
openssl pkey -in "$work/server.key" -pubout -out "$work/public.pem"
openssl req -new -x509 -key "$work/server.key" -subj "/CN=demo.example" -out "$work/server.crt"
echo "pay 100 to the bearer" >"$work/message"

step "2. A token"
show "$ncrypt11" init --label demo --policy software --login pin --pin $pin --so-pin 12345678

step "3. The key moves into it, its certificate too, and the file goes"
show "$ncrypt11" import "$work/server.key" "$work/server.crt" --label site --token demo --pin $pin
rm "$work/server.key"
show "$ncrypt11" list --token demo --pin $pin

step "4. It cannot be taken out again, even with the PIN"
go build -o "$work/take" ./test/demo/take
go build -o "$work/sign" ./test/demo/sign
export PIN=$pin
show "$work/take" "$module" demo site

step "5. OpenSSL signs with it"
show openssl dgst -sha256 -engine pkcs11 -keyform engine -sign "pkcs11:token=demo;object=site;type=private;pin-value=$pin" -out "$work/openssl.sig" "$work/message"
verified "$work/openssl.sig" OpenSSL

step "6. GnuTLS signs with it: a test, and a request for a certificate"
show p11tool --provider "$module" --login --set-pin $pin --test-sign "pkcs11:token=demo;object=site;type=private"
echo "cn = demo.example" >"$work/template"
export GNUTLS_PIN=$pin
show certtool --provider "$module" --generate-request --template "$work/template" --load-privkey "pkcs11:token=demo;object=site;type=private" --outfile "$work/gnutls.csr"
openssl req -in "$work/gnutls.csr" -noout -pubkey -out "$work/gnutls.pem"
if openssl req -in "$work/gnutls.csr" -noout -verify >/dev/null 2>&1 && cmp -s "$work/gnutls.pem" "$work/public.pem"; then
	echo "    openssl req -verify, and the public key in it is the file's: OK"
else
	echo "    the request that GnuTLS has signed is NOT good" >&2
	exit 1
fi

step "7. OpenSC's pkcs11-tool signs with it"
show pkcs11-tool --module "$module" --token-label demo --login --pin $pin --sign --label site -m SHA256-RSA-PKCS -i "$work/message" -o "$work/opensc.sig"
verified "$work/opensc.sig" pkcs11-tool

step "8. A Go program signs with it, through crypto11"
show "$work/sign" "$module" demo site "$work/message" "$work/go.sig"
verified "$work/go.sig" "the Go program"

step "Done. What to try next"
cat <<'END'
  make install                               the library, the command, and p11-kit's module file
  README.md                                  how an nginx gets its key from a token
  export NCRYPT11_HOME=$HOME/ncrypt11-trial  a place for trials; without it, your own tokens
  build/ncrypt11 init --label trial          a token of your own; it asks for PINs
  build/ncrypt11 generate p256 --label key   a key that was never in a file
  build/ncrypt11 status                      what protects each token
  ssh-keygen -D build/libncrypt11.so         the token's keys for OpenSSH
END
