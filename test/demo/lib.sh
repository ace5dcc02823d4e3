# What both halves of the demo have: how they tell what they do. The caller has set work.
module=$PWD/build/libncrypt11.so
ncrypt11=$PWD/build/ncrypt11
pin=1234
so_pin=12345678
export PKCS11_MODULE_PATH="$module" # for OpenSSL's engine

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# typed prints a command as it could be typed.
typed() {
	printf '  $ '
	for word; do
		case $word in
		*[!A-Za-z0-9_./:=,@%+-]*) printf "'%s' " "$word" ;;
		*) printf '%s ' "$word" ;;
		esac
	done | sed "s#$work/##g; s#$PWD/##g"
	printf '\n'
}

# show runs a command for all to see.
show() {
	typed "$@"
	if "$@" >"$work/output" 2>&1; then
		sed "s/^/    /; s#$work/##g" "$work/output"
	else
		sed 's/^/    /' "$work/output" >&2
		exit 1
	fi
}

# refused PATTERN COMMAND... runs one that has to fail, and to say why.
refused() {
	why=$1
	shift
	typed "$@"
	if "$@" >"$work/output" 2>&1; then
		sed 's/^/    /' "$work/output" >&2
		echo "    this should have FAILED" >&2
		exit 1
	fi
	sed "s/^/    /; s#$work/##g" "$work/output"
	if ! grep -q "$why" "$work/output"; then
		echo "    it failed, but NOT because of: $why" >&2
		exit 1
	fi
}

# verified SIGNATURE WHOSE
verified() {
	if openssl dgst -sha256 -verify "$work/public.pem" -signature "$1" "$work/message" >/dev/null 2>&1; then
		echo "    openssl dgst -verify, with the public key alone: Verified OK"
	else
		echo "    the signature of $2 is NOT good" >&2
		exit 1
	fi
}

# key_file makes what lies on many servers: a key in a file. Its public half stays, to judge signatures by.
key_file() {
	show openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/server.key"
	openssl pkey -in "$work/server.key" -pubout -out "$work/public.pem"
	echo "pay 100 to the bearer" >"$work/message"
}
