package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show versions",
		Args:  arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			cryptoki := fmt.Sprintf("%d.%d", ck.CRYPTOKI_VERSION_MAJOR, ck.CRYPTOKI_VERSION_MINOR)
			if a.json {
				return a.printJSON(map[string]string{"ncrypt11": version(), "pkcs11": cryptoki, "go": runtime.Version()})
			}
			fmt.Fprintf(a.stdout, "ncrypt11 %s (PKCS #11 %s, %s)\n", version(), cryptoki, runtime.Version())
			return nil
		},
	}
}
