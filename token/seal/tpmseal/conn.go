package tpmseal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// The header of a command and of an answer: tag, size, and command code or response code (Part 1, 18).
const (
	headerLen = 10
	maxAnswer = 4096 // no TPM has larger buffers
)

// conn is a connection to a TPM. One command is under way at a time. After an error it is good for Close only.
type conn interface {
	exchange(command []byte, patience time.Duration) ([]byte, error)
	Close() error
}

var (
	errAnswer = errors.New("what came is no TPM 2.0 answer")
	errSlow   = errors.New("no answer in time")
)

// checkAnswer looks at the header, whose size field the rest of the answer must agree with.
func checkAnswer(answer []byte) error {
	if len(answer) < headerLen || len(answer) > maxAnswer || binary.BigEndian.Uint32(answer[2:]) != uint32(len(answer)) {
		return errAnswer
	}
	switch binary.BigEndian.Uint16(answer) {
	case 0x00C4, 0x8001, 0x8002: // TPM_ST_RSP_COMMAND, what a TPM 1.2 would say; TPM_ST_NO_SESSIONS; TPM_ST_SESSIONS
		return nil
	}
	return errAnswer
}

// stream is a software TPM on a socket: commands and answers as they are, one after the other.
type stream struct{ net.Conn }

func (s stream) exchange(command []byte, patience time.Duration) ([]byte, error) {
	if err := s.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	answer, err := s.talk(command)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, fmt.Errorf("%w: %v", errSlow, patience)
	}
	return answer, err
}

func (s stream) talk(command []byte) ([]byte, error) {
	if _, err := s.Write(command); err != nil {
		return nil, err
	}
	answer := make([]byte, headerLen, 512)
	if _, err := io.ReadFull(s, answer); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(answer[2:])
	if size < headerLen || size > maxAnswer {
		return nil, errAnswer
	}
	answer = append(answer, make([]byte, size-headerLen)...)
	if _, err := io.ReadFull(s, answer[headerLen:]); err != nil {
		return nil, err
	}
	return answer, checkAnswer(answer)
}

// device is a TPM of the kernel: a write is a command, the next read its answer. The driver's calls cannot be interrupted, so they run on a
// goroutine that is left behind where they take too long; the file is closed when they return.
type device struct {
	file *os.File
}

// hanging counts the goroutines that were left behind. While there is one, no device is opened: it would only hang, too.
var hanging atomic.Int32

var errHanging = errors.New("an earlier command hangs still")

func openDevice(path string) (conn, error) {
	if hanging.Load() > 0 {
		return nil, errHanging
	}
	// os.OpenFile would make the file non-blocking, where a read that comes too early ends in nothing.
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), path)
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		_ = file.Close()
		return nil, fmt.Errorf("%s is not a device", path)
	}
	return device{file}, nil
}

func (d device) Close() error { return d.file.Close() }

func (d device) exchange(command []byte, patience time.Duration) ([]byte, error) {
	type result struct {
		answer []byte
		err    error
	}
	done := make(chan result, 1)
	go func() {
		answer, err := d.talk(command)
		done <- result{answer, err}
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-timer.C:
		hanging.Add(1)
		go func() {
			<-done
			hanging.Add(-1)
		}()
		return nil, fmt.Errorf("%w: %v", errSlow, patience)
	}
}

func (d device) talk(command []byte) ([]byte, error) {
	if _, err := d.file.Write(command); err != nil {
		return nil, err
	}
	answer := make([]byte, maxAnswer)
	n, err := d.file.Read(answer)
	if err != nil {
		return nil, err
	}
	return answer[:n], checkAnswer(answer[:n])
}
