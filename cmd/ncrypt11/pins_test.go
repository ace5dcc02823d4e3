package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	for _, test := range []struct {
		in, want, rest string
		fails          bool
	}{
		{in: "1234\n", want: "1234"},
		{in: "1234", want: "1234"},
		{in: "1234\r\n", want: "1234"},
		{in: "12\r34\n", want: "12\r34"},
		{in: " 12 34 \nnext\n", want: " 12 34 ", rest: "next\n"},
		{in: "\nnext", want: "", rest: "next"},
		{in: "", fails: true},
		{in: long[1:] + "\n", want: long[1:]},
		{in: long + "\n", fails: true, rest: "\n"},
	} {
		for _, r := range []io.Reader{strings.NewReader(test.in), iotest.DataErrReader(strings.NewReader(test.in))} {
			line, err := readLine(r)
			if (err != nil) != test.fails || !test.fails && !bytes.Equal(line.Bytes(), []byte(test.want)) {
				t.Errorf("%.20q: %q, %v", test.in, line.Bytes(), err)
			}
			if rest, _ := io.ReadAll(r); string(rest) != test.rest {
				t.Errorf("%.20q: %q is left to read, want %q", test.in, rest, test.rest)
			}
			line.Close()
		}
	}
	if _, err := readLine(iotest.ErrReader(io.ErrClosedPipe)); err == nil {
		t.Error("an error of the reader is no error")
	}
}
