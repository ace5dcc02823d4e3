package remote_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/peer"
	"github.com/ncrypt11/ncrypt11/token/guard/remote"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// openSealer is a sealer that keeps every promise, being all in this test: a sealed master key is the key, behind its PIN, context and terms.
type openSealer struct{}

func (openSealer) Seal(master, auth *secret.Bytes, context []byte, terms *seal.Terms) ([]byte, error) {
	blob := append([]byte{byte(auth.Len()), byte(len(context))}, auth.Bytes()...)
	blob = append(blob, context...)
	return append(blob, master.Bytes()...), nil
}

func (openSealer) Terms([]byte) (*seal.Terms, error) { return &seal.Terms{}, nil }

func (openSealer) PINLimit() int { return 3 }

func (openSealer) Unseal(sealed []byte, auth *secret.Bytes, context []byte) (*secret.Bytes, error) {
	if len(sealed) < 2 || len(sealed) < 2+int(sealed[0])+int(sealed[1]) {
		return nil, seal.ErrDamaged
	}
	pin, rest := sealed[2:2+sealed[0]], sealed[2+sealed[0]:]
	if !bytes.Equal(rest[:sealed[1]], context) {
		return nil, seal.ErrDamaged
	}
	if !auth.Equal(pin) {
		return nil, seal.ErrAuth
	}
	return secret.Copy(rest[sealed[1]:]), nil
}

// process is a guard that can be replaced.
type process struct {
	*testing.T
	path    string
	who     func(net.Conn) (peer.Peer, error)
	mu      sync.Mutex
	current *server.Server
}

func start(t *testing.T) *process {
	p := site(t)
	p.up()
	return p
}

// site is where a guard may listen.
func site(t *testing.T) *process {
	dir, err := os.MkdirTemp("", "guard") // a short path: t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &process{T: t, path: filepath.Join(dir, "s")}
	t.Cleanup(p.down)
	return p
}

func (p *process) up() {
	l, err := net.Listen("unixpacket", p.path)
	if err != nil {
		p.Error(err)
		return
	}
	s := server.New(server.Options{Sealer: openSealer{}, UID: uint32(os.Geteuid()) + 1, PID: os.Getpid(), Who: p.who})
	go func() { _ = s.Serve(l) }() // it ends with the guard
	p.mu.Lock()
	p.current = s
	p.mu.Unlock()
}

func (p *process) down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		p.current.Close()
		p.current = nil
	}
}

func (p *process) replace() {
	p.down()
	p.up()
}

func (p *process) endpoint() *remote.Endpoint { return &remote.Endpoint{Sockets: []string{p.path}} }

func (p *process) open() *remote.Keys {
	g, err := remote.Open(p.endpoint(), guard.Process)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = g.Close() })
	return g
}

var context = []byte("ncrypt11 token 0123456789abcdef user")

func pin(text string) *secret.Bytes { return secret.Copy([]byte(text)) }

func scheme(t *testing.T, m ck.Mechanism, op mech.Op) *mech.Scheme {
	s, err := mech.Parse(m, op)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// p256 makes an EC key, and gives what checks its signatures.
func p256(t *testing.T, g guard.Keys, v guard.Vault) (*guard.Key, *ecdsa.PublicKey) {
	spec := &guard.KeySpec{KeyType: ck.CKK_EC, ECParams: []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}}
	policy := &guard.Policy{Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_EC, Usage: guard.UseSign, Private: true, Sensitive: true}
	k, err := g.Generate(v, scheme(t, ck.Mechanism{Type: ck.CKM_EC_KEY_PAIR_GEN}, mech.OpGenerateKeyPair), spec, policy)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range k.Public {
		if part.Type == ck.CKA_EC_POINT {
			public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), part.Value[2:])
			if err != nil {
				t.Fatal(err)
			}
			return k, public
		}
	}
	t.Fatal("no point")
	return nil, nil
}

