package keyfile

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

var (
	pemBegin = []byte("-----BEGIN ")
	utf8BOM  = []byte("\xef\xbb\xbf")
)

// passedOver are the labels of PEM blocks that accompany keys and say nothing that the key does not say itself.
var passedOver = []string{"EC PARAMETERS", "DH PARAMETERS", "X9.42 DH PARAMETERS"}

// isPEM tells text with PEM blocks from DER, whose octets may contain anything.
func isPEM(data []byte) bool {
	_, err := shapeOf(data)
	return err != nil && begins(data) > 0
}

// begins counts the lines that begin a PEM block.
func begins(text []byte) int {
	n := bytes.Count(text, append([]byte("\n"), pemBegin...))
	if bytes.HasPrefix(bytes.TrimPrefix(text, utf8BOM), pemBegin) {
		n++
	}
	return n
}

// parsePEM reads every block of data. Text before a block is explanatory (RFC 7468, section 2); text after the last one has no
// business there and most often is the rest of a damaged block.
func (p *parser) parsePEM(data []byte) error {
	rest := bytes.TrimPrefix(data, utf8BOM)
	for number := 1; bytes.Contains(rest, pemBegin); number++ {
		decoded, after := pem.Decode(rest)
		// pem.Decode skips a block that it cannot read and returns the next one: a key must not get lost that way.
		if decoded == nil || begins(rest[:len(rest)-len(after)]) != 1 {
			wipePEM(decoded)
			return &Error{Where: fmt.Sprintf("PEM block %d", number), Err: errors.New("the block is damaged: no matching END line, or not base64"), Advice: "copy the file again"}
		}
		err := p.parsePEMBlock(number, decoded)
		wipePEM(decoded)
		if err != nil {
			return err
		}
		rest = after
	}
	if len(bytes.TrimSpace(rest)) != 0 {
		return &Error{Err: fmt.Errorf("%d bytes of text follow the last PEM block", len(rest)), Advice: "remove them, or copy the file again if it was cut"}
	}
	if len(p.file.Keys)+len(p.file.PublicKeys)+len(p.file.Certificates) == 0 {
		return &Error{Err: errors.New("it holds parameters, but no key and no certificate"), Advice: "give the file of the private key"}
	}
	return nil
}

func (p *parser) parsePEMBlock(number int, decoded *pem.Block) error {
	b := block{where: fmt.Sprintf("PEM block %d (%s)", number, printable(decoded.Type)), label: decoded.Type, der: decoded.Bytes}
	if slices.Contains(passedOver, b.label) {
		return nil
	}
	if info, ok := decoded.Headers["DEK-Info"]; ok || strings.Contains(decoded.Headers["Proc-Type"], "ENCRYPTED") {
		// Its key derivation is one round of MD5 and nothing tells a wrong passphrase: not worth a reader.
		cipher, _, _ := strings.Cut(info, ",")
		return b.advise("convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW",
			"it is encrypted in the legacy OpenSSL manner (%s)", printable(cipher))
	}
	for _, r := range refusedLabels {
		if r.label == b.label {
			return b.advise(r.advice, "%s", r.what)
		}
	}
	return p.parseBlock(b)
}

func wipePEM(b *pem.Block) {
	if b != nil {
		secret.Wipe(b.Bytes)
	}
}

// printable makes text of the file fit for a terminal.
func printable(s string) string {
	const longest = 64
	if len(s) > longest {
		s = s[:longest] + "..."
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
