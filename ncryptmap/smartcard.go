package ncryptmap

import (
	"strings"
	"unicode/utf16"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The smart card provider's keys are in tokens with the profile of a smart card (ncrypt11 init --profile smart-card). A card is never made by itself, and a
// key without a name is none of a card's: it is the software provider's.

// Legacy key specifications (dwLegacyKeySpec): what a key of a card is for.
const (
	AT_KEYEXCHANGE uint32 = 1
	AT_SIGNATURE   uint32 = 2
)

// readerPrefix begins the name of a container in a certain reader: \\.\READER\CONTAINER. A reader has one card for ever, and is called as the token is.
const readerPrefix = `\\.\`

// maxContainer is how many UTF-16 units a container's name may have: wszGuid of CONTAINER_MAP_RECORD has 40, with the NUL.
const maxContainer = 39

// splitContainer takes the name of a key of a card apart. A name without a reader has the reader "".
func splitContainer(name string) (reader, container string, err error) {
	container = name
	if path, ok := strings.CutPrefix(name, readerPrefix); ok {
		if reader, container, ok = strings.Cut(path, `\`); !ok || reader == "" {
			return "", "", nte.Errorf(nte.NTE_INVALID_PARAMETER, `%q is not \\.\READER\CONTAINER`, name)
		}
	}
	if err := plan.CheckName(container); err != nil {
		return "", "", nte.Errorf(nte.NTE_INVALID_PARAMETER, "%w", err)
	}
	switch units := len(utf16.Encode([]rune(container))); {
	case strings.Contains(container, `\`):
		return "", "", nte.Errorf(nte.NTE_INVALID_PARAMETER, `the container's name %q has a \`, container)
	case units > maxContainer:
		return "", "", nte.Errorf(nte.NTE_INVALID_PARAMETER, "a container's name of %d UTF-16 units, more than %d", units, maxContainer)
	}
	return reader, container, nil
}

