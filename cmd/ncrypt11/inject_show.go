package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/attest"
)

func (a *app) injectShowCommand() *cobra.Command {
	var trust trustFlags
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show what a target or a package says",
		Long: "Shows what stands in a target file or in a package, and says which of it nothing vouches for. What a package says is authenticated only where it is\n" +
			"opened; what a target says, once its TPM is believed: by --roots or --fingerprint.",
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(filled(cmd, "nonce"), trust.read()); err != nil {
				return err
			}
			return a.showFile(args[0], &trust)
		},
	}
	trust.register(cmd)
	return cmd
}

// showFile tells the two kinds of files apart by how they begin: a target is JSON.
func (a *app) showFile(name string, trust *trustFlags) error {
	f, err := a.openInput(name)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	if startsTarget(r) {
		t, err := parseTarget(name, r)
		if err != nil {
			return err
		}
		return a.showTargetFile(name, t, trust)
	}
	p, err := inject.ReadPackage(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return a.showPackage(p)
}

// startsTarget says whether what comes begins like a target file. What cannot be read is told by who reads it.
func startsTarget(r *bufio.Reader) bool {
	first, _ := r.Peek(1)
	return bytes.Equal(first, []byte("{"))
}

// claimed is a target file's content, and whether it is to be believed.
type claimed struct {
	*shownTarget
	Verified bool   `json:"verified"` // the TPM is believed, and vouches for the rest
	Problem  string `json:"problem,omitempty"`
}

// showTargetFile fails where it was told whom to believe, and cannot.
func (a *app) showTargetFile(name string, t *inject.Target, trust *trustFlags) error {
	identity, err := trust.check(name, t)
	c := &claimed{shownTarget: describeTarget(t, identity), Verified: err == nil}
	if err != nil {
		c.Problem = oneLine(explain(err))
	}
	if !trust.given() {
		err = nil
	}
	if a.json {
		return errors.Join(a.printJSON(c), err)
	}
	a.printTarget(c, identity)
	return err
}

func (a *app) printTarget(c *claimed, identity *attest.Identity) {
	print := func(name, value string) {
		if value != "" {
			fmt.Fprintf(a.stdout, "%-13s %s\n", name+":", value)
		}
	}
	print("Target", c.ID)
	print("Suite", c.Suite)
	print("Token", fmt.Sprintf("%s (serial %s)", display(c.Token), display(c.Serial)))
	print("Made", c.Made.Format(time.RFC3339))
	print("Expires", c.Expires.Format(time.RFC3339))
	print("Nonce", c.Nonce)
	print("Sender", c.Sender)
	print("Digest", c.Digest)
	print("Isolation", c.Isolation)
	for _, k := range c.Keys {
		print("Key", fmt.Sprintf("%s %s", k.Role, k.Fingerprint))
	}
	if identity != nil {
		print("Fingerprint", c.Fingerprint)
	}
	if c.TPM != nil {
		print("TPM", fmt.Sprintf("%s %s, version %s", display(c.TPM.Manufacturer), display(c.TPM.Model), display(c.TPM.Version)))
	}
	if c.Verified {
		print("Verified", "yes: this TPM is believed, and vouches for all of this")
	} else {
		print("Verified", "no, none of this: "+c.Problem)
	}
}

// packed is a package, as JSON. Nothing of it is authenticated but what a sender signed.
type packed struct {
	Package string       `json:"package"` // its id
	Made    time.Time    `json:"made"`
	Expires time.Time    `json:"expires"`
	Signed  bool         `json:"signed"`           // the signature is good; whose it is, Sender says
	Sender  string       `json:"sender,omitempty"` // SHA-256 of his public key
	Targets []string     `json:"targets"`          // their ids
	Keys    []*packedKey `json:"keys"`
}

func (a *app) showPackage(p *inject.Package) error {
	d := &packed{Package: hex.EncodeToString(p.ID[:]), Made: p.Made.UTC(), Expires: p.Expires.UTC(), Signed: len(p.Sender) > 0}
	if d.Signed {
		d.Sender = hex.EncodeToString(inject.Fingerprint(p.Sender))
	}
	for _, id := range p.Targets {
		d.Targets = append(d.Targets, hex.EncodeToString(id[:]))
	}
	for _, m := range p.Keys {
		d.Keys = append(d.Keys, describePacked(m))
	}
	if a.json {
		return a.printJSON(d)
	}
	fmt.Fprintf(a.stdout, "Package:  %s\nMade:     %s\nExpires:  %s\n", d.Package, d.Made.Format(time.RFC3339), d.Expires.Format(time.RFC3339))
	for _, id := range d.Targets {
		fmt.Fprintf(a.stdout, "Target:   %s\n", id)
	}
	if d.Signed {
		fmt.Fprintf(a.stdout, "Sender:   %s; the signature is good\nVerified: all of this, if you know the sender; not that keys are in it\n", d.Sender)
	} else {
		fmt.Fprint(a.stdout, "Sender:   not signed\nVerified: none of this, until the package is opened\n")
	}
	rows := make([][]string, len(d.Keys))
	for i, k := range d.Keys {
		rows[i] = []string{k.Key, display(k.Label), k.ID}
	}
	return printTable(a.stdout, []string{"KEY", "LABEL", "ID"}, rows)
}

// parseTarget reads a target file.
func parseTarget(name string, r io.Reader) (*inject.Target, error) {
	const most = 1 << 20 // no target file is near that
	data, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return nil, err
	}
	t, err := inject.ParseTarget(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}
