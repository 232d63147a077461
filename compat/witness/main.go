// Command witness is a function that tells, past the server that runs it, when it begins and ends: the events of the cluster's test are
// counted by it. It needs the network of its server's host. Each environment has a connection to WITNESS, host:port, and writes a line
// "begin" or "end", the time by CLOCK_MONOTONIC in nanoseconds, which all processes of a machine share, and the event's name. When the
// process is killed the connection ends with it.
//
// An event is {"name": NAME, "ms": for how long it works}, or the records of a queue or a bucket, which are names. An event that could not be
// told of fails, so that it is tried again.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"golang.org/x/sys/unix"
)

type event struct {
	Name    string `json:"name"`
	MS      int    `json:"ms"`
	Records []struct {
		Body string `json:"body"`
		S3   struct {
			Object struct {
				Key string `json:"key"`
			} `json:"object"`
		} `json:"s3"`
	} `json:"Records"`
}

func (e event) names() []string {
	if e.Name != "" {
		return []string{e.Name}
	}
	var names []string
	for _, r := range e.Records {
		names = append(names, r.Body+r.S3.Object.Key)
	}
	return names
}

// dial makes the connection at the first event: what is built beforehand may never see one.
var dial = sync.OnceValues(func() (net.Conn, error) { return net.DialTimeout("tcp", os.Getenv("WITNESS"), 2*time.Second) })

func tell(what, name string) error {
	conn, err := dial()
	if err != nil {
		return err
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return err
	}
	_, err = fmt.Fprintf(conn, "%s %d %s\n", what, now.Nano(), name)
	return err
}

func handle(_ context.Context, e event) (string, error) {
	names := e.names()
	if len(names) == 0 {
		return "", errors.New("the event has no name")
	}
	for _, name := range names {
		if err := tell("begin", name); err != nil {
			return "", err
		}
		time.Sleep(time.Duration(e.MS) * time.Millisecond)
		if err := tell("end", name); err != nil {
			return "", err
		}
	}
	return names[0], nil
}

func main() { lambda.Start(handle) }
