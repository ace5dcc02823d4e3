#!/bin/sh
# The main job of ncrypt11, on a machine where it has just been built: a key that
# lay in a file moves into a token, and programs that know nothing of ncrypt11
# sign with it. Everything happens in a directory that is gone at the end.
set -eu
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
. test/demo/lib.sh
export NCRYPT11_HOME="$work/home"

step "1. A key in a file, as it lies on many servers"
key_file
openssl req -new -x509 -key "$work/server.key" -subj "/CN=demo.example" -out "$work/server.crt"

step "2. A token"
show "$ncrypt11" init --label demo --policy software --login pin --pin $pin --so-pin $so_pin

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
