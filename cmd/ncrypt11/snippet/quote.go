package snippet

import (
	"fmt"
	"strings"
	"unicode"
)

// shell is a word of a shell's that means text, whatever is in it: whoever may write to a token gives its objects their labels, and somebody else runs
// what is printed. Templates use it for all that stands in commands.
func shell(text string) string {
	if text != "" && !strings.ContainsFunc(text, meansSomething) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func meansSomething(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("%+,-./:=@_", r)
}

// check refuses what could pretend to be a line of its own.
func (d *Data) check() error {
	for what, text := range map[string]string{
		"the token's label": d.Token.Label, "the token's directory": d.Token.Path, "the key's label": d.Key.Label, "the module's path": d.Module,
		"the path of the file with the PIN": d.PINFile, "the path of the certificate's file": d.CertificateFile,
	} {
		if strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("%s is %q: there must be no control characters in what is copied into files and shells", what, text)
		}
	}
	return nil
}
