// Command bootstrap is the function that the benchmarks run: it speaks the Runtime API and answers each event with itself.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	err := serve("http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/")
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// serve answers events until that fails.
func serve(api string) error {
	var event bytes.Buffer
	for {
		next, err := http.Get(api + "next")
		if err != nil {
			return err
		}
		event.Reset()
		if _, err := io.Copy(&event, next.Body); err != nil {
			return err
		}
		if err := next.Body.Close(); err != nil {
			return err
		}
		id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		answer, err := http.Post(api+id+"/response", "application/json", bytes.NewReader(event.Bytes()))
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			return err
		}
		if err := answer.Body.Close(); err != nil {
			return err
		}
	}
}
