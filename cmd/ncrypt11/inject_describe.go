package main

import (
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

// shownTarget is a target as it is printed.
type shownTarget struct {
	ID          string     `json:"id"`
	Suite       string     `json:"suite"`
	Token       string     `json:"token"`
	Serial      string     `json:"serial"`
	Made        time.Time  `json:"made"`
	Expires     time.Time  `json:"expires"`
	Nonce       string     `json:"nonce,omitempty"`
	Sender      string     `json:"sender,omitempty"` // SHA-256 of the only accepted sender's public key
	Digest      string     `json:"digest"`           // of what its guard stated
	Isolation   string     `json:"isolation"`
	Fingerprint string     `json:"fingerprint,omitempty"` // of the TPM's endorsement key
	TPM         *shownTPM  `json:"tpm,omitempty"`         // by its certificate
	Keys        []shownKey `json:"keys"`
}

type shownTPM struct {
	Manufacturer string `json:"manufacturer"`
	Model        string `json:"model"`
	Version      string `json:"version"`
}

type shownKey struct {
	Role        string `json:"role"`
	Fingerprint string `json:"fingerprint"` // SHA-256 of the public key
}

func describeTarget(t *inject.Target, id *attest.Identity) *shownTarget {
	d := &shownTarget{
		ID: hex.EncodeToString(t.ID[:]), Suite: string(t.Suite), Token: t.Label, Serial: t.Serial, Made: t.Stated.Made.UTC(), Expires: t.Stated.Asked.Expires.UTC(),
		Nonce: hex.EncodeToString(t.Stated.Asked.Nonce), Sender: hex.EncodeToString(t.Sender), Isolation: t.Stated.Level.String(),
	}
	digest := t.Digest()
	d.Digest = hex.EncodeToString(digest[:])
	for i, role := range t.Suite.Roles() {
		d.Keys = append(d.Keys, shownKey{role.Name, hex.EncodeToString(inject.Fingerprint(t.Stated.Keys[i].Public))})
	}
	if id != nil {
		d.Fingerprint = fingerprintOf(id)
		if id.Certificate != nil {
			d.TPM = &shownTPM{id.Manufacturer, id.Model, id.Version}
		}
	}
	return d
}

// showTarget prints what was made: where the target file goes to standard output, beside it.
func (a *app) showTarget(t *inject.Target, id *attest.Identity, output string) error {
	d := describeTarget(t, id)
	if t.Stated.Level < guard.Service {
		fmt.Fprintf(a.stderr, "The guard is of level %v, in its user's hands: servers that seal with --min-isolation %v refuse this target.\n", t.Stated.Level, guard.Service)
	}
	to := a.stdout
	if output == "" || output == "-" {
		if a.json {
			return nil // the target file is JSON
		}
		to = a.stderr
	} else if a.json {
		return a.printJSON(d)
	}
	fmt.Fprintf(to, "Target:       %s, until %s\n", d.ID, d.Expires.Format(time.RFC3339))
	_, err := fmt.Fprintf(to, "Digest:       %s\nFingerprint:  %s\n", d.Digest, d.Fingerprint)
	return err
}

// packedUses are the names of the uses of packed keys, as --usage has them.
var packedUses = []struct {
	name string
	use  guard.Usage
}{
	{"sign", guard.UseSign},
	{"sign-recover", guard.UseSignRecover},
	{"decrypt", guard.UseDecrypt},
	{"unwrap", guard.UseUnwrap},
	{"derive", guard.UseDerive},
	{"decapsulate", guard.UseDecapsulate},
}

// packedUsage is what --usage makes of a key. The names were checked.
func packedUsage(names []string) (use guard.Usage) {
	for _, u := range packedUses {
		if slices.Contains(names, u.name) {
			use |= u.use
		}
	}
	return use
}

// packedKey is what a package says of a key, as it is printed.
type packedKey struct {
	Label     string   `json:"label"`
	ID        string   `json:"id"`
	Key       string   `json:"key"`
	Usage     []string `json:"usage"`
	PublicKey string   `json:"public_key,omitempty"` // PEM
}

func describePacked(m *inject.Meta) *packedKey {
	k := &packedKey{Label: m.Label, ID: hex.EncodeToString(m.ID), Key: nameOfKey(m)}
	if len(m.Public) > 0 {
		k.PublicKey = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: m.Public}))
	}
	for _, u := range packedUses {
		if m.Usage&u.use != 0 {
			k.Usage = append(k.Usage, u.name)
		}
	}
	return k
}

// nameOfKey says what key it is, as in RSA-2048.
func nameOfKey(m *inject.Meta) string {
	var set attr.Set
	set.Put(ck.CKA_PUBLIC_KEY_INFO, m.Public)
	if name := certifiedKey(&set); name != "" {
		return name
	}
	return strings.TrimPrefix(m.KeyType.String(), "CKK_")
}
