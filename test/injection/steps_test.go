package injection_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/attack"
	"github.com/ncrypt11/ncrypt11/test/swtpm"
)

// server is an application that makes keys for cards, with a minidriver that has none. Its home is empty, there is no TPM and no guard for it.
type server struct {
	*driver
	t       *testing.T
	s1      []byte
	k2      *rsa.PrivateKey // archived
	hS1     string
	padding int
}

func newServer(t *testing.T, padding int) *server {
	t.Helper()
	d := newPlace(t, "none", "none").drive()
	if card := d.must("acquire", noCard, "7", "there is no such card"); !bytes.Equal(card, dwords(0)) {
		t.Errorf("hScard is %x", card)
	}
	return &server{driver: d, t: t, padding: padding}
}

// offer is what the client says in step 15.
type offer struct {
	k1                   []byte
	algorithms, paddings []byte
}

// session is what the server answers in step 16.
type session struct {
	encrypted []byte
	padding   int
	hash      string
}

// makeSession is step 16: S1, under K1.
func (s *server) makeSession(o offer) session {
	s.t.Helper()
	if !bytes.Contains(o.algorithms, wide("AES")) || len(o.paddings) != 4 || o.paddings[0]&byte(s.padding) == 0 {
		s.t.Fatalf("the card offers %x and %x", o.algorithms, o.paddings)
	}
	s.s1 = make([]byte, 32)
	rand.Read(s.s1)
	if s.padding == paddingPKCS1 {
		return session{pkcs1(s.t, publicKey(s.t, o.k1), keyData(s.s1)), s.padding, ""}
	}
	encrypted, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, publicKey(s.t, o.k1), keyData(s.s1), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return session{encrypted, s.padding, "SHA256"}
}

// delivery is what the server sends in step 26.
type delivery struct{ encrypted, iv, mode []byte }

// makeKey is steps 22 to 26: S1 into the server's minidriver, K2, and K2 under S1.
func (s *server) makeKey(container byte) delivery {
	s.t.Helper()
	s.hS1 = x(s.must("mdimport", "KeyDataBlob", "AES", x(keyData(s.s1)))) // 22, 23
	k2, err := rsa.GenerateKey(rand.Reader, 2048)                         // 24
	if err != nil {
		s.t.Fatal(err)
	}
	s.k2 = k2
	iv := make([]byte, 16)
	rand.Read(iv)
	s.must("setkey", s.hS1, "IV", x(iv))
	s.must("setkey", s.hS1, "ChainingMode", x(wide("ChainingModeCBC")))
	encrypted := s.must("encrypt", s.hS1, "Import Key Pair", x(importKeyPair(container, signature, 2048, privateBlob(k2))), "1") // 25
	return delivery{encrypted, iv, wide("ChainingModeCBC")}                                                                      // 26
}

// client is a program beside a card that it is not trusted with: it has the PIN and the containers' numbers.
type client struct {
	*driver
	t   *testing.T
	hS1 string
}

func newClient(t *testing.T) *client {
	t.Helper()
	tpm := swtpm.Start(t)
	p := newPlace(t, tpm.Address(), "")
	p.ncrypt11("init", "--label", "card", "--policy", "vbs-required", "--login", "pin", "--pin", userPIN, "--so-pin", "12345678")
	c := &client{driver: p.drive(), t: t}
	c.must("acquire", "0", "7", "card")
	c.must("authenticate", userPIN)
	return c
}

// offer is steps 3 to 15.
func (c *client) offer(container int) offer {
	c.t.Helper()
	if mask := c.must("get", "Key Import Support", "0", "4"); mask[0]&2 == 0 { // 3, 4
		c.t.Fatalf("Key Import Support is %x", mask)
	}
	c.is(0x80100030, "info", n(container)) // 5: nothing there that would do
	c.must("create", n(container), n(keyGen), n(keyExchange), "2048", "")
	return offer{ // 9 to 15
		k1: c.must("info", n(container)), algorithms: c.must("get", "Algorithms", n(cipherOps), "64"), paddings: c.must("get", "Padding Schemes", "0", "4"),
	}
}

