// Command bootstrap is a function on the official Go runtime, for tests: each event, a string, says what its handler does; with the handler
// "url" its events are requests to a function URL. It runs as a function only, keeps nothing, and prints when it is told to end.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-lambda-go/lambdaurl"
)

func handle(ctx context.Context, event string) (string, error) {
	switch event {
	case "fail":
		return "", errors.New("failed as told")
	case "panic":
		panic("panicked as told")
	case "exit":
		os.Exit(5)
	case "sleep":
		time.Sleep(time.Minute)
	case "id":
		about, ok := lambdacontext.FromContext(ctx)
		if !ok {
			return "", errors.New("no context")
		}
		return about.AwsRequestID + " " + about.InvokedFunctionArn, nil
	}
	return event, nil
}

// serve tells what it sees of a request to a function URL, in the official library's own types, and streams two parts.
func serve(w http.ResponseWriter, r *http.Request) {
	event, ok := lambdaurl.RequestFromContext(r.Context())
	if !ok {
		http.Error(w, "no event", http.StatusInternalServerError)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("X-Own", r.Header.Get("X-Own"))
	w.WriteHeader(http.StatusTeapot)
	fmt.Fprintf(w, "%s %s %x", r.Method, r.URL, body)
	fmt.Fprintf(w, " %s %s", event.RequestContext.APIID, event.RequestContext.HTTP.SourceIP)
}

func main() {
	if os.Getenv("_HANDLER") == "url" {
		lambdaurl.Start(http.HandlerFunc(serve))
		return
	}
	lambda.StartWithOptions(handle, lambda.WithEnableSIGTERM(func() { fmt.Println("told to end") }))
}
