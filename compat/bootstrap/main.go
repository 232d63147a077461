// Command bootstrap is a function on the official Go runtime, for tests: each event, a string, says what its handler does. It
// runs as a function only, keeps nothing, and prints when it is told to end.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
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

func main() {
	lambda.StartWithOptions(handle, lambda.WithEnableSIGTERM(func() { fmt.Println("told to end") }))
}
