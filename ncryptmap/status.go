package ncryptmap

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
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
	}
	return nte.Errorf(nte.FromRV(ck.Code(err)), "%w", err)
}
