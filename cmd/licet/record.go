package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/edge"
)

func recordCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "record",
		Short: "Let denied calls through for a while, to see what a function needs",
		Long: "While a recording is on, the calls of a role's sessions, or of all principals of the account, are judged and recorded as ever, but\n" +
			"those that are denied in the account pass; answers say so in x-licet-decision. What other accounts' policies, SCPs\n" +
			"and RCPs deny stays denied, and so does everything for everybody else. A server that starts again enforces. Afterwards licet\n" +
			"generate-policy writes the policy.\n\n" +
			"Only the root of the account can do this, on the server's own machine.",
	}
	cmd.AddCommand(
		recordSwitch("start", "Begin to let denied calls through", http.MethodPost),
		recordSwitch("stop", "Enforce again, and wait until the logs of what ran are written", http.MethodDelete),
		recordSwitch("status", "Show what is recorded", http.MethodGet),
	)
	return cmd
}

func recordSwitch(name, short, method string) *cobra.Command {
	var data, account, role string
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := findTarget(cmd.Context(), data, account)
			if err != nil {
				return err
			}
			page := edge.RecordPage
			if role != "" {
				page += "?role=" + url.QueryEscape(role)
			}
			body, err := t.ask(cmd.Context(), method, page, nil)
			if err != nil {
				return err
			}
			var r edge.Recordings
			if err := json.Unmarshal(body, &r); err != nil {
				return fmt.Errorf("read the server's answer: %w", err)
			}
			if method == http.MethodDelete { // so that what comes next, such as licet generate-policy, sees everything
				select {
				case <-time.After(dispatch.Lateness):
				case <-cmd.Context().Done():
					return cmd.Context().Err()
				}
			}
			return showRecordings(cmd.OutOrStdout(), r)
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data directory of the server; default: the environment, else "+defaultDataDir())
	cmd.Flags().StringVar(&account, "account", "", "account whose root asks; default: the environment, else "+defaultAccount)
	if method != http.MethodGet {
		cmd.Flags().StringVar(&role, "role", "", "name or ARN of the role; default: all principals of the account")
	}
	return cmd
}

func showRecordings(w io.Writer, r edge.Recordings) error {
	var b strings.Builder
	if r.All {
		fmt.Fprintf(&b, "RECORDING all principals of account %s: their denied calls are recorded and let through.\n", r.Account)
	}
	for _, role := range r.Roles {
		fmt.Fprintf(&b, "RECORDING %s: its denied calls are recorded and let through.\n", printable(role))
	}
	if b.Len() == 0 {
		fmt.Fprintf(&b, "Nothing is recorded in account %s: denied calls are refused.\n", r.Account)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
