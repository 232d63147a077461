package compat

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// variable is a secret in the environment of a function.
const variable = "a secret of the function's"

// The key is replaced while the server runs. Users, sessions and functions that were there before go on, after a restart too, until the old
// key is removed: then those sessions end, and nothing else.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	p := l.newUser(t, allow("lambda:InvokeFunction", "*"))
	f := l.newFunction(t, "import os\ndef handler(event, context):\n    return os.environ['SECRET']\n", func(in *lambda.CreateFunctionInput) {
		in.Environment = &types.Environment{Variables: map[string]string{"SECRET": variable}}
	})
	old := map[string]aws.Credentials{
		"the user's session": l.getSessionToken(t, p),
		"the root's session": sessionCredentials(must(l.as(l.root).sts.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{}))(t).Credentials),
	}
	works := func(when, who string, c aws.Credentials) {
		t.Helper()
		if got, err := l.as(c).invoke(t, f.name, `{}`); got != `"`+variable+`"` {
			t.Errorf("%s, %s: got %s, %v", when, who, got, err)
		}
	}
	all := func(when string) {
		t.Helper()
		works(when, "the user", p.credentials)
		works(when, "the root", l.root)
		for who, c := range old {
			works(when, who, c)
		}
	}
	key := func(args ...string) (string, error) {
		return l.command(t, l.root, l.binary, append([]string{"key", "--data", l.data}, args...)...)
	}
	all("before")
	out := must(key("rotate"))(t)
	words := strings.Fields(out)
	id := words[len(words)-1]
	all("after the rotation")
	fresh := l.getSessionToken(t, p)
	l.end(t)
	l.start(t)
	all("after a restart")
	if _, err := key("retire", id); err == nil || !strings.Contains(err.Error(), "sessions") {
		t.Errorf("a key that sessions need is removed: %v", err)
	}

	must(key("retire", "--now", id))(t)
	l.end(t)
	l.start(t)
	works("after the end of the old key", "the user", p.credentials)
	works("after the end of the old key", "a newer session", fresh)
	for who, c := range old {
		_, err := l.as(c).sts.GetCallerIdentity(t.Context(), nil)
		if got := code(err); got != "InvalidClientTokenId" {
			t.Errorf("%s: got %s, want InvalidClientTokenId", who, got)
		}
	}
}

// A key that is kept apart from the data is replaced by way of a copy, while the server runs. Without it the server does not start, and no other
// command makes one.
func TestKeyApart(t *testing.T) {
	t.Parallel()
	apart := t.TempDir()
	place, copied := filepath.Join(apart, "key"), filepath.Join(apart, "copy")
	if err := os.WriteFile(place, bytes.Repeat([]byte("key."), 8), 0o400); err != nil {
		t.Fatal(err)
	}
	l := newServer(t, "--key-file", place)
	p := l.newUser(t)
	session := l.getSessionToken(t, p)
	works := func(when string) {
		t.Helper()
		for who, c := range map[string]aws.Credentials{"the user": p.credentials, "the session": session} {
			if _, err := l.as(c).sts.GetCallerIdentity(t.Context(), nil); err != nil {
				t.Errorf("%s, %s: %v", when, who, err)
			}
		}
	}
	// install replaces a file at once, as Kubernetes and rotating scripts do.
	install := func(from, to string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(to+".new", must(os.ReadFile(from))(t), 0o600), os.Rename(to+".new", to)); err != nil {
			t.Fatal(err)
		}
	}
	key := func(args ...string) (string, error) {
		return l.command(t, l.root, l.binary, append([]string{"key", "--data", l.data, "--key-file", copied}, args...)...)
	}
	// settled waits until all servers have read what was installed.
	settled := func(args ...string) {
		t.Helper()
		_, err := key(args...)
		for deadline := time.Now().Add(time.Minute); err != nil && time.Now().Before(deadline); time.Sleep(time.Second) {
			_, err = key(args...)
		}
		if err != nil {
			t.Fatalf("licet key %q: %v", args, err)
		}
	}
	install(place, copied)
	must(key("add"))(t)
	if _, err := key("use"); err == nil || !strings.Contains(err.Error(), "Copy "+copied+" there") {
		t.Errorf("a key is used that the server does not have: %v", err)
	}
	install(copied, place)
	settled("use")
	install(copied, place)
	settled("reseal")
	works("after the rotation")
	l.end(t)
	if _, err := os.Lstat(filepath.Join(l.data, "key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data directory has a key: %v", err)
	}
	if err := os.Rename(place, place+".away"); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"env"}, {"account", "list"}} {
		args = append(args, "--data", l.data)
		if out, err := l.command(t, l.root, l.binary, args...); err == nil || !strings.Contains(err.Error(), place+" is not there") {
			t.Errorf("licet %q without the key: %s, %v", args, out, err)
		}
	}
	if err := os.Rename(place+".away", place); err != nil {
		t.Fatal(err)
	}
	l.start(t) // the place is remembered
	works("after a restart")
}

// Nothing that is secret can be read in the store's file, whether as it is or in a usual encoding.
func TestSecretsAreSealed(t *testing.T) {
	t.Parallel()
	if database != nil {
		t.Skip("the servers of this run have no file to look into")
	}
	l := newServer(t)
	p := l.newUser(t)
	root := l.as(l.root)
	l.newFunction(t, echo, func(in *lambda.CreateFunctionInput) {
		in.Environment = &types.Environment{Variables: map[string]string{"SECRET": variable}}
	})
	const password = "Sup3r-secret-passw0rd"
	must(root.iam.CreateLoginProfile(t.Context(), &iam.CreateLoginProfileInput{UserName: &p.name, Password: aws.String(password)}))(t)
	device := must(root.iam.CreateVirtualMFADevice(t.Context(), &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: aws.String("phone")}))(t)
	seed := string(device.VirtualMFADevice.Base32StringSeed)
	session := l.getSessionToken(t, p)
	l.end(t)

	var stored []byte
	for _, name := range must(filepath.Glob(filepath.Join(l.data, "licet.db*")))(t) {
		stored = append(stored, must(os.ReadFile(name))(t)...)
	}
	for _, public := range []string{p.name, p.credentials.AccessKeyID, *device.VirtualMFADevice.SerialNumber} {
		if !bytes.Contains(stored, []byte(public)) {
			t.Errorf("%s, which is no secret, is not found: neither would a secret be", public)
		}
	}
	for name, text := range map[string]string{
		"the root's secret key": l.root.SecretAccessKey, "a user's secret key": p.credentials.SecretAccessKey, "a password": password,
		"the seed of a device": seed, "a function's variable": variable, "a session's secret key": session.SecretAccessKey,
		"a session's token": session.SessionToken,
	} {
		if text == "" {
			t.Fatalf("%s is not known", name)
		}
		for how, b := range map[string]string{
			"as it is": text, "in base64": base64.RawStdEncoding.EncodeToString([]byte(text)), "in hexadecimal": hex.EncodeToString([]byte(text)),
		} {
			if bytes.Contains(stored, []byte(b)) {
				t.Errorf("%s is in the store %s", name, how)
			}
		}
	}
}
