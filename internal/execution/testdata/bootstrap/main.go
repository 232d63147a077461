// Command bootstrap is a runtime for tests: each event names what to do.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"
	for {
		resp, err := http.Get(base + "invocation/next")
		if err != nil {
			os.Exit(2)
		}
		event, err := io.ReadAll(resp.Body)
		if err != nil {
			os.Exit(2)
		}
		resp.Body.Close()
		answer := run(strings.Trim(string(event), `"`))
		url := base + "invocation/" + resp.Header.Get("Lambda-Runtime-Aws-Request-Id") + "/response"
		if resp, err = http.Post(url, "application/json", strings.NewReader(fmt.Sprintf("%q", answer))); err != nil {
			os.Exit(2)
		}
		resp.Body.Close()
	}
}

func run(event string) string {
	command, argument, _ := strings.Cut(event, " ")
	switch command {
	case "exit":
		fmt.Println("leaving")
		os.Exit(3)
	case "kill":
		p, _ := os.FindProcess(os.Getpid())
		_ = p.Kill()
		time.Sleep(time.Minute)
	case "sleep":
		time.Sleep(time.Minute)
	case "print":
		fmt.Println(argument)
		fmt.Fprintln(os.Stderr, argument)
	case "env":
		return os.Getenv(argument)
	case "get": // from the AWS endpoint
		resp, err := http.Get(os.Getenv("AWS_ENDPOINT_URL") + argument)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return string(b)
	case "keep": // in /tmp
		dir := os.Getenv("TMPDIR")
		if dir == "" {
			dir = "/tmp"
		}
		old, _ := os.ReadFile(dir + "/kept")
		if err := os.WriteFile(dir+"/kept", []byte(argument), 0o600); err != nil {
			return err.Error()
		}
		return string(old)
	}
	return argument
}
