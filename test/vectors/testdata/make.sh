#!/bin/sh
# Makes openssl.json: known answers of mechanisms that Wycheproof has none for,
# by OpenSSL, which shares no code with the library. Run in this directory.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
message="$work/message"
printf 'a message of the tests' >"$message"
head -c 64 "$0" >"$work/blocks"

hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
comma=
row() { # row MECHANISM MESSAGE-FILE RESULT-FILE [IV]
	printf '%s\n{"mechanism": "%s", "message": "%s", "result": "%s", "iv": "%s"}' "$comma" "$1" "$(hex "$2")" "$(hex "$3")" "${4-}"
	comma=,
}

[ -e rsa.pem ] || openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem
[ -e ec.pem ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem

out="$work/out"
{
	printf '['
	for pair in MD5:md5 SHA_1:sha1 SHA224:sha224 SHA256:sha256 SHA384:sha384 SHA512:sha512 SHA512_224:sha512-224 SHA512_256:sha512-256 \
		SHA3_224:sha3-224 SHA3_256:sha3-256 SHA3_384:sha3-384 SHA3_512:sha3-512; do
		name=${pair%%:*} hash=${pair##*:}
		openssl dgst "-$hash" -binary "$message" >"$out"
		row "CKM_$name" "$message" "$out"
		openssl dgst "-$hash" -mac HMAC -macopt hexkey:00112233445566778899aabbccddeeff -binary "$message" >"$out"
		row "CKM_${name}_HMAC" "$message" "$out"
		head -c 10 "$out" >"$work/short"
		row "CKM_${name}_HMAC_GENERAL" "$message" "$work/short"
		case $hash in sha512-*) continue ;; esac
		[ $name != SHA_1 ] || name=SHA1
		openssl dgst "-$hash" -sign rsa.pem "$message" >"$out"
		row "CKM_${name}_RSA_PKCS" "$message" "$out"
		[ $name != MD5 ] || continue
		openssl dgst "-$hash" -sign rsa.pem -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest "$message" >"$out"
		row "CKM_${name}_RSA_PKCS_PSS" "$message" "$out"
		openssl dgst "-$hash" -sign ec.pem "$message" >"$out"
		row "CKM_ECDSA_${name}" "$message" "$out"
	done
	openssl pkeyutl -sign -inkey rsa.pem -pkeyopt rsa_padding_mode:pkcs1 -in "$message" -out "$out"
	row CKM_RSA_PKCS "$message" "$out"
	{ head -c 1 /dev/zero; head -c 255 make.sh; } >"$work/block"
	openssl pkeyutl -decrypt -inkey rsa.pem -pkeyopt rsa_padding_mode:none -in "$work/block" -out "$out"
	row CKM_RSA_X_509 "$work/block" "$out"
	iv=f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff key=00112233445566778899aabbccddeeff
	openssl enc -aes-128-ecb -nopad -K $key -in "$work/blocks" -out "$out"
	row CKM_AES_ECB "$work/blocks" "$out"
	openssl enc -aes-128-cbc -nopad -K $key -iv $iv -in "$work/blocks" -out "$out"
	row CKM_AES_CBC "$work/blocks" "$out" $iv
	openssl enc -aes-128-cbc -K $key -iv $iv -in "$message" -out "$out"
	row CKM_AES_CBC_PAD "$message" "$out" $iv
	openssl enc -aes-128-ctr -K $key -iv $iv -in "$message" -out "$out"
	row CKM_AES_CTR "$message" "$out" $iv
	openssl mac -cipher AES-128-CBC -macopt hexkey:$key -in "$message" -binary CMAC >"$out"
	row CKM_AES_CMAC "$message" "$out"
	head -c 10 "$out" >"$work/short"
	row CKM_AES_CMAC_GENERAL "$message" "$work/short"
	printf '\n]\n'
} >openssl.json