// splitScope reads the scope of an enumeration: \\.\READER\, the last \ or not.
func splitScope(scope string) (reader string, err error) {
	path, ok := strings.CutPrefix(scope, readerPrefix)
	reader = strings.TrimSuffix(path, `\`)
	if !ok || reader == "" || strings.Contains(reader, `\`) {
		return "", nte.Errorf(nte.NTE_INVALID_PARAMETER, `the scope %q is not \\.\READER\`, scope)
	}
	return reader, nil
}

// in is the provider for one reader.
func (p *provider) in(reader string) *provider {
	return &provider{ksp: p.ksp, name: p.name, card: p.card, label: reader}
}

// software is the provider of keys that a card has not.
func (p *provider) software() *provider {
	return &provider{ksp: p.ksp, name: MS_KEY_STORAGE_PROVIDER}
}

func (p *provider) noCard() error {
	if p.label != "" {
		return nte.Errorf(nte.SCARD_E_NO_SMARTCARD, "there is no reader %q with a card: `ncrypt11 init --profile smart-card` makes one", p.label)
	}
	return nte.Errorf(nte.SCARD_E_NO_SMARTCARD, "there is no card: `ncrypt11 init --profile smart-card` makes one")
}

// place decides which provider has the key, by its name, which loses the reader. The program may have opened the smart card provider, and the name be one that
// the blob brought.
func (k *key) place() error {
	asked := k.asked
	switch {
	case !asked.card:
		return nil
	case k.flags&isolation != 0:
		return nte.Errorf(nte.NTE_BAD_FLAGS, "flags %#x are the software provider's: a card's keys are where the card's policy says", k.flags&isolation)
	case k.name == "":
		k.provider = asked.software()
		return nil
	case !k.provider.card && k.wrapped != nil:
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "the blob goes back into the token that made it, which is no card")
	}
	reader, container, err := splitContainer(k.name)
	if err != nil {
		return err
	}
	if reader != "" || !k.provider.card {
		k.provider = asked.in(reader)
	}
	k.name = container
	if _, there, err := k.provider.slot(k.machine); err != nil {
		return status(err)
	} else if !there {
		return k.provider.noCard()
	}
	return k.fits()
}

// fits says whether a key can be a card's.
func (k *key) fits() error {
	switch {
	case !k.provider.card:
		return nil
	case k.class == ck.CKO_SECRET_KEY:
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "cards have no %s keys", k.algorithm.name)
	case k.export != 0:
		return errLeaves
	}
	return nil
}

var errLeaves = nte.Errorf(nte.NTE_INVALID_PARAMETER, "no key leaves a card: its export policy is 0")

// specify gives a key of a card the usage that its legacy specification stands for. An exchange key signs as well.
func (k *key) specify(legacyKeySpec uint32) error {
	if !k.provider.card {
		return nil // nobody looks at it
	}
	const exchanges = ^plan.NCRYPT_ALLOW_SIGNING_FLAG
	switch {
	case legacyKeySpec == 0:
		return nil
	case legacyKeySpec == AT_KEYEXCHANGE && k.algorithm.usages&exchanges != 0:
		return nil
	case legacyKeySpec == AT_SIGNATURE:
		k.usage = plan.NCRYPT_ALLOW_SIGNING_FLAG
		return nil
	}
	return nte.Errorf(nte.NTE_INVALID_PARAMETER, "dwLegacyKeySpec %d is not for %s keys", legacyKeySpec, k.algorithm.name)
}

// legacyKeySpecOf is what a key that is stored is for.
func legacyKeySpecOf(set *attr.Set) uint32 {
	if token.RoleOf(set) == token.Exchange {
		return AT_KEYEXCHANGE
	}
	return AT_SIGNATURE
}

// openOnCard opens the key of the name in the first card that has it, or in that of the reader.
func (k *key) openOnCard(legacyKeySpec uint32) error {
	slots, err := k.provider.slots(k.machine)
	if err != nil {
		return err
	}
	locked := false
	for _, slot := range slots {
		info, err := k.provider.ksp.engine.TokenInfo(slot)
		if err != nil {
			return err
		}
		if k.session, err = k.provider.open(slot); err != nil {
			return err
		}
		err = k.load()
		switch {
		case err == nil && (legacyKeySpec == 0 || legacyKeySpec == k.legacyKeySpec):
			k.provider = k.provider.in(info.Label)
			return nil
		case err != nil && nte.Code(err) != nte.NTE_BAD_KEYSET:
			return err
		}
		locked = locked || info.Flags&ck.CKF_LOGIN_REQUIRED != 0 && k.session.Info().State != ck.CKS_RW_USER_FUNCTIONS
		_ = k.session.Close()
		k.session = nil
	}
	if locked {
		return nte.Errorf(nte.NTE_SILENT_CONTEXT, "no key %q is seen, and a card wants its PIN first: set the provider's property %q", k.name, NCRYPT_PIN_PROPERTY)
	}
	return noKeyset(k.name)
}

// cardStatuses are what cards call what is something else to other providers.
var cardStatuses = map[ck.RV]nte.Status{
	ck.CKR_TOKEN_WRITE_PROTECTED: nte.SCARD_E_UNSUPPORTED_FEATURE,
	ck.CKR_PIN_INCORRECT:         nte.SCARD_W_WRONG_CHV,
	ck.CKR_PIN_LOCKED:            nte.SCARD_W_CHV_BLOCKED,
	ck.CKR_DEVICE_MEMORY:         nte.SCARD_E_WRITE_TOO_MANY,
}

// status gives an error of the engine the status that the provider has for it.
func (p *provider) status(err error) error {
	if code, ok := cardStatuses[ck.Code(err)]; ok && p.card {
		return nte.Errorf(code, "%w", err)
	}
	return status(err)
}

// listCards gives the keys of all cards, or of the one in the reader that the scope names.
func (p *provider) listCards(scope string, flags uint32) ([]KeyName, error) {
	if scope != "" {
		reader, err := splitScope(scope)
		if err != nil {
			return nil, err
		}
		p = p.in(reader)
	}
	slots, err := p.slots(flags != 0)
	if err != nil {
		return nil, status(err)
	}
	if len(slots) == 0 && scope != "" {
		return nil, p.noCard()
	}
	var all []KeyName
	for _, slot := range slots {
		s, err := p.open(slot)
		if err != nil {
			return nil, status(err)
		}
		names, err := list(s, flags)
		_ = s.Close()
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	return all, nil
}

// getReader gives the name of the reader that a card's key is in.
func getReader(k *key, _ uint32) ([]byte, error) {
	if !k.provider.card {
		return nil, notSupported(NCRYPT_READER_PROPERTY)
	}
	if k.provider.label == "" {
		return nil, notFound(NCRYPT_READER_PROPERTY) // the key is not made yet
	}
	return blob.Wide(k.provider.label), nil
}