func signs(t *testing.T, g guard.Keys, ref guard.Ref, public *ecdsa.PublicKey) error {
	digest := sha256.Sum256([]byte("message"))
	signature, err := g.Sign(nil, ref, scheme(t, ck.Mechanism{Type: ck.CKM_ECDSA}, mech.OpSign), digest[:])
	if err != nil {
		return err
	}
	if !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Error("a wrong signature")
	}
	return nil
}

func TestKeysSurviveTheGuard(t *testing.T) {
	p := start(t)
	g := p.open()
	if g.Level() != guard.Service || g.PINLimit() != 3 {
		t.Fatalf("level %v, limit %d", g.Level(), g.PINLimit())
	}
	v, sealed, err := g.NewMaster(pin("1234"), context, nil)
	if err != nil {
		t.Fatal(err)
	}
	made, public := p256(t, g, v)
	g.Lock(v)
	if err := signs(t, g, made.Ref, public); ck.Code(err) != ck.CKR_KEY_HANDLE_INVALID {
		t.Errorf("a key of a locked vault: %v", err)
	}
	if v, err = g.Unlock(sealed, pin("1234"), context); err != nil {
		t.Fatal(err)
	}
	ref, err := g.Load(v, made.Record)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := signs(t, g, ref, public); err != nil {
			t.Fatal(err)
		}
		p.replace()
	}
	if err := signs(t, g, ref, public); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Unlock(sealed, pin("4321"), context); ck.Code(err) != ck.CKR_PIN_INCORRECT {
		t.Errorf("a wrong PIN: %v", err)
	}
}

func TestKeysInMemoryAreLostOnce(t *testing.T) {
	p := start(t)
	g := p.open()
	k, public := p256(t, g, 0)
	if err := signs(t, g, k.Ref, public); err != nil {
		t.Fatal(err)
	}
	p.replace()
	err := signs(t, g, k.Ref, public)
	var lost *guard.LostError
	if !errors.As(err, &lost) || lost.Ref != k.Ref || ck.Code(err) != ck.CKR_DEVICE_ERROR {
		t.Errorf("first: %v", err)
	}
	if err := signs(t, g, k.Ref, public); ck.Code(err) != ck.CKR_KEY_HANDLE_INVALID {
		t.Errorf("then: %v", err)
	}
}

func TestStreamsEndWithTheGuard(t *testing.T) {
	p := start(t)
	g := p.open()
	k, aes := aesKey(t, g)
	st, err := g.Stream(k.Ref, aes, mech.OpEncrypt)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if st.Shape().UpdateLen(20) != 16 {
		t.Errorf("%+v", st.Shape())
	}
	if out, err := st.Update(nil, make([]byte, 20)); err != nil || len(out) != 16 || st.Shape().Held != 4 {
		t.Fatalf("%x, %v, %+v", out, err, st.Shape())
	}
	p.replace()
	if _, err := st.Update(nil, make([]byte, 20)); ck.Code(err) != ck.CKR_DEVICE_ERROR {
		t.Errorf("Update: %v", err)
	}
}

func aesKey(t *testing.T, g guard.Keys) (*guard.Key, *mech.Scheme) {
	policy := &guard.Policy{
		Class: ck.CKO_SECRET_KEY, KeyType: ck.CKK_AES, Usage: guard.UseEncrypt | guard.UseDecrypt | guard.UseSign | guard.UseVerify, Extractable: true,
	}
	m := &guard.Material{Class: ck.CKO_SECRET_KEY, KeyType: ck.CKK_AES, Parts: []guard.Part{{Type: ck.CKA_VALUE, Value: bytes.Repeat([]byte{7}, 32)}}}
	k, err := g.Import(0, m, policy)
	if err != nil {
		t.Fatal(err)
	}
	return k, scheme(t, ck.Mechanism{Type: ck.CKM_AES_CBC_PAD, Params: ck.RawParams(make([]byte, 16))}, mech.OpEncrypt)
}

