//go:build linux

package compat

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/internal/history"
)

// register is something of the control plane that has one value at a time. "" is what it has when it is not there.
type register struct {
	name  string
	read  func(ctx context.Context, d door) (string, error)
	write func(ctx context.Context, d door, value string) error
	// swap and remove are nil where there is no such thing.
	swap   func(ctx context.Context, d door, old, value string) error
	remove func(ctx context.Context, d door) error
}

func (w *work) useRegister(r register, client int, last *string, random *rand.Rand) {
	d := w.doors[random.IntN(len(w.doors))]
	o := history.Operation{Client: client, Node: d.node.name, Key: r.name}
	var err error
	switch kind := random.IntN(10); {
	case kind < 5:
		o.Call, o.Return, o.Outcome, err = w.call(func(ctx context.Context) (err error) {
			o.Value, err = r.read(ctx, d)
			return err
		})
		if err != nil {
			o.Outcome = history.Unknown
		} else {
			*last = o.Value
		}
	case kind == 5 && r.remove != nil:
		o.Kind = history.Write
		o.Call, o.Return, o.Outcome, err = w.call(func(ctx context.Context) error { return r.remove(ctx, d) })
	case kind < 8 && r.swap != nil:
		o.Kind, o.Old, o.Value = history.Swap, *last, w.value()
		o.Call, o.Return, o.Outcome, err = w.call(func(ctx context.Context) error { return r.swap(ctx, d, o.Old, o.Value) })
	default:
		o.Kind, o.Value = history.Write, w.value()
		o.Call, o.Return, o.Outcome, err = w.call(func(ctx context.Context) error { return r.write(ctx, d, o.Value) })
	}
	w.root(r.name, d.node, o.Call, err)
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	w.seen.operations = append(w.seen.operations, o)
}

// policyRegister is an inline policy; its value is the id of its statement.
func (w *work) policyRegister(user string) register {
	name := aws.String("register")
	return register{
		name: "policy-register",
		read: func(ctx context.Context, d door) (string, error) {
			out, err := d.iam.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: &user, PolicyName: name})
			if _, absent := errors.AsType[*iamtypes.NoSuchEntityException](err); absent {
				return "", nil
			}
			if err != nil {
				return "", err
			}
			text, err := url.QueryUnescape(*out.PolicyDocument)
			if err != nil {
				return "", err
			}
			var p struct{ Statement []struct{ Sid string } }
			if err := json.Unmarshal([]byte(text), &p); err != nil || len(p.Statement) != 1 {
				return "", fmt.Errorf("read %q: %w", text, err)
			}
			return p.Statement[0].Sid, nil
		},
		write: func(ctx context.Context, d door, value string) error {
			_, err := d.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
				UserName: &user, PolicyName: name, PolicyDocument: document(strings.Replace(allow("s3:*", "*"), "{", `{"Sid":"`+value+`",`, 1)),
			})
			return err
		},
	}
}

// objectRegister is an object. Its ETag, the MD5 of its content, is what conditional writes ask for.
func (w *work) objectRegister(key string) register {
	put := func(ctx context.Context, d door, in *s3.PutObjectInput, value string) error {
		in.Bucket, in.Key, in.Body = &w.bucket, &key, strings.NewReader(value)
		_, err := d.s3.PutObject(ctx, in)
		return err
	}
	return register{
		name: key,
		read: func(ctx context.Context, d door) (value string, err error) {
			out, err := d.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &w.bucket, Key: &key})
			if _, absent := errors.AsType[*s3types.NoSuchKey](err); absent {
				return "", nil
			}
			if err != nil {
				return "", err
			}
			b, err := io.ReadAll(out.Body)
			return string(b), errors.Join(err, out.Body.Close())
		},
		write: func(ctx context.Context, d door, value string) error { return put(ctx, d, &s3.PutObjectInput{}, value) },
		swap: func(ctx context.Context, d door, old, value string) error {
			in := &s3.PutObjectInput{IfNoneMatch: aws.String("*")}
			if old != "" {
				sum := md5.Sum([]byte(old))
				in = &s3.PutObjectInput{IfMatch: aws.String(`"` + hex.EncodeToString(sum[:]) + `"`)}
			}
			err := put(ctx, d, in, value)
			if status(err) == http.StatusNotFound { // there is nothing to match
				return errMismatch
			}
			return err
		},
		remove: func(ctx context.Context, d door) error {
			_, err := d.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &w.bucket, Key: &key})
			return err
		},
	}
}

// descriptionRegister is the description of a function that is in use.
func (w *work) descriptionRegister() register {
	return register{
		name: "description-register",
		read: func(ctx context.Context, d door) (string, error) {
			out, err := d.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &w.mapped.name})
			if err != nil {
				return "", err
			}
			return aws.ToString(out.Description), nil
		},
		write: func(ctx context.Context, d door, value string) error {
			_, err := d.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
				FunctionName: &w.mapped.name, Description: &value,
			})
			return err
		},
	}
}
