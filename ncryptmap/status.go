package ncryptmap

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// status gives an error of the engine NCrypt's status, where it has not one already.
func status(err error) error {
	var known *nte.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, token.ErrNameTaken):
		return nte.Errorf(nte.NTE_EXISTS, "%w", err)
	case errors.Is(err, store.ErrDamaged):
		return nte.Errorf(nte.NTE_BAD_KEY, "%w", err)
	}
	return nte.Errorf(nte.FromRV(ck.Code(err)), "%w", err)
}
