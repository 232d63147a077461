package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/edge"
	"github.com/licet/licet/internal/sampleevent"
)

func eventsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show the events that AWS services invoke functions with",
	}
	list := &cobra.Command{
		Use:   "list",
		Short: "List the events, with who invokes and how",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return listEvents(cmd.OutOrStdout()) },
	}
	var v sampleevent.Values
	var source bool
	show := &cobra.Command{
		Use:   "show EVENT",
		Short: "Print an event as JSON",
		Long: "Prints an event as the service sends it, for example as a payload of aws lambda invoke. licet invoke-as --sample sends it as the\n" +
			"service would. The name of a service is enough where it has one event.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := sampleevent.Find(args[0])
			if err != nil {
				return err
			}
			if source {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), e.Source)
				return err
			}
			_, err = cmd.OutOrStdout().Write(e.JSON(v))
			return err
		},
	}
	f := show.Flags()
	f.StringVar(&v.SourceARN, "source-arn", "", "the resource for which the service invokes; default: an example")
	f.StringVar(&v.Account, "account", "", "account of what the event names; default: 123456789012")
	f.StringVar(&v.Region, "region", "", "region of what the event names; default: us-east-1")
	f.BoolVar(&source, "documentation", false, "print the address of the page that the event is from")
	cmd.AddCommand(list, show)
	return cmd
}

func listEvents(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "EVENT\tINVOKED BY\tMODE\tWHAT HAPPENED")
	for _, e := range sampleevent.All() {
		by := e.Principal
		if by == "" {
			by = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", e.Name, by, e.Mode, e.About)
	}
	return table.Flush()
}

// sampleFor is an event for an invocation. One of another service would be an event that cannot be.
func sampleFor(name, account string, q edge.Invocation) (json.RawMessage, error) {
	e, err := sampleevent.Find(name)
	if err != nil {
		return nil, err
	}
	if e.Principal != "" && !sameService(e.Principal, q.Service) {
		return nil, fmt.Errorf("the event %s is of %s, not of %s", e.Name, e.Principal, q.Service)
	}
	v := sampleevent.Values{Account: account, SourceARN: q.SourceARN}
	if a, err := arn.Parse(q.SourceARN); err == nil {
		v.Region, v.Partition = a.Region, a.Partition
		if a.AccountID != "" {
			v.Account = a.AccountID
		}
	}
	if v.Account == "" {
		v.Account = defaultAccount
	}
	return e.JSON(v), nil
}

// sameService tells whether a name is that of a service, perhaps with a region: sns.af-south-1.amazonaws.com.
func sameService(principal, name string) bool {
	first, domain, _ := strings.Cut(principal, ".")
	return name == principal || strings.HasPrefix(name, first+".") && strings.HasSuffix(name, "."+domain)
}
