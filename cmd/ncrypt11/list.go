package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) listCommand() *cobra.Command {
	var flags sessionFlags
	var which selection
	var login bool
	cmd := &cobra.Command{
		Use:   "list [URI]",
		Short: "List the keys and certificates of a token",
		Long: "Lists the objects of a token, all or those that the flags and the URI choose. Private ones are shown after a login only: give\n" +
			"the PIN, or --login to be asked for it.",
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := which.parse(args, &flags); err != nil {
				return err
			}
			return a.withSession(cmd, &flags, access{login: login}, func(s *session) error { return a.list(s, &which) })
		},
	}
	flags.register(a, cmd)
	which.register(cmd)
	cmd.Flags().BoolVar(&login, "login", false, "log in, and ask for the PIN")
	return cmd
}

// listing is the JSON of the commands that show objects.
type listing struct {
	Token    string    `json:"token"`
	Serial   string    `json:"serial"`
	LoggedIn bool      `json:"logged_in"` // otherwise there may be private objects that are not shown
	Objects  []*object `json:"objects"`
}

func (a *app) list(s *session, which *selection) error {
	objects, err := which.find(s)
	if err != nil {
		return err
	}
	if a.json {
		return a.show(s, objects)
	}
	if len(objects) == 0 {
		fmt.Fprintln(a.stderr, "There is no such object.")
	} else if err := a.show(s, objects); err != nil {
		return err
	}
	if !s.loggedIn {
		fmt.Fprintln(a.stderr, "Private objects are shown after a login: add --login.")
	}
	return nil
}

// show prints objects, as a table or as JSON.
func (a *app) show(s *session, objects []*object) error {
	if !a.json {
		return printObjects(a.stdout, objects)
	}
	if objects == nil {
		objects = []*object{} // an empty list, not null
	}
	return a.printJSON(listing{s.token.info.Label, s.token.info.SerialNumber, s.loggedIn, objects})
}
