package layer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/codesign"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/store"
)

// record is what is kept of a layer itself.
type record struct {
	// Published is the number of the version that was published last. Numbers are never reused, also after deletion (recorded from AWS).
	Published int64 `json:"published"`
}

// Version is the record of a layer version. It never changes.
type Version struct {
	Partition   string    `json:"partition"`
	Region      string    `json:"region"`
	Account     string    `json:"account"`
	Name        string    `json:"name"`
	Number      int64     `json:"number"`
	Created     time.Time `json:"created"`
	Description string    `json:"description"`
	// License, Runtimes and Architectures are shown as they were given: nil is not shown.
	License       *string              `json:"license"`
	Runtimes      []types.Runtime      `json:"runtimes"`
	Architectures []types.Architecture `json:"architectures"`

	Code         blob.Name `json:"code"`
	CodeSize     int64     `json:"code_size"`
	CodeUnpacked int64     `json:"code_unpacked"`
	// Signature as it was when the version was published.
	Signature codesign.Signature `json:"signature,omitzero"`
}

func (v *Version) reference() Reference {
	return Reference{
		Partition: v.Partition, Region: v.Region, Account: v.Account, Name: v.Name, Number: strconv.FormatInt(v.Number, 10),
	}
}

// versionKey orders versions by their numbers.
func (r Reference) versionKey() string { return r.versionsPrefix() + fmt.Sprintf("%019d", r.number()) }

// EachCode calls fn with the blob of every layer version of all accounts.
func EachCode(ctx context.Context, db store.DB, fn func(blob.Name)) error {
	return db.View(ctx, func(r store.Reader) error {
		items, err := r.Scan("lambda/", "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			if strings.Split(item.Key, "/")[3] != "layer-version" {
				continue
			}
			v, err := store.DecodeJSON[Version](item)
			if err != nil {
				return err
			}
			fn(v.Code)
		}
		return nil
	})
}

// load reads a version. The error wraps store.ErrNotFound where there is none.
func load(reader store.Reader, r Reference) (*Version, error) {
	v, err := store.GetJSON[Version](reader, r.versionKey())
	if err != nil {
		return nil, err
	}
	if v.reference() != r { // the partition, which is in no key, or a number written otherwise
		return nil, store.ErrNotFound
	}
	return &v, nil
}

// find is load by itself.
func (s *Service) find(ctx context.Context, r Reference) (*Version, error) {
	var v *Version
	err := s.DB.View(ctx, func(reader store.Reader) (err error) {
		v, err = load(reader, r)
		return err
	})
	return v, err
}

// Find gives the layer version that an ARN names. The error wraps store.ErrNotFound where there is none.
func (s *Service) Find(ctx context.Context, versionARN string) (*Version, error) {
	r, ok := ParseVersion(versionARN)
	if !ok {
		return nil, store.ErrNotFound
	}
	return s.find(ctx, r)
}

// existing is load for the operations on policies, which name what is not there (recorded from AWS).
func existing(reader store.Reader, r Reference) error {
	_, err := load(reader, r)
	if errors.Is(err, store.ErrNotFound) {
		return fault.NotFound("Layer version %s does not exist.", r.ARN())
	}
	return err
}

// matches tells whether a version says that it is compatible with what a list asks for; "" asks for nothing.
func (v *Version) matches(runtime types.Runtime, architecture types.Architecture) bool {
	return (runtime == "" || slices.Contains(v.Runtimes, runtime)) && (architecture == "" || slices.Contains(v.Architectures, architecture))
}

// created is the form of CreatedDate (https://docs.aws.amazon.com/lambda/latest/api/API_LayerVersionsListItem.html).
func (v *Version) created() *string {
	return aws.String(v.Created.UTC().Format("2006-01-02T15:04:05.000+0000"))
}

// listed is what lists show of a version.
func (v *Version) listed() types.LayerVersionsListItem {
	return types.LayerVersionsListItem{
		CompatibleArchitectures: v.Architectures, CompatibleRuntimes: v.Runtimes, CreatedDate: v.created(),
		Description: aws.String(v.Description), LayerVersionArn: aws.String(v.reference().ARN()), LicenseInfo: v.License, Version: v.Number,
	}
}

// content is what operations show of a version's archive.
func (s *Service) content(ctx context.Context, c *service.Call, v *Version) (*types.LayerVersionContentOutput, error) {
	url, err := s.URLs.CodeURL(ctx, c, v.Code)
	if err != nil {
		return nil, fmt.Errorf("make link to code of %s: %w", v.reference().ARN(), err)
	}
	content := &types.LayerVersionContentOutput{
		CodeSha256: aws.String(bundle.SHA256(v.Code)), CodeSize: v.CodeSize, Location: aws.String(url),
	}
	if v.Signature.Profile != "" {
		content.SigningProfileVersionArn, content.SigningJobArn = aws.String(v.Signature.Profile), aws.String(v.Signature.Job)
	}
	return content, nil
}

// CodeSize is the size of all layer versions of an account, which counts as its code storage
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, "Storage for uploaded functions and layers").
func CodeSize(reader store.Reader, account, region string) (int64, error) {
	items, err := reader.Scan(prefix(account, region, "layer-version"), "", 0)
	if err != nil {
		return 0, fmt.Errorf("list layer versions: %w", err)
	}
	var size int64
	for _, item := range items {
		v, err := store.DecodeJSON[Version](item)
		if err != nil {
			return 0, err
		}
		size += v.CodeSize
	}
	return size, nil
}
