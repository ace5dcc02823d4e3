package protocol

import (
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Nothing is a request or a reply without fields.
type Nothing struct{}

func (*Nothing) code(*coder) {}

// SessionID names a client's keys in a guard, for further connections of the same client. It is random, and a secret between the two.
type SessionID [16]byte

// Hello is the first request on every connection.
type Hello struct {
	Version uint16
	Join    SessionID // the session that the connection is for; zero: a new one
}

// code stops after the version where that is another one: the rest means what that version says, and its guard can say no more than that.
func (m *Hello) code(c *coder) {
	number(c, &m.Version, 2)
	if c.reading && c.err == nil && m.Version != Version {
		c.b = nil
		return
	}
	c.fixed(m.Join[:])
}

// Welcome answers Hello.
type Welcome struct {
	Session     SessionID
	Level       guard.Level
	PINLimit    int
	Unavailable string // why the guard does not count as isolating: not hardened, no TPM; empty: it does
}

func (m *Welcome) code(c *coder) {
	c.fixed(m.Session[:])
	number(c, &m.Level, 1)
	c.count(&m.PINLimit, 1<<16)
	c.text(&m.Unavailable, maxReason)
}

// Report answers Status: a JSON document for people.
type Report struct{ JSON []byte }

func (m *Report) code(c *coder) { c.bytes(&m.JSON, maxReport) }

// NewMaster is guard.Keys.NewMaster.
type NewMaster struct {
	Auth    *secret.Bytes
	Context []byte
	Terms   *seal.Terms
}

func (m *NewMaster) code(c *coder) {
	c.pin(&m.Auth)
	c.bytes(&m.Context, maxSmall)
	c.terms(&m.Terms)
}

func (m *NewMaster) release() { m.Auth.Close() }

// Opened answers NewMaster, Unlock and Resume.
type Opened struct {
	Vault  guard.Vault
	Sealed []byte // of a new master key
	Ticket []byte // opens the vault again, once this guard has ended (Resume)
}

func (m *Opened) code(c *coder) {
	number(c, &m.Vault, 8)
	c.bytes(&m.Sealed, maxSmall)
	c.bytes(&m.Ticket, maxSmall)
}

// Unlock is guard.Keys.Unlock.
type Unlock struct {
	Sealed  []byte
	Auth    *secret.Bytes
	Context []byte
}

func (m *Unlock) code(c *coder) {
	c.bytes(&m.Sealed, maxSmall)
	c.pin(&m.Auth)
	c.bytes(&m.Context, maxSmall)
}

func (m *Unlock) release() { m.Auth.Close() }

// Resume opens a vault that the client had unlocked in a guard that has ended.
type Resume struct{ Ticket []byte }

func (m *Resume) code(c *coder) { c.bytes(&m.Ticket, maxSmall) }

// Reseal is guard.Keys.Reseal.
type Reseal struct {
	Vault   guard.Vault
	Auth    *secret.Bytes
	Context []byte
}

func (m *Reseal) code(c *coder) {
	number(c, &m.Vault, 8)
	c.pin(&m.Auth)
	c.bytes(&m.Context, maxSmall)
}

func (m *Reseal) release() { m.Auth.Close() }

// Lock is guard.Keys.Lock.
type Lock struct{ Vault guard.Vault }

func (m *Lock) code(c *coder) { number(c, &m.Vault, 8) }

// Output answers with bytes.
type Output struct{ Data []byte }

func (m *Output) code(c *coder) { c.bytes(&m.Data, MaxData+maxSmall) }

// Generate is guard.Keys.Generate.
type Generate struct {
	Vault  guard.Vault
	Scheme *mech.Scheme
	Spec   *guard.KeySpec
	Policy *guard.Policy
}

func (m *Generate) code(c *coder) {
	number(c, &m.Vault, 8)
	c.scheme(&m.Scheme)
	c.spec(&m.Spec)
	c.policy(&m.Policy)
}

// Made answers whatever makes a key.
type Made struct{ Key guard.Key }

func (m *Made) code(c *coder) {
	number(c, &m.Key.Ref, 8)
	c.bytes(&m.Key.Record, MaxData)
	c.parts(&m.Key.Public)
}

// Import is guard.Keys.Import.
type Import struct {
	Vault    guard.Vault
	Material guard.Material
	Policy   *guard.Policy
}

func (m *Import) code(c *coder) {
	number(c, &m.Vault, 8)
	number(c, &m.Material.Class, 8)
	number(c, &m.Material.KeyType, 8)
	c.parts(&m.Material.Parts)
	c.policy(&m.Policy)
}

// Unwrap is guard.Keys.Unwrap.
type Unwrap struct {
	Vault   guard.Vault
	By      guard.Ref
	Scheme  *mech.Scheme
	Wrapped []byte
	Spec    *guard.KeySpec
	Policy  *guard.Policy
}

func (m *Unwrap) code(c *coder) {
	number(c, &m.Vault, 8)
	number(c, &m.By, 8)
	c.scheme(&m.Scheme)
	c.bytes(&m.Wrapped, MaxData)
	c.spec(&m.Spec)
	c.policy(&m.Policy)
}

// Derive is guard.Keys.Derive.
type Derive struct {
	Vault  guard.Vault
	Base   guard.Ref
	Scheme *mech.Scheme
	Spec   *guard.KeySpec
	Policy *guard.Policy
}

func (m *Derive) code(c *coder) {
	number(c, &m.Vault, 8)
	number(c, &m.Base, 8)
	c.scheme(&m.Scheme)
	c.spec(&m.Spec)
	c.policy(&m.Policy)
}

// Load is guard.Keys.Load.
type Load struct {
	Vault  guard.Vault
	Record []byte
}

func (m *Load) code(c *coder) {
	number(c, &m.Vault, 8)
	c.bytes(&m.Record, MaxData)
}

// OneRef is a request about a key, and the answer of Load.
type OneRef struct{ Ref guard.Ref }

func (m *OneRef) code(c *coder) { number(c, &m.Ref, 8) }

// Reissue is guard.Keys.Reissue.
type Reissue struct {
	Vault  guard.Vault
	Ref    guard.Ref
	Policy *guard.Policy
}

func (m *Reissue) code(c *coder) {
	number(c, &m.Vault, 8)
	number(c, &m.Ref, 8)
	c.policy(&m.Policy)
}

// Revealed answers Reveal.
type Revealed struct{ Parts []guard.Part }

func (m *Revealed) code(c *coder) { c.parts(&m.Parts) }

// Authorize is guard.Keys.Authorize.
type Authorize struct {
	Ref     guard.Ref
	Sealed  []byte
	Auth    *secret.Bytes
	Context []byte
}

func (m *Authorize) code(c *coder) {
	number(c, &m.Ref, 8)
	c.bytes(&m.Sealed, maxSmall)
	c.pin(&m.Auth)
	c.bytes(&m.Context, maxSmall)
}

func (m *Authorize) release() { m.Auth.Close() }

// Ticket answers Authorize.
type Ticket struct{ Ticket uint64 }

func (m *Ticket) code(c *coder) { number(c, &m.Ticket, 8) }

// Use is guard.Keys.Sign, SignRecover, Encrypt and Decrypt, and with no data Stream: Op says which.
type Use struct {
	Ref    guard.Ref
	Op     mech.Op
	Scheme *mech.Scheme
	Data   []byte
}

func (m *Use) code(c *coder) {
	number(c, &m.Ref, 8)
	number(c, &m.Op, 1)
	c.scheme(&m.Scheme)
	c.bytes(&m.Data, MaxData)
}

// Verify is guard.Keys.Verify.
type Verify struct {
	Ref       guard.Ref
	Scheme    *mech.Scheme
	Data, MAC []byte
}

func (m *Verify) code(c *coder) {
	number(c, &m.Ref, 8)
	c.scheme(&m.Scheme)
	c.bytes(&m.Data, MaxData)
	c.bytes(&m.MAC, maxSmall)
}

// Wrap is guard.Keys.Wrap.
type Wrap struct {
	By     guard.Ref
	Scheme *mech.Scheme
	Key    guard.Ref
}

func (m *Wrap) code(c *coder) {
	number(c, &m.By, 8)
	c.scheme(&m.Scheme)
	number(c, &m.Key, 8)
}

// WrapPublic is guard.Keys.WrapPublic.
type WrapPublic struct {
	By     []guard.Part
	Scheme *mech.Scheme
	Key    guard.Ref
}

func (m *WrapPublic) code(c *coder) {
	c.parts(&m.By)
	c.scheme(&m.Scheme)
	number(c, &m.Key, 8)
}

// OneStream is a request about a multi-part operation.
type OneStream struct{ Stream uint64 }

func (m *OneStream) code(c *coder) { number(c, &m.Stream, 8) }

// StreamPart is the next part of a multi-part operation, or the MAC that ends it.
type StreamPart struct {
	Stream uint64
	Data   []byte
}

func (m *StreamPart) code(c *coder) {
	number(c, &m.Stream, 8)
	c.bytes(&m.Data, MaxData)
}

// Streaming answers Stream and StreamUpdate.
type Streaming struct {
	Stream   uint64
	Data     []byte // output so far
	Shape    guard.StreamShape
	FinalLen int
}

func (m *Streaming) code(c *coder) {
	number(c, &m.Stream, 8)
	c.bytes(&m.Data, MaxData+maxSmall)
	c.count(&m.Shape.Unit, 1<<10)
	c.count(&m.Shape.Keep, 1<<10)
	c.count(&m.Shape.Held, 1<<31-1)
	c.count(&m.FinalLen, 1<<31-1)
}