// What is longer than a message goes in parts, and comes back as it was.
func TestLongData(t *testing.T) {
	g := start(t).open()
	k, aes := aesKey(t, g)
	data := bytes.Repeat([]byte("0123456789abcdef-"), 2<<20)
	sealed, err := g.Encrypt([]byte("before"), k.Ref, aes, data)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(sealed, []byte("before")) {
		t.Fatal("dst is gone")
	}
	plain, err := g.Decrypt(nil, k.Ref, aes, sealed[6:])
	if err != nil || !bytes.Equal(plain, data) {
		t.Fatalf("%d bytes came back, %v", len(plain), err)
	}
	if r, err := g.Reveal(k.Ref); err != nil || !bytes.Equal(r.Parts[0].Value, bytes.Repeat([]byte{7}, 32)) {
		t.Errorf("Reveal: %v", err)
	}
}

// Guards come and go under eight callers: each call succeeds.
func TestGuardsComeAndGo(t *testing.T) {
	p := start(t)
	g := p.open()
	v, _, err := g.NewMaster(nil, context, nil)
	if err != nil {
		t.Fatal(err)
	}
	k, public := p256(t, g, v)
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := signs(t, g, k.Ref, public); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 20 {
		time.Sleep(10 * time.Millisecond)
		p.replace()
	}
	close(stop)
	callers.Wait()
}

func TestNoGuard(t *testing.T) {
	dir := t.TempDir()
	for name, e := range map[string]*remote.Endpoint{
		"nobody":       {Sockets: []string{filepath.Join(dir, "none")}},
		"named":        {Address: "unix:" + filepath.Join(dir, "none"), Start: func() error { t.Error("started"); return nil }},
		"cannot start": {Sockets: []string{filepath.Join(dir, "none")}, Own: filepath.Join(dir, "none"), Start: func() error { return errors.New("no program") }},
	} {
		if _, err := remote.Open(e, guard.Process); ck.Code(err) != ck.CKR_FUNCTION_REJECTED {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStartsOne(t *testing.T) {
	p := site(t)
	e := p.endpoint()
	e.Own = p.path
	e.Start = func() error { p.up(); return nil }
	g, err := remote.Open(e, guard.Process)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if _, err := remote.Open(e, guard.VM); ck.Code(err) != ck.CKR_FUNCTION_REJECTED {
		t.Errorf("a level that it has not: %v", err)
	}
	if text, err := remote.Report(e); err != nil || !bytes.Contains(text, []byte(`"service"`)) {
		t.Errorf("%s, %v", text, err)
	}
}

// A socket in a directory that others may write is not trusted.
func TestDistrust(t *testing.T) {
	p := start(t)
	if err := os.Chmod(filepath.Dir(p.path), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Open(p.endpoint(), guard.Process); ck.Code(err) != ck.CKR_FUNCTION_REJECTED {
		t.Errorf("%v", err)
	}
}

// A socket that another user may have made is not trusted, even where that user has closed the directory to others.
func TestDistrustOfOtherUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	for name, owned := range map[string]func(dir string) string{
		"the directory":        func(dir string) string { return dir },
		"the directory's home": filepath.Dir,
	} {
		p := site(t)
		p.path = filepath.Join(filepath.Dir(p.path), "own", "s")
		if err := os.Mkdir(filepath.Dir(p.path), 0o700); err != nil {
			t.Fatal(err)
		}
		p.up()
		if _, err := remote.Open(p.endpoint(), guard.Process); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(owned(filepath.Dir(p.path)), 12345, -1); err != nil {
			t.Fatal(err)
		}
		if _, err := remote.Open(p.endpoint(), guard.Process); ck.Code(err) != ck.CKR_FUNCTION_REJECTED {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Descriptors are named to who closes them in a forked child, and taken back.
func TestDescriptorsAreKnown(t *testing.T) {
	p := start(t)
	e := p.endpoint()
	var mu sync.Mutex
	kept := map[int]bool{}
	e.KeepFD = func(fd int) bool { mu.Lock(); defer mu.Unlock(); kept[fd] = true; return len(kept) < 3 }
	e.DropFD = func(fd int) { mu.Lock(); defer mu.Unlock(); delete(kept, fd) }
	g, err := remote.Open(e, guard.Process)
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != 1 {
		t.Errorf("%v", kept)
	}
	if err := g.Close(); err != nil || len(kept) != 0 {
		t.Errorf("%v, %v", kept, err)
	}
}
