package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/spf13/cobra"

	"github.com/licet/licet/internal/edge"
)

func explainCommand() *cobra.Command {
	var (
		data, account string
		asJSON        bool
		last, denied  bool
	)
	cmd := &cobra.Command{
		Use:   "explain [REQUEST_ID]",
		Short: "Say why a request was allowed or denied, and what would allow it",
		Long: "Asks the running server why it decided a request as it did: who, what, on which resource, what every policy said, and for a\n" +
			"denial the smallest change that would allow exactly this call. The request id is the x-amzn-RequestId of the answer.\n\n" +
			"The server and the root credentials are those of the environment (see licet env), or of --data and --account. Each account has\n" +
			"its own decisions.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == last {
				return errors.New("give a request id, or --last")
			}
			page := edge.DecisionsPage
			if len(args) == 1 {
				if denied {
					return errors.New("--denied goes with --last")
				}
				page += "/" + url.PathEscape(args[0])
			} else {
				page += "?limit=1&explain=true"
				if denied {
					page += "&denied=true"
				}
			}
			return explain(cmd.Context(), cmd.OutOrStdout(), data, account, page, asJSON)
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data directory of the server; default: the environment, else "+defaultDataDir())
	cmd.Flags().StringVar(&account, "account", "", "account whose root asks; default: the environment, else "+defaultAccount)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the explanation as JSON")
	cmd.Flags().BoolVar(&last, "last", false, "explain the last decision")
	cmd.Flags().BoolVar(&denied, "denied", false, "with --last: the last denial")
	return cmd
}

// explain fetches explanations and prints them.
func explain(ctx context.Context, w io.Writer, data, account, page string, asJSON bool) error {
	endpoint, root, err := target(ctx, data, account)
	if err != nil {
		return err
	}
	body, err := get(ctx, strings.TrimSuffix(endpoint, "/")+page, root)
	if err != nil {
		return err
	}
	var explanations []edge.Explanation
	if strings.HasPrefix(strings.TrimSpace(string(body)), "[") {
		err = json.Unmarshal(body, &explanations)
	} else {
		explanations = make([]edge.Explanation, 1)
		err = json.Unmarshal(body, &explanations[0])
	}
	if err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	if len(explanations) == 0 {
		return errors.New("the decision log has no such decision")
	}
	if asJSON {
		_, err = w.Write(body)
		return err
	}
	for _, e := range explanations {
		if _, err := io.WriteString(w, printable(e.Text)); err != nil {
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

// target finds the server and the root credentials: of the data directory and account if one is given, else of the environment.
func target(ctx context.Context, data, account string) (endpoint string, root aws.Credentials, err error) {
	if data == "" && account == "" && os.Getenv("AWS_ENDPOINT_URL") != "" && os.Getenv("AWS_ACCESS_KEY_ID") != "" {
		return os.Getenv("AWS_ENDPOINT_URL"), aws.Credentials{
			AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
		}, nil
	}
	if data == "" {
		data = defaultDataDir()
	}
	dir := dataDir(data)
	if endpoint, err = dir.endpoint(); err != nil {
		return "", root, err
	}
	if account == "" {
		account = defaultAccount
	}
	creds, err := rootCredentials(ctx, dir, account)
	return endpoint, aws.Credentials{AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey}, err
}

// get reads one of licet's own pages with a signed request.
func get(ctx context.Context, url string, c aws.Credentials) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	empty := sha256.Sum256(nil)
	if err := v4.NewSigner().SignHTTP(ctx, c, req, hex.EncodeToString(empty[:]), edge.SigningName, "us-east-1", time.Now()); err != nil {
		return nil, fmt.Errorf("sign request: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the server (does it run?): %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read the server's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	return body, nil
}
