package s3

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/notification"
	"github.com/licet/licet/internal/services/s3/object"
	"github.com/licet/licet/internal/store"
)

// deletion is one object that is to be deleted.
type deletion struct {
	key, version string
	ifMatch      *string
}

// deleteNeed is the permission for one.
func (s *Service) deleteNeed(ctx context.Context, c *service.Call, name string, d deletion) (service.Need, error) {
	t, err := s.target(ctx, c, name, d.key)
	if err != nil {
		return service.Need{}, err
	}
	action := "s3:DeleteObject"
	if d.version != "" {
		action = "s3:DeleteObjectVersion"
		t.Keys.Set("s3:versionid", d.version)
	} else {
		setText(&t.Keys, "s3:if-match", d.ifMatch)
	}
	return s.need(c, action, t), nil
}

func (s *Service) deleteObjectNeeds(ctx context.Context, c *service.Call, in *sdk.DeleteObjectInput) ([]service.Need, error) {
	need, err := s.deleteNeed(ctx, c, bucketOf(in), deletion{aws.ToString(in.Key), aws.ToString(in.VersionId), in.IfMatch})
	return []service.Need{need}, err
}

func (s *Service) deleteObject(
	ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.DeleteObjectInput,
) (*sdk.DeleteObjectOutput, error) {
	if in.IfMatchLastModifiedTime != nil || in.IfMatchSize != nil {
		return nil, fault.NotImplemented("DeleteObject", "x-amz-if-match-last-modified-time and x-amz-if-match-size") // of directory buckets
	}
	d := deletion{aws.ToString(in.Key), aws.ToString(in.VersionId), in.IfMatch}
	if err := checkKey(d.key); err != nil {
		return nil, err
	}
	out := &sdk.DeleteObjectOutput{}
	err := s.DB.Update(ctx, func(tx store.Tx) error {
		b, err := read(tx, b)
		if err != nil {
			return err
		}
		gone, err := s.delete(tx, c, b, d, object.NewStamp(tx, 0))
		if err != nil {
			return err
		}
		*out = sdk.DeleteObjectOutput{}
		switch {
		case gone.Marker != nil:
			out.DeleteMarker, out.VersionId = aws.Bool(true), &gone.Marker.ID
		case d.version != "":
			out.VersionId = &d.version
			if gone.Removed != nil && gone.Removed.Marker {
				out.DeleteMarker = aws.Bool(true)
			}
		}
		return nil
	})
	return out, err
}

// delete deletes one object in a transaction, and notes the event that it is.
func (s *Service) delete(tx store.Tx, c *service.Call, b *bucket.Bucket, d deletion, stamp object.Stamp) (object.Removal, error) {
	if d.ifMatch != nil {
		if err := (condition{ifMatch: d.ifMatch}).check(tx, b.Name, d.key); err != nil {
			return object.Removal{}, err
		}
	}
	gone, err := object.Delete(tx, b.Name, d.key, d.version, b.Versioning, stamp, c.Time.UTC())
	if err != nil {
		return gone, err
	}
	switch { // what was not there makes no event but in a bucket with versioning, where it gets a marker
	case gone.Marker != nil:
		err = s.note(tx, c, b, notification.Event{Name: "ObjectRemoved:DeleteMarkerCreated", Key: d.key, Version: gone.Marker.ID}, stamp)
	case gone.Removed != nil:
		err = s.note(tx, c, b, notification.Event{Name: "ObjectRemoved:Delete", Key: d.key, Version: gone.Removed.ID}, stamp)
	}
	return gone, err
}

// maxDeleted is how many objects one request deletes.
const maxDeleted = 1000

// deletions reads the document of DeleteObjects.
func deletions(in *sdk.DeleteObjectsInput) ([]deletion, error) {
	if in.Delete == nil || len(in.Delete.Objects) == 0 || len(in.Delete.Objects) > maxDeleted {
		return nil, fault.MalformedXML()
	}
	all := make([]deletion, len(in.Delete.Objects))
	for i, o := range in.Delete.Objects {
		if aws.ToString(o.Key) == "" {
			return nil, fault.New("UserKeyMustBeSpecified", 400, "Missing User Key")
		}
		if err := checkKey(*o.Key); err != nil {
			return nil, err
		}
		all[i] = deletion{*o.Key, aws.ToString(o.VersionId), o.ETag}
	}
	return all, nil
}

// deleteObjectsNeeds are one for each object: who may not delete one may yet delete another
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html).
func (s *Service) deleteObjectsNeeds(ctx context.Context, c *service.Call, in *sdk.DeleteObjectsInput) ([]service.Need, error) {
	all, err := deletions(in)
	if err != nil {
		return nil, err
	}
	needs := make([]service.Need, len(all))
	for i, d := range all {
		if needs[i], err = s.deleteNeed(ctx, c, bucketOf(in), d); err != nil {
			return nil, err
		}
		needs[i].Partial = true
	}
	return needs, nil
}

func (s *Service) deleteObjects(
	ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.DeleteObjectsInput,
) (*sdk.DeleteObjectsOutput, error) {
	all, err := deletions(in)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(in.Delete.Objects, func(o types.ObjectIdentifier) bool { return o.LastModifiedTime != nil || o.Size != nil }) {
		return nil, fault.NotImplemented("DeleteObjects", "LastModifiedTime and Size") // of directory buckets
	}
	quiet := aws.ToBool(in.Delete.Quiet)
	var out *sdk.DeleteObjectsOutput
	work := func(tx store.Tx) error {
		out = &sdk.DeleteObjectsOutput{}
		b, err := read(tx, b)
		if err != nil {
			return err
		}
		for i, d := range all {
			refusal := c.Judged[i].Refused
			var gone object.Removal
			if refusal == nil {
				gone, refusal = s.delete(tx, c, b, d, object.NewStamp(tx, i))
			}
			if e, ok := errors.AsType[*awserr.Error](refusal); ok && e.Sender() {
				out.Errors = append(out.Errors, types.Error{Key: &d.key, VersionId: nonEmpty(&d.version), Code: &e.Code, Message: &e.Message})
				continue
			}
			if refusal != nil {
				return refusal
			}
			if !quiet {
				out.Deleted = append(out.Deleted, deletedEntry(d, gone))
			}
		}
		return nil
	}
	err = s.DB.Update(ctx, work)
	return out, err
}

func deletedEntry(d deletion, gone object.Removal) types.DeletedObject {
	entry := types.DeletedObject{Key: &d.key, VersionId: nonEmpty(&d.version)}
	switch {
	case gone.Marker != nil:
		entry.DeleteMarker, entry.DeleteMarkerVersionId = aws.Bool(true), &gone.Marker.ID
	case gone.Removed != nil && gone.Removed.Marker:
		entry.DeleteMarker, entry.DeleteMarkerVersionId = aws.Bool(true), &gone.Removed.ID
	}
	return entry
}
