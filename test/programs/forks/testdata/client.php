<?php
// Asks a server that wants to see a certificate, whose key is in a token, and prints what it says.
$curl = curl_init($_SERVER['APP_SERVER']);
curl_setopt_array($curl, [
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_CAINFO => $_SERVER['APP_CA'],
    CURLOPT_SSLENGINE => 'pkcs11',
    CURLOPT_SSLKEYTYPE => 'ENG',
    CURLOPT_SSLKEY => $_SERVER['APP_KEY'],
    CURLOPT_SSLCERTTYPE => 'ENG',
    CURLOPT_SSLCERT => $_SERVER['APP_CERTIFICATE'],
]);
$answer = curl_exec($curl);
printf("%d %s\n", getmypid(), $answer === false ? curl_error($curl) : $answer);
