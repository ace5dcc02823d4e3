package server_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// signing is a connection that does nothing but sign, blocking in system calls as a program that calls the library does.
type signing struct {
	fd      int
	buffer  [1024]byte
	request []byte
}

func (p *place) signing(join protocol.SessionID, use *protocol.Use) *signing {
	p.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: p.path(packets)})
	}
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = unix.Close(fd) })
	s := &signing{fd: fd, request: request(p, protocol.MethodHello, &protocol.Hello{Version: protocol.Version, Join: join})}
	if err := s.sign(); err != nil {
		p.Fatal(err)
	}
	s.request = request(p, protocol.MethodSign, use)
	return s
}

func (s *signing) sign() error {
	if _, err := unix.Write(s.fd, s.request); err != nil {
		return err
	}
	n, err := unix.Read(s.fd, s.buffer[:])
	if err == nil && (n < 5 || s.buffer[4] != 0) {
		err = fmt.Errorf("the guard answered %x", s.buffer[:n])
	}
	return err
}

// BenchmarkSign is what a P-256 signature costs through a guard, and without: the difference is the way there and back.
func BenchmarkSign(b *testing.B) {
	p := start(b, packets, server.Options{})
	c := p.greet(packets)
	k := c.ec(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
	ecdsa := scheme(b, ck.CKM_ECDSA, nil, mech.OpSign)
	use := &protocol.Use{Ref: k.Ref, Op: mech.OpSign, Scheme: ecdsa, Data: digest[:]}
	b.Run("engine", func(b *testing.B) {
		b.ReportAllocs()
		keys := local.New(newChip())
		k, err := keys.Generate(0, scheme(b, ck.CKM_EC_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair), p256, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
		if err != nil {
			b.Fatal(err)
		}
		out := make([]byte, 0, 128)
		for b.Loop() {
			if _, err := keys.Sign(out, k.Ref, ecdsa, digest[:]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("guard", func(b *testing.B) {
		b.ReportAllocs()
		s := p.signing(c.Session, use)
		for b.Loop() {
			if err := s.sign(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("guard, no key", func(b *testing.B) {
		b.ReportAllocs()
		s := p.signing(c.Session, use)
		s.request = request(b, protocol.MethodForget, &protocol.OneRef{Ref: 1 << 40})
		for b.Loop() {
			if err := s.sign(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("guard, 4 at a time", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(2)
		var failed atomic.Pointer[error]
		b.RunParallel(func(pb *testing.PB) {
			s := p.signing(c.Session, use)
			for pb.Next() {
				if err := s.sign(); err != nil {
					failed.Store(&err)
					return
				}
			}
		})
		if err := failed.Load(); err != nil {
			b.Fatal(*err)
		}
	})
}
