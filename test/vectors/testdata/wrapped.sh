#!/bin/sh
# Makes wrapped.json: keys wrapped under key pairs, the AES key in between and all, by OpenSSL. Run in this directory.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'a key of the tests, 33 bytes long' >"$work/key"

hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
comma=
row() { # row MECHANISM WHAT
	printf '%s\n{"mechanism": "%s", "what": "%s", "message": "%s", "result": "%s"}' "$comma" "$1" "$2" "$(hex "$work/key")" "$(hex "$work/head")$(hex "$work/body")"
	comma=,
}
under() { # under BITS: the key under the AES key in $work/aes
	openssl enc "-id-aes$1-wrap-pad" -K "$(hex "$work/aes")" -iv a65959a6 -in "$work/key" -out "$work/body"
}

[ -e x25519.pem ] || openssl genpkey -algorithm X25519 -out x25519.pem

{
	printf '['
	for bits in 128 192 256; do
		for hash in sha1 sha256 sha512; do
			openssl rand -out "$work/aes" $((bits / 8))
			openssl pkeyutl -encrypt -inkey rsa.pem -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:$hash -pkeyopt rsa_mgf1_md:$hash \
				-pkeyopt rsa_oaep_label:6c6162656c -in "$work/aes" -out "$work/head"
			under $bits
			row CKM_RSA_AES_KEY_WRAP $hash
		done
	done
	for curve in ec x25519; do
		case $curve in
		ec) point=65 && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/own.pem" ;;
		x25519) point=32 && openssl genpkey -algorithm X25519 -out "$work/own.pem" ;;
		esac
		openssl pkey -in $curve.pem -pubout -out "$work/peer.pem"
		openssl pkeyutl -derive -inkey "$work/own.pem" -peerkey "$work/peer.pem" -out "$work/shared"
		openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt "hexsecret:$(hex "$work/shared")" -kdfopt hexinfo:6c6162656c -binary X963KDF >"$work/aes"
		openssl pkey -in "$work/own.pem" -pubout -outform DER | tail -c $point >"$work/head"
		under 256
		row CKM_ECDH_AES_KEY_WRAP $curve
	done
	printf '\n]\n'
} >wrapped.json
