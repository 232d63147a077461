package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/edge"
)

func invokeAsCommand() *cobra.Command {
	var data, account, payload, sample string
	var q edge.Invocation
	var event, sync, asJSON bool
	cmd := &cobra.Command{
		Use:   "invoke-as SERVICE --function NAME_OR_ARN --source-arn ARN",
		Short: "Invoke a function as an AWS service does, such as s3.amazonaws.com",
		Long: "The function's resource-based policy alone decides, as for a call of the service itself, with aws:SourceArn, aws:SourceAccount and\n" +
			"aws:SourceOrgID as given. The function runs as the service runs it, and waits for the answer or not; --event and --sync say otherwise.\n" +
			"--sample gives it an event such as the service sends (see licet events list). A denial, and an error of the function, is exit\n" +
			"status 1.\n\n" +
			"Only the root of the function's account can do this.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.Service = args[0]
			if event {
				q.Mode = edge.InvokeEvent
			} else if sync {
				q.Mode = edge.InvokeSync
			}
			var err error
			if sample != "" {
				q.Payload, err = sampleFor(sample, account, q)
			} else {
				q.Payload, err = payloadOf(payload)
			}
			if err != nil {
				return err
			}
			result, body, err := invokeAs(cmd.Context(), data, account, q)
			if err != nil {
				return err
			}
			if asJSON {
				if _, err := cmd.OutOrStdout().Write(body); err != nil {
					return err
				}
			} else if err := showInvoked(cmd.OutOrStdout(), result); err != nil {
				return err
			}
			return failureOfInvoked(result)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.SourceARN, "source-arn", "", "the resource for which the service calls (aws:SourceArn)")
	f.StringVar(&q.SourceAccount, "source-account", "", "the account of that resource (aws:SourceAccount)")
	f.StringVar(&q.SourceOrgID, "source-org-id", "", "the organization of that account (aws:SourceOrgID)")
	f.StringVar(&q.Function, "function", "", "name or ARN of the function")
	f.StringVar(&q.Qualifier, "qualifier", "", "version or alias")
	f.StringVar(&payload, "payload", "{}", "the event, as JSON, or @file")
	f.StringVar(&sample, "sample", "", "in the place of a payload: an event of licet events, for the resource of --source-arn")
	f.BoolVar(&event, "event", false, "do not wait for the function, whatever the service does")
	f.BoolVar(&sync, "sync", false, "wait for the function's answer, whatever the service does")
	f.BoolVar(&asJSON, "json", false, "print the server's answer as JSON")
	f.StringVar(&data, "data", "", "data directory of the server; default: the environment, else "+defaultDataDir())
	f.StringVar(&account, "account", "", "account whose root asks; default: the environment, else "+defaultAccount)
	cmd.MarkFlagsMutuallyExclusive("event", "sync")
	cmd.MarkFlagsMutuallyExclusive("payload", "sample")
	for _, name := range []string{"function", "source-arn"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is not there
		}
	}
	return cmd
}

// payloadOf is the text, or what the file after @ has.
func payloadOf(text string) (json.RawMessage, error) {
	if name, ok := strings.CutPrefix(text, "@"); ok {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read payload: %w", err)
		}
		text = string(b)
	}
	if !json.Valid([]byte(text)) {
		return nil, errors.New("the payload is not JSON")
	}
	return json.RawMessage(text), nil
}

// invokeAs asks the server to make the call.
func invokeAs(ctx context.Context, data, account string, q edge.Invocation) (result edge.Invoked, body []byte, err error) {
	t, err := findTarget(ctx, data, account)
	if err != nil {
		return result, nil, err
	}
	values := url.Values{"service": {q.Service}, "function": {q.Function}, "source-arn": {q.SourceARN}, "mode": {q.Mode},
		"qualifier": {q.Qualifier}, "source-account": {q.SourceAccount}, "source-org-id": {q.SourceOrgID}}
	if body, err = t.ask(ctx, http.MethodPost, edge.InvokeAsPage+"?"+values.Encode(), q.Payload); err != nil {
		return result, nil, err
	}
	if err := json.Unmarshal(body, &result); err != nil {
		return result, nil, fmt.Errorf("read the server's answer: %w", err)
	}
	return result, body, nil
}

func showInvoked(w io.Writer, r edge.Invoked) error {
	var b strings.Builder
	if r.Payload != "" {
		b.WriteString(r.Payload + "\n")
	}
	fmt.Fprintf(&b, "status %d  %s  request %s\n", r.Status, r.Type, r.RequestID)
	if r.Denied && r.Code == "" {
		fmt.Fprintf(&b, "The server observes: the call is denied, and was let through; licet explain %s tells why.\n", r.RequestID)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// failureOfInvoked is an error for a call that did not end well.
func failureOfInvoked(r edge.Invoked) error {
	switch {
	case r.Code != "" && r.Denied:
		return fmt.Errorf("%s: %s\nlicet explain %s", r.Code, printable(r.Message), r.RequestID)
	case r.Code != "":
		return fmt.Errorf("%s: %s", r.Code, printable(r.Message))
	case r.FunctionError != "":
		return fmt.Errorf("the function failed: %s", printable(r.FunctionError))
	default:
		return nil
	}
}
