package s3

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/object"
	"github.com/licet/licet/internal/store"
)

// minPart is the least that a part has which is not the last.
const minPart = 5 << 20

func (s *Service) completeUploadNeeds(ctx context.Context, c *service.Call, in *sdk.CompleteMultipartUploadInput) ([]service.Need, error) {
	t, err := s.target(ctx, c, bucketOf(in), keyOf(in))
	setHeaders(in, &t.Keys)
	t.Keys.SetBool("s3:ObjectCreationOperation", true)
	return []service.Need{s.need(c, "s3:PutObject", t)}, err
}

func (s *Service) completeMultipartUpload(
	ctx context.Context, c *service.Call, judged *bucket.Bucket, in *sdk.CompleteMultipartUploadInput,
) (*sdk.CompleteMultipartUploadOutput, error) {
	if in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0 {
		return nil, fault.MalformedXML()
	}
	given := sums{in.ChecksumCRC32, in.ChecksumCRC32C, in.ChecksumCRC64NVME, in.ChecksumSHA1, in.ChecksumSHA256}
	var v *object.Version
	var state object.Versioning
	err := s.DB.Update(ctx, func(tx store.Tx) error {
		b, u, err := findUpload(tx, judged, in.Key, in.UploadId)
		if err != nil {
			return err
		}
		if err := (condition{in.IfMatch, in.IfNoneMatch}).check(tx, b.Name, u.Key); err != nil {
			return err
		}
		kept, err := object.Parts(tx, u, 0, 0)
		if err != nil {
			return err
		}
		chosen, err := choose(u, kept, in.MultipartUpload.Parts)
		if err != nil {
			return err
		}
		var m *object.Manifest
		if v, m, err = assemble(c, u, chosen, &given, in.ChecksumType); err != nil {
			return err
		}
		if in.MpuObjectSize != nil && *in.MpuObjectSize != v.Size {
			return fault.InvalidRequest("The provided 'x-amz-mp-object-size' header value " + itoa(int(*in.MpuObjectSize)) +
				" does not match what was computed: " + itoa(int(v.Size)))
		}
		state = b.Versioning
		stamp := object.NewStamp(tx, 0)
		if err := errors.Join(object.Put(tx, b.Name, v, m, b.Versioning, stamp), object.End(tx, b.Name, u)); err != nil {
			return err
		}
		return s.note(tx, c, b, created("ObjectCreated:CompleteMultipartUpload", v), stamp)
	})
	if err != nil {
		return nil, err
	}
	sum := sumsOf(v.Algorithm, v.Checksum)
	out := &sdk.CompleteMultipartUploadOutput{
		Bucket: &judged.Name, Key: &v.Key, ETag: quoted(v.ETag), Location: aws.String(location(c, judged.Name, v.Key)), VersionId: versionID(state, v),
		ServerSideEncryption: types.ServerSideEncryptionAes256, ChecksumCRC32: sum.crc32, ChecksumCRC32C: sum.crc32c,
		ChecksumCRC64NVME: sum.crc64, ChecksumSHA1: sum.sha1, ChecksumSHA256: sum.sha256,
	}
	if v.Algorithm != "" {
		out.ChecksumType = checksumType(v.Composite)
	}
	return out, nil
}

// location is where the object is, by the host that the client used.
func location(c *service.Call, bucket, key string) string {
	scheme := "http://"
	if c.SecureTransport {
		scheme = "https://"
	}
	return scheme + c.Host + "/" + bucket + "/" + key
}

// choose finds the parts that the client names, in ascending order.
func choose(u *object.Upload, kept []object.Part, named []types.CompletedPart) ([]object.Part, error) {
	byNumber := make(map[int32]object.Part, len(kept))
	for _, p := range kept {
		byNumber[p.Number] = p
	}
	chosen := make([]object.Part, len(named))
	for i, n := range named {
		number := aws.ToInt32(n.PartNumber)
		if i > 0 && number <= chosen[i-1].Number {
			return nil, fault.New("InvalidPartOrder", http.StatusBadRequest,
				"The list of parts was not in ascending order. Parts must be ordered by part number.", "UploadId", u.ID)
		}
		p, ok := byNumber[number]
		sent := sums{n.ChecksumCRC32, n.ChecksumCRC32C, n.ChecksumCRC64NVME, n.ChecksumSHA1, n.ChecksumSHA256}
		_, sum, err := sent.one()
		if err != nil {
			return nil, err
		}
		if !ok || unquoted(aws.ToString(n.ETag)) != p.ETag || sum != "" && p.Checksum != "" && sum != p.Checksum {
			return nil, fault.New("InvalidPart", http.StatusBadRequest, "One or more of the specified parts could not be found.  The part may not have "+
				"been uploaded, or the specified entity tag may not match the part's entity tag.",
				"UploadId", u.ID, "PartNumber", itoa(int(number)), "ETag", unquoted(aws.ToString(n.ETag)))
		}
		if i < len(named)-1 && p.Piece.Size < minPart {
			return nil, fault.New("EntityTooSmall", http.StatusBadRequest, "Your proposed upload is smaller than the minimum allowed size",
				"ProposedSize", itoa(int(p.Piece.Size)), "MinSizeAllowed", itoa(minPart), "PartNumber", itoa(int(number)), "ETag", p.ETag)
		}
		chosen[i] = p
	}
	return chosen, nil
}

// assemble makes the object of parts.
func assemble(
	c *service.Call, u *object.Upload, parts []object.Part, given *sums, kind types.ChecksumType,
) (*object.Version, *object.Manifest, error) {
	v := &object.Version{
		Key: u.Key, Modified: c.Time.UTC(), Headers: u.Headers, Tags: u.Tags, Class: u.Class, Algorithm: u.Algorithm, Composite: u.Composite,
		Parts: len(parts),
	}
	m := &object.Manifest{}
	sum := md5.New()
	var sizes []int64
	for _, p := range parts {
		digest, err := hex.DecodeString(p.ETag)
		if err != nil {
			return nil, nil, err
		}
		sum.Write(digest)
		v.Size += p.Piece.Size
		sizes = append(sizes, p.Piece.Size)
		m.Pieces, m.Numbers = append(m.Pieces, p.Piece), append(m.Numbers, p.Number)
		if u.Algorithm != "" {
			m.Checksums = append(m.Checksums, p.Checksum)
		}
	}
	v.ETag = object.ETagOfParts(sum.Sum(nil), len(parts))
	switch {
	case u.Algorithm == "":
		return v, m, nil
	case kind != "" && kind != checksumType(u.Composite):
		return nil, nil, fault.InvalidRequest("The upload was created using the " + string(checksumType(u.Composite)) +
			" checksum mode. The complete request must use the same checksum mode.")
	case u.Composite:
		v.Checksum = u.Algorithm.Composite(m.Checksums)
	default:
		v.Checksum = u.Algorithm.Combined(m.Checksums, sizes)
	}
	if want := *given.of(u.Algorithm); want != nil && *want != v.Checksum && !isPlain(u, *want, v.Checksum) {
		return nil, nil, fault.BadDigest(string(u.Algorithm))
	}
	return v, m, nil
}

// isPlain tells whether a client left the count of parts off a checksum of checksums.
func isPlain(u *object.Upload, want, computed string) bool {
	return u.Composite && u.Algorithm.Valid(want) && len(computed) > len(want) && computed[:len(want)] == want && computed[len(want)] == '-'
}
