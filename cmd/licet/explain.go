package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/edge"
)

// explainFlags are what a person asks.
type explainFlags struct {
	data, account        string
	asJSON, full         bool
	last, denied         bool
	since                time.Duration
	as, action, resource string
	context              []string
	limit                int
	filterPrincipal      string
}

func explainCommand() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain [REQUEST_ID]",
		Short: "Say why a request was allowed or denied, and what would allow it",
		Long: "Asks the running server why it decided a request as it did: who, what, on which resource, what every policy said, and for a\n" +
			"denial the smallest change that would allow exactly this call. The request id is the x-amzn-RequestId of the answer.\n\n" +
			"  licet explain REQUEST_ID                     one request\n" +
			"  licet explain --last [--denied]              the last one\n" +
			"  licet explain --denied [--since 10m]         what was denied, the newest last\n" +
			"  licet explain --as ARN --action A --resource R [--context k=v]   what would be decided; nothing runs, nothing is recorded\n\n" +
			"The server and the root credentials are those of the environment (see licet env), or of --data and --account. Each account has\n" +
			"its own decisions.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			page, list, err := f.page(args)
			if err == nil && f.as != "" {
				err = f.askable()
			}
			if err != nil {
				return err
			}
			explanations, body, err := f.fetch(cmd.Context(), page)
			if err != nil {
				return err
			}
			switch {
			case f.asJSON:
				_, err = cmd.OutOrStdout().Write(body)
				return err
			case list:
				return newPainter(cmd.OutOrStdout()).print(denialList(explanations))
			case len(explanations) == 0:
				return errors.New("the decision log has no such decision")
			}
			return f.print(cmd.OutOrStdout(), explanations)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&f.data, "data", "", "data directory of the server; default: the environment, else "+defaultDataDir())
	fs.StringVar(&f.account, "account", "", "account whose root asks; default: the environment, else "+defaultAccount)
	fs.BoolVar(&f.asJSON, "json", false, "print JSON")
	fs.BoolVar(&f.full, "full", false, "print what every policy and statement said")
	fs.BoolVar(&f.last, "last", false, "explain the last decision")
	fs.BoolVar(&f.denied, "denied", false, "list the denials, the newest last; with --last: explain the last one")
	fs.DurationVar(&f.since, "since", 0, "how long ago, such as 10m or 2h; default: all that the log has")
	fs.IntVar(&f.limit, "limit", 100, "with --denied: so many denied calls, the newest")
	fs.StringVar(&f.filterPrincipal, "principal", "", "only calls of this principal, * for any characters")
	fs.StringVar(&f.as, "as", "", "who would call: ARN of a user, role, role session or root, or a service such as s3.amazonaws.com")
	fs.StringVar(&f.action, "action", "", "with --as: the IAM action, such as lambda:InvokeFunction; else only calls of this action")
	fs.StringVar(&f.resource, "resource", "", "with --as: ARN of the resource; default *; else only calls on this resource")
	fs.StringArrayVar(&f.context, "context", nil, "with --as: a condition key of the call, key=value; may be repeated")
	return cmd
}

// askable refuses to suppose a call that AWS never makes, such as s3:GetObject on all resources: the answer would be a denial, and its fix
// a statement that permits too much or nothing at all. What is no ARN the server refuses.
func (f *explainFlags) askable() error {
	resource := cmp.Or(f.resource, "*")
	if resource != "*" && !strings.HasPrefix(resource, "arn:") {
		return nil
	}
	data, err := awsdata.Load()
	if err != nil {
		return fmt.Errorf("load AWS's tables: %w", err)
	}
	if why := misfit(data, f.action, resource); why != "" {
		return fmt.Errorf("--resource: %s", why)
	}
	return nil
}

// page is what the server is asked; list tells that the answer is to be shown as one.
func (f *explainFlags) page(args []string) (page string, list bool, err error) {
	q := make(url.Values)
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	ways := 0
	for _, chosen := range []bool{len(args) == 1, f.last, f.as != "", f.denied && !f.last && len(args) == 0} {
		if chosen {
			ways++
		}
	}
	switch {
	case ways != 1:
		return "", false, errors.New("give a request id, or --last, or --denied, or --as with --action")
	case f.since < 0:
		return "", false, errors.New("--since must be a length of time, such as 10m")
	case len(args) == 1 && (f.denied || f.since != 0 || f.action != "" || f.resource != "" || f.filterPrincipal != ""):
		return "", false, errors.New("a request id goes with no filter")
	case f.as == "" && f.context != nil:
		return "", false, errors.New("--context goes with --as")
	case f.as != "" && (f.action == "" || f.denied || f.since != 0 || f.filterPrincipal != ""):
		return "", false, errors.New("--as wants --action, and goes with no filter")
	case len(args) == 1:
		return edge.DecisionsPage + "/" + url.PathEscape(args[0]), false, nil
	}
	set("action", f.action)
	set("resource", f.resource)
	if f.as != "" {
		set("as", f.as)
		q["context"] = f.context
		return edge.SupposePage + "?" + q.Encode(), false, nil
	}
	q.Set("explain", "true")
	q.Set("limit", "1")
	set("principal", f.filterPrincipal)
	if f.denied {
		q.Set("denied", "true")
	}
	if f.since > 0 {
		q.Set("since", time.Now().Add(-f.since).UTC().Format(time.RFC3339))
	}
	if !f.last {
		q.Set("limit", strconv.Itoa(f.limit))
	}
	return edge.DecisionsPage + "?" + q.Encode(), !f.last, nil
}

// fetch reads explanations from the server.
func (f *explainFlags) fetch(ctx context.Context, page string) (explanations []edge.Explanation, body []byte, err error) {
	t, err := findTarget(ctx, f.data, f.account)
	if err != nil {
		return nil, nil, err
	}
	if body, err = t.ask(ctx, http.MethodGet, page, nil); err != nil {
		return nil, nil, err
	}
	if strings.HasPrefix(strings.TrimSpace(string(body)), "[") {
		err = json.Unmarshal(body, &explanations)
	} else {
		explanations = make([]edge.Explanation, 1)
		err = json.Unmarshal(body, &explanations[0])
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the server's answer: %w", err)
	}
	return explanations, body, nil
}

func (f *explainFlags) print(w io.Writer, explanations []edge.Explanation) error {
	for _, e := range explanations {
		if f.full {
			if _, err := io.WriteString(w, printable(e.Text)); err != nil {
				return err
			}
			continue
		}
		if err := newPainter(w).print(e.Report); err != nil {
			return err
		}
	}
	return nil
}

// printable keeps a terminal from taking parts of a text for commands: policies and names are written by those whose calls are
// explained.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
