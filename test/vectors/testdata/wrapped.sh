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
	printf '\n]\n'
} >wrapped.json
