package layer

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/blob/blobtest"
	"github.com/licet/licet/internal/codesign"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store/storetest"
)

const (
	account      = "111122223333"
	stranger     = "444455556666"
	region       = "eu-central-1"
	arnOfL       = "arn:aws:lambda:eu-central-1:111122223333:layer:l"
	badValue     = "ValidationException"
	badParameter = "InvalidParameterValueException"
	notFound     = "ResourceNotFoundException"
)

// harness runs operations as dispatch does, but for the decision: first what they need, then the handler.
type harness struct {
	signature codesign.Signature // of every archive
	t         testing.TB
	s         *Service
	account   string // of the caller
	now       time.Time
	needs     []service.Need // of the last call
}

func newHarness(t testing.TB) *harness {
	h := &harness{t: t, account: account, now: time.Date(2026, 11, 23, 12, 0, 0, 7_000_000, time.UTC)}
	h.s = New(Config{DB: storetest.New(t), Blobs: blobtest.New(t), URLs: h,
		Signature: func([]byte, time.Time) codesign.Signature { return h.signature }})
	t.Cleanup(h.s.Close)
	return h
}

func (h *harness) CodeURL(_ context.Context, c *service.Call, name blob.Name) (string, error) {
	return "http://" + c.Host + "/code/" + string(name), nil
}

// operation finds the row of an input, and makes a call of it.
func (h *harness) operation(in any) (service.Operation, *service.Call) {
	h.t.Helper()
	name := strings.TrimSuffix(reflect.TypeOf(in).Elem().Name(), "Input")
	ops := h.s.Operations()
	i := slices.IndexFunc(ops, func(o service.Operation) bool { return o.Name == name })
	if i < 0 {
		h.t.Fatalf("no operation %s", name)
	}
	return ops[i], &service.Call{
		Time: h.now, Account: h.account, Region: region, Partition: "aws", Service: "lambda", Operation: name, Host: "localhost:4566",
	}
}

func do[Out any](h *harness, in any) (*Out, error) {
	h.t.Helper()
	op, c := h.operation(in)
	needs, err := op.Needs(h.t.Context(), c, in)
	if err != nil {
		return nil, err
	}
	h.needs = needs
	out, err := op.Handle(h.t.Context(), c, in)
	if err != nil {
		return nil, err
	}
	return out.(*Out), nil
}

func must[Out any](h *harness, in any) *Out {
	h.t.Helper()
	out, err := do[Out](h, in)
	if err != nil {
		h.t.Fatalf("%T: %v", in, err)
	}
	return out
}

func refuse[Out any](h *harness, in any, code string, status int, message string) {
	h.t.Helper()
	_, err := do[Out](h, in)
	e, ok := errors.AsType[*awserr.Error](err)
	if !ok {
		h.t.Fatalf("%T: got error %v, want %s", in, err, code)
	}
	if e.Code != code || e.Status != status || e.Message != message {
		h.t.Errorf("%T:\ngot  %s %d %s\nwant %s %d %s", in, e.Code, e.Status, e.Message, code, status, message)
	}
}

func zipOf(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// newLayer is the input for a version with the least that is needed.
func (h *harness) newLayer(name string) *sdk.PublishLayerVersionInput {
	return &sdk.PublishLayerVersionInput{
		LayerName: &name, Content: &types.LayerVersionContentInput{ZipFile: zipOf(h.t, map[string]string{"python/x.py": "x"})},
	}
}

func (h *harness) publish(name string) *sdk.PublishLayerVersionOutput {
	h.t.Helper()
	return must[sdk.PublishLayerVersionOutput](h, h.newLayer(name))
}

func get(name string, number int64) *sdk.GetLayerVersionInput {
	return &sdk.GetLayerVersionInput{LayerName: &name, VersionNumber: &number}
}

func remove(name string, number int64) *sdk.DeleteLayerVersionInput {
	return &sdk.DeleteLayerVersionInput{LayerName: &name, VersionNumber: &number}
}

func grant(number int64, sid, principal string) *sdk.AddLayerVersionPermissionInput {
	return &sdk.AddLayerVersionPermissionInput{
		LayerName: aws.String("l"), VersionNumber: &number, StatementId: &sid, Action: aws.String("lambda:GetLayerVersion"),
		Principal: &principal,
	}
}
