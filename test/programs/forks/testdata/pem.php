<?php
// Whether the extension openssl takes the URI of a key in a token, with the engine that OpenSSL has.
$key = openssl_pkey_get_private($argv[1]);
echo $key === false ? "no key\n" : "a key\n";
while ($error = openssl_error_string()) {
    echo $error, "\n";
}
