// Command imaged is a function in a container image, for tests: it answers with what it sees. It runs as a function only.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

// seen is the answer.
type seen struct {
	Args []string          `json:"args"`
	Dir  string            `json:"dir"`
	User int               `json:"user"`
	Env  map[string]string `json:"env"`
	// Files are the contents of those that the event names, or why there are none.
	Files map[string]string `json:"files"`
	// Written are those places where a file can be made.
	Written []string `json:"written"`
}

// event says what to look at.
type event struct{ Env, Files, Write []string }

func handle(_ context.Context, e event) (seen, error) {
	dir, err := os.Getwd()
	if err != nil {
		return seen{}, err
	}
	s := seen{Args: os.Args, Dir: dir, User: os.Getuid(), Env: map[string]string{}, Files: map[string]string{}}
	for _, name := range e.Env {
		s.Env[name] = os.Getenv(name)
	}
	for _, name := range e.Files {
		content, err := os.ReadFile(name)
		if err != nil {
			content = []byte(err.Error())
		}
		s.Files[name] = string(content)
	}
	for _, dir := range e.Write {
		if os.WriteFile(dir+"/made", nil, 0o600) == nil {
			s.Written = append(s.Written, dir)
		}
	}
	return s, nil
}

func main() { lambda.Start(handle) }
