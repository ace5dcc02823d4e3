package guard_test

import (
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
)

// proxy stands between a guard and the software TPM. It counts commands, and can do to them what a bus does on a bad day.
type proxy struct {
	tpm    string
	listen net.Listener

	mu     sync.Mutex
	counts map[uint32]int           // by TPM_CC
	before func(code uint32) action // nil: all pass
}

// action is what becomes of a command.
type action int

const (
	pass   action = iota
	drop          // the connection breaks before the answer, though the TPM has done it
	mangle        // the answer's last byte is another
)

// TPM_CC_Unseal, and the length of a command's header (Part 2, 6.5.2; Part 1, 18).
const (
	ccUnseal  = 0x15E
	tpmHeader = 10
)

// newProxy makes a proxy that every user can reach, and gives its NCRYPT11_TPM.
func newProxy(t *testing.T, tpm *swtpm.TPM) (*proxy, string) {
	t.Helper()
	socket := strings.TrimPrefix(tpm.Address(), "swtpm:unix:")
	path := filepath.Join(filepath.Dir(socket), "proxy")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &proxy{tpm: socket, listen: l, counts: map[uint32]int{}}
	go p.serve()
	return p, "swtpm:unix:" + path
}

func (p *proxy) serve() {
	for {
		client, err := p.listen.Accept()
		if err != nil {
			return
		}
		p.forward(client) // one at a time, as the TPM does
		client.Close()
	}
}

func (p *proxy) forward(client net.Conn) {
	tpm, err := net.Dial("unix", p.tpm)
	if err != nil {
		return
	}
	defer tpm.Close()
	for {
		command, err := readMessage(client)
		if err != nil {
			return
		}
		act := p.note(binary.BigEndian.Uint32(command[6:]))
		if _, err := tpm.Write(command); err != nil {
			return
		}
		answer, err := readMessage(tpm)
		if err != nil || act == drop {
			return
		}
		if act == mangle {
			answer[len(answer)-1] ^= 1
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

func (p *proxy) note(code uint32) action {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[code]++
	if p.before == nil {
		return pass
	}
	return p.before(code)
}

// readMessage reads a command or an answer: both have their length at the same place.
func readMessage(from net.Conn) ([]byte, error) {
	message := make([]byte, tpmHeader, 4096)
	if _, err := io.ReadFull(from, message); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(message[2:])
	if length < tpmHeader || int(length) > cap(message) {
		return nil, io.ErrUnexpectedEOF
	}
	_, err := io.ReadFull(from, message[tpmHeader:length])
	return message[:length], err
}

// during gives the commands that came while do ran: all, and TPM2_Unseal.
func (p *proxy) during(do func()) (all, unseals int) {
	count := func() (all, unseals int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, n := range p.counts {
			all += n
		}
		return all, p.counts[ccUnseal]
	}
	allBefore, unsealsBefore := count()
	do()
	allAfter, unsealsAfter := count()
	return allAfter - allBefore, unsealsAfter - unsealsBefore
}

// interfere changes what becomes of commands.
func (p *proxy) interfere(before func(code uint32) action) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = before
}

// eventually waits for something that happens soon, but not at once.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("not after 10 s: %s", what)
			return
		}
	}
}
