package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// versionPrefix is that of a function's published versions.
func versionPrefix(r request.Function) string { return belongings(r) + "version/" }

// versionKey orders versions by their numbers. A number has one spelling: "01" names no version.
func versionKey(r request.Function, number string) string {
	return versionPrefix(r) + fmt.Sprintf("%03d", len(number)) + number
}

// numberOf is the number that stands in a version's key.
func numberOf(r request.Function, key string) string {
	return strings.TrimPrefix(key, versionPrefix(r))[3:]
}

// numberKey is the key of the number that a version got last, for as long as the function is deleted.
func numberKey(r request.Function) string {
	return "lambda/" + r.Account + "/" + r.Region + "/published/" + r.Name
}

// lastNumber is the number that a version of a deleted function of this name got last; 0 for none.
func lastNumber(reader store.Reader, r request.Function) (int64, error) {
	n, err := store.GetJSON[int64](reader, numberKey(r))
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return n, err
}

// keepNumber remembers a function's number beyond its end.
func keepNumber(tx store.Tx, f *function) error {
	if f.Published == 0 {
		return nil
	}
	return store.PutJSON(tx, numberKey(f.reference), f.Published)
}

// decodeVersion makes a published version from its item.
func (s *Service) decodeVersion(item store.Item) (*version, error) {
	v, err := store.DecodeJSON[version](item)
	if err != nil {
		return nil, err
	}
	if err := s.open(&v); err != nil {
		return nil, fmt.Errorf("%s: %w", item.Key, err)
	}
	return &v, nil
}

// number is that of the version, "" if there is none.
func (f found) number() string {
	if f.version == nil {
		return ""
	}
	return f.version.Number
}

// publish makes a version from $LATEST. If that is what the last version was made from, it gives the last version, which is not new
// (https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html). A description is the version's own. The caller keeps f.
func (s *Service) publish(tx store.Tx, f *function, description *string, revision string) (v *version, isNew bool, err error) {
	last, err := read(tx, versionKey(f.reference, strconv.FormatInt(f.Published, 10)), s.decodeVersion)
	if err == nil {
		var same bool
		if same, err = last.madeFrom(&f.Latest); same {
			return last, false, err
		}
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, false, fmt.Errorf("compare with last version of %s: %w", f.Name, err)
	}
	f.Published++
	next := f.Latest
	next.Number, next.RevisionID = strconv.FormatInt(f.Published, 10), revision
	next.LatestDescription = f.Latest.Description
	set(&next.Description, description)
	next.Image = next.Image.alone()
	if err := s.seal(&next); err != nil {
		return nil, false, fmt.Errorf("%s: %w", f.Name, err)
	}
	return &next, true, store.PutJSON(tx, versionKey(f.reference, next.Number), next)
}

// madeFrom tells whether $LATEST has the code and the configuration that a version was made from.
func (v *version) madeFrom(latest *version) (bool, error) {
	then := *v
	then.Description, then.LatestDescription = v.LatestDescription, ""
	a, errA := then.content()
	b, errB := latest.content()
	return bytes.Equal(a, b), errors.Join(errA, errB)
}

// content is all of a version that is code or configuration, in a form to compare.
func (v version) content() ([]byte, error) {
	v.Number, v.RevisionID, v.LastModified, v.Sealed, v.Image = "", "", time.Time{}, nil, v.Image.alone()
	return json.Marshal(struct {
		version
		Environment map[string]string
	}{v, v.Environment})
}

// updateAndPublish changes $LATEST as updateLatest does, and publishes it. It gives the version, and how an answer shows it.
func (s *Service) updateAndPublish(
	ctx context.Context, r request.Function, revision, description *string, change func(*function) error,
) (found, moment, error) {
	var (
		v     *version
		isNew bool
		id    = uuid.NewString()
	)
	f, err := s.updateWith(ctx, r, func(tx store.Tx, f *function) (err error) {
		if err := checkRevision(revision, f.Latest.RevisionID); err != nil {
			return err
		}
		if err := change(f); err != nil {
			return err
		}
		v, isNew, err = s.publish(tx, f, description, id)
		return err
	})
	if err != nil {
		return found{}, settled, err
	}
	when := settled
	if isNew {
		when = created
	}
	return found{function: f, version: v}, when, nil
}

// versionsAfter gives up to limit versions of a function, $LATEST before the others, after the one of that number; "" for all.
func versionsAfter(reader store.Reader, r request.Function, number string, limit int) ([]request.Function, error) {
	var all []request.Function
	after := ""
	switch number {
	case "":
		all = append(all, r.Qualified(request.Latest))
	case request.Latest:
	default:
		after = versionKey(r, number)
	}
	if len(all) == limit {
		return all, nil
	}
	items, err := reader.Scan(versionPrefix(r), after, limit-len(all))
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		all = append(all, r.Qualified(numberOf(r, item.Key)))
	}
	return all, nil
}

// showListed is what lists show of functions and versions. What was deleted meanwhile is left out.
func (s *Service) showListed(ctx context.Context, c *service.Call, of []request.Function) ([]types.FunctionConfiguration, error) {
	all := []types.FunctionConfiguration{} // AWS sends an empty list
	for _, r := range of {
		f, err := s.find(ctx, r) // decoded already, as a rule
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", r.ARN(), err)
		}
		shown, err := s.show(ctx, c, f, r.Qualifier, listed)
		if err != nil {
			return nil, err
		}
		all = append(all, shown)
	}
	return all, nil
}

// isNumber tells what may stand for a version in a marker.
func isNumber(s string) bool { return s == request.Latest || s != "" && request.IsVersion(s) }