// take is steps 17 to 21.
func (c *client) take(container int, s session) {
	c.t.Helper()
	c.hS1 = x(c.must("import", n(container), n(s.padding), s.hash, "KeyDataBlob", "AES", x(s.encrypted)))
}

// inject is steps 27 to 30.
func (c *client) inject(d delivery) {
	c.t.Helper()
	c.must("setkey", c.hS1, "IV", x(d.iv))
	c.must("setkey", c.hS1, "ChainingMode", x(d.mode))
	c.must("process", c.hS1, "Import Key Pair", x(d.encrypted), "0", "1")
}

// TestB105TheSteps is the whole flow. What a function gives to the other side is all that passes between them.
func TestB105TheSteps(t *testing.T) {
	for name, padding := range map[string]int{"OAEP": paddingOAEP, "v1.5": paddingPKCS1} {
		t.Run(name, func(t *testing.T) {
			const forK1, forK2 = 0, 5
			s, c := newServer(t, padding), newClient(t) // 1, 2
			answer := s.makeSession(c.offer(forK1))
			c.take(forK1, answer)
			delivered := s.makeKey(forK2) // after 21, the acknowledgment
			c.inject(delivered)

			check(t, s, c, forK2)
			unseen(t, s, c, delivered)

			c.must("destroy", c.hS1) // 31
			s.must("destroy", s.hS1)
			c.is(0x80100003, "process", c.hS1, "Import Key Pair", x(delivered.encrypted), "0", "1")
			s.is(0x80100003, "encrypt", s.hS1, "Import Key Pair", "00", "1")
			unseen(t, s, c, delivered)
			c.must("delete")
			s.must("delete")
			c.is(0x80100003, "info", n(forK2))
		})
	}
}

// check compares the card's K2 with the archived one: by its public half, and by a signature.
func check(t *testing.T, s *server, c *client, container int) {
	t.Helper()
	if !publicKey(t, c.must("info", n(container))).Equal(&s.k2.PublicKey) {
		t.Error("the container has another public key than the archive")
	}
	text := []byte("signed by the card")
	digest := sha256.Sum256(text)
	if err := rsa.VerifyPKCS1v15(&s.k2.PublicKey, crypto.SHA256, digest[:], c.must("sign", n(container), x(text))); err != nil {
		t.Errorf("the card signs with another key than the archived one: %v", err)
	}
	records := c.must("read", "mscp", "cmapfile")
	if len(records) != 86*(container+1) || records[86*container+80] != 1 || !bytes.Equal(records[86*container+82:][:4], []byte{0, 8, 0, 0}) {
		t.Errorf("cmapfile: %x", records)
	}
}

// unseen looks through the client's memory for S1 and for K2's secret numbers, in both byte orders; what it has been sent is found there.
func unseen(t *testing.T, s *server, c *client, delivered delivery) {
	t.Helper()
	count := func(what []byte) int {
		found, err := attack.Scan(c.pid, what)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if count(delivered.encrypted[:64]) == 0 {
		t.Error("not even what was sent is found in the client's memory: nothing is proved")
	}
	private := s.k2.Precomputed
	for name, secret := range map[string][]byte{
		"S1": s.s1, "p": s.k2.Primes[0].Bytes(), "q": s.k2.Primes[1].Bytes(), "d": s.k2.D.Bytes(), "dP": private.Dp.Bytes(), "dQ": private.Dq.Bytes(), "qInv": private.Qinv.Bytes(),
	} {
		turned := slices.Clone(secret)
		slices.Reverse(turned)
		for _, form := range [][]byte{secret, turned} {
			if found := count(form[:16]); found != 0 { // a copy may be torn by what was written over it
				t.Errorf("%s is %d times in the client's memory", name, found)
			}
		}
	}
}
