package keyfile

import (
	"bytes"
	"errors"
)

// refusedLabels are PEM blocks that are known and cannot be imported.
var refusedLabels = []struct{ label, what, advice string }{
	{"DSA PRIVATE KEY", "DSA keys are not supported", adviceNewKey},
	{"DSA PARAMETERS", "DSA keys are not supported", adviceNewKey},
	{"TRUSTED CERTIFICATE", "it is a certificate with OpenSSL trust settings", "convert it with: openssl x509 -in FILE -out NEW"},
	{"CERTIFICATE REQUEST", whatRequest, adviceNoKey},
	{"NEW CERTIFICATE REQUEST", whatRequest, adviceNoKey},
	{"X509 CRL", whatCRL, adviceNoKey},
	{"PKCS7", "it is a PKCS #7 bundle, which has no private keys", advicePKCS7},
	{"CMS", "it is a CMS message, which has no private keys", adviceNoKey},
	{"TSS2 PRIVATE KEY", "the key is wrapped by a TPM, which does not give it out", "generate a new key in the token"},
	{"SSH2 ENCRYPTED PRIVATE KEY", "it is a private key of SSH Tectia", "convert it with its own ssh-keygen to the OpenSSH format"},
	{"PGP PRIVATE KEY BLOCK", whatPGP, advicePGP},
	{"PGP PUBLIC KEY BLOCK", whatPGP, advicePGP},
	{"AGE ENCRYPTED FILE", "it is encrypted with age", "decrypt it with: age --decrypt"},
}

const (
	whatRequest = "it is a certificate request, which has neither a key nor a certificate to import"
	whatCRL     = "it is a certificate revocation list"
	whatPGP     = "OpenPGP keys are not supported"

	adviceNewKey  = "generate a new RSA, EC (P-256, P-384, P-521) or Ed25519 key"
	adviceSeed    = "give the file that has its seed, or generate a new key in the token"
	adviceNoKey   = "give the file of the private key"
	advicePGP     = "export the key in a format of its own, for example as PKCS #8"
	advicePKCS7   = "get its certificates with: openssl pkcs7 -print_certs -in FILE -out NEW"
	adviceCurve   = "use a key on P-256, P-384 or P-521"
	advicePKCS12  = "take it apart with: openssl pkcs12 -in FILE -out NEW"
	adviceReapply = "encrypt it anew with: openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW"
)

// foreignFiles are files that are neither DER nor PEM, known by how they begin.
var foreignFiles = []struct{ prefix, what, advice string }{
	{"PuTTY-User-Key-File-", "it is a PuTTY private key", "convert it with: puttygen FILE -O private-openssh-new -o NEW"},
	{"ssh-", whatSSHPublic, adviceSSHPublic},
	{"ecdsa-sha2-", whatSSHPublic, adviceSSHPublic},
	{"sk-", whatSSHPublic, adviceSSHPublic},
	{"---- BEGIN SSH2 PUBLIC KEY", whatSSHPublic, adviceSSHPublic},
	{"AGE-SECRET-KEY-", "it is an age identity", "age identities cannot be imported"},
	{"age-encryption.org/", "it is encrypted with age", "decrypt it with: age --decrypt"},
	{"{", "it is JSON, perhaps a JSON Web Key", "convert it to PKCS #8 PEM"},
	{"\xfe\xed\xfe\xed", "it is a Java key store (JKS)", adviceJava},
	{"\xce\xce\xce\xce", "it is a Java key store (JCEKS)", adviceJava},
	{"\xff\xfe", "it is UTF-16 text", "convert it with: iconv -f UTF-16 -t UTF-8 FILE"},
	{"\xfe\xff", "it is UTF-16 text", "convert it with: iconv -f UTF-16 -t UTF-8 FILE"},
}

const (
	whatSSHPublic   = "it is an SSH public key where a private key was expected"
	adviceSSHPublic = "give the file without .pub"
	adviceJava      = "convert it with: keytool -importkeystore -srckeystore FILE -destkeystore NEW -deststoretype PKCS12"
)

// foreign refuses what cannot be DER, naming it where it is known.
func foreign(data []byte) error {
	text := bytes.TrimLeft(bytes.TrimPrefix(data, utf8BOM), " \t\r\n")
	for _, f := range foreignFiles {
		if bytes.HasPrefix(text, []byte(f.prefix)) {
			return &Error{Err: errors.New(f.what), Advice: f.advice}
		}
	}
	const sequence = 0x30
	if data[0] != sequence {
		return &Error{Err: errors.New("it is neither PEM nor DER"), Advice: "give a key file in PEM, DER, PKCS #12 or OpenSSH format"}
	}
	return nil
}
