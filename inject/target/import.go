package target

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// ImportOptions say how to import.
type ImportOptions struct {
	Now    time.Time                                  // zero: now
	Keep   bool                                       // keep the target for more packages; else it goes with the import, and its keys unless Make was given them
	Rename func(i int, m *inject.Meta) (label string) // nil: labels as the package has them
	Opened func()                                     // called after each key that was opened, for who waits; nil: nobody does
}

// Imported is a key that a package brought.
type Imported struct {
	inject.Meta                 // with the label that it has now
	Private     ck.ObjectHandle // or secret
	Public      ck.ObjectHandle // of a private key's other half; 0: a secret key's
}

// Import takes in all of a package's keys in one durable step, together with a note that this package was imported, and the end of the target unless it
// is kept: all of that, or nothing. Errors: those of package inject, or of the token.
func Import(s *token.Session, p *inject.Package, o *ImportOptions) ([]Imported, error) {
	now := o.Now
	if now.IsZero() {
		now = time.Now()
	}
	done := kept(applicationDone, p.ID)
	if before, err := find(s, done); err != nil {
		return nil, err
	} else if len(before) > 0 {
		return nil, replayed(p)
	}
	t, at, err := whose(s, p)
	if err != nil {
		return nil, err
	}
	keys, err := keysOf(s, t)
	if err != nil {
		return nil, err
	}
	opener := newOpener(s, t, keys)
	defer opener.close()
	opened, err := p.Open(t, now, opener)
	if err != nil {
		return nil, overtaken(err)
	}
	metas := renamed(p, o.Rename)
	in := &token.Intake{By: opened.Key, Keys: func(yield func(token.Wrapped) bool) {
		for i, m := range metas {
			if !yield(wrapped(opened.Sealed(i), m)) {
				return
			}
			if o.Opened != nil {
				o.Opened()
			}
		}
	}, Note: keeping(applicationDone, p.ID, fmt.Appendf(nil, "%d keys, %s", len(metas), now.UTC().Format(time.RFC3339))), Once: done}
	if !o.Keep {
		own, err := ownOf(s, t)
		if err != nil {
			return nil, err
		}
		in.Gone = append(own, at)
	}
	taken, err := s.UnwrapTogether(in)
	if errors.Is(err, token.ErrTwice) {
		return nil, replayed(p)
	}
	if err != nil {
		return nil, overtaken(inject.Judged(err, "one of its keys"))
	}
	var imported []Imported
	for i, k := range taken {
		imported = append(imported, Imported{*metas[i], k.Key, k.Half})
	}
	return imported, nil
}

// goneCodes are what the token answers of objects that were there a moment ago.
var goneCodes = []ck.RV{ck.CKR_OBJECT_HANDLE_INVALID, ck.CKR_KEY_HANDLE_INVALID, ck.CKR_UNWRAPPING_KEY_HANDLE_INVALID}

// overtaken says of a target that went while a package for it was opened what is said of one that has gone.
func overtaken(err error) error {
	if !slices.Contains(goneCodes, ck.Code(err)) {
		return err
	}
	return fmt.Errorf("the package is %w: that target was used or removed meanwhile: %w", inject.ErrOtherTarget, err)
}

func replayed(p *inject.Package) error {
	return fmt.Errorf("package %x: %w", p.ID, inject.ErrReplayed)
}

// whose is the target in this token that the package is for, and where it is kept.
func whose(s *token.Session, p *inject.Package) (*inject.Target, ck.ObjectHandle, error) {
	for _, id := range p.Targets {
		handles, err := find(s, kept(applicationTarget, id))
		if err != nil {
			return nil, 0, err
		}
		if len(handles) > 0 {
			t, err := recall(s, handles[0])
			return t, handles[0], err
		}
	}
	return nil, 0, fmt.Errorf("the package is %w", inject.ErrOtherTarget)
}

// renamed are what the package says of its keys, with the labels that they are to have.
func renamed(p *inject.Package, rename func(int, *inject.Meta) string) []*inject.Meta {
	if rename == nil {
		return p.Keys
	}
	metas := slices.Clone(p.Keys)
	for i, m := range p.Keys {
		own := *m
		own.Label = rename(i, m)
		metas[i] = &own
	}
	return metas
}
