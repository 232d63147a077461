// Command extension is an external extension for tests. It runs in a layer only, keeps nothing, and prints the events that it gets
// until SHUTDOWN. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if err := run("http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2020-01-01/extension/"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(api string) error {
	register, err := http.NewRequest(http.MethodPost, api+"register", strings.NewReader(`{"events": ["INVOKE", "SHUTDOWN"]}`))
	if err != nil {
		return err
	}
	register.Header.Set("Lambda-Extension-Name", filepath.Base(os.Args[0]))
	answer, err := http.DefaultClient.Do(register)
	if err != nil {
		return err
	}
	answer.Body.Close()
	for {
		next, err := http.NewRequest(http.MethodGet, api+"event/next", nil)
		if err != nil {
			return err
		}
		next.Header.Set("Lambda-Extension-Identifier", answer.Header.Get("Lambda-Extension-Identifier"))
		event, err := http.DefaultClient.Do(next)
		if err != nil {
			return err
		}
		var got struct{ EventType, RequestID, ShutdownReason string }
		err = json.NewDecoder(event.Body).Decode(&got)
		event.Body.Close()
		if err != nil {
			return err
		}
		fmt.Println("agent got:", got.EventType, got.RequestID+got.ShutdownReason)
		if got.EventType == "SHUTDOWN" {
			return nil
		}
	}
}
