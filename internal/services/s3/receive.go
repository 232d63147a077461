package s3

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/internal/services/s3/checksum"
	"github.com/licet/licet/internal/services/s3/content"
	"github.com/licet/licet/internal/services/s3/fault"
)

// maxPut is the largest object, or part of one, in one request (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
const maxPut = 5 << 30

// payload is what a request brings.
type payload struct {
	body   io.Reader
	length *int64
	md5    *string
	sums   sums
	// algorithm is what the SDK says that it uses.
	algorithm types.ChecksumAlgorithm
	// fallback is the algorithm of a payload for which the client has none; "" for none at all.
	fallback checksum.Algorithm
}

// received is a payload that was kept.
type received struct {
	*content.Written
	md5       []byte
	algorithm checksum.Algorithm
	checksum  string
}

// trailing is a body that is followed by headers.
type trailing interface {
	Announced() []string
	Trailer(name string) (string, bool)
}

// receive keeps a payload, if it is what the client says that it is.
func (s *Service) receive(ctx context.Context, p payload) (*received, error) {
	switch {
	case p.length == nil || *p.length < 0:
		return nil, fault.New("MissingContentLength", http.StatusLengthRequired, "You must provide the Content-Length HTTP header.")
	case *p.length > maxPut:
		return nil, fault.New("EntityTooLarge", http.StatusBadRequest, "Your proposed upload exceeds the maximum allowed size",
			"ProposedSize", fmt.Sprint(*p.length), "MaxSizeAllowed", fmt.Sprint(int64(maxPut)))
	case !s.Room():
		return nil, fault.Unavailable()
	}
	v, err := newVerifier(p)
	if err != nil {
		return nil, err
	}
	out := &received{Written: &content.Written{}, algorithm: v.algorithm}
	if *p.length == 0 { // without bytes there is no blob; but there may be a trailer
		_, err = io.Copy(io.Discard, v)
	} else {
		out.Written, err = s.content.Write(ctx, v)
	}
	if err != nil {
		return nil, err
	}
	out.md5, out.checksum = v.md5.Sum(nil), v.value
	return out, nil
}

// verifier hashes what it reads, and ends in an error when that is not what it should be.
type verifier struct {
	r         io.Reader
	left      int64
	md5       hash.Hash
	wantMD5   []byte // nil for none
	algorithm checksum.Algorithm
	sum       hash.Hash // nil without an algorithm
	want      string    // "" for a checksum that follows, or none
	trailer   trailing  // nil when no checksum follows
	value     string
}

func newVerifier(p payload) (*verifier, error) {
	v := &verifier{r: p.body, left: *p.length, md5: md5.New()}
	if p.md5 != nil {
		var err error
		if v.wantMD5, err = base64.StdEncoding.DecodeString(*p.md5); err != nil || len(v.wantMD5) != md5.Size {
			return nil, fault.New("InvalidDigest", http.StatusBadRequest, "The Content-MD5 you specified was invalid.", "Content-MD5", *p.md5)
		}
	}
	var err error
	if v.algorithm, v.want, err = p.sums.one(); err != nil {
		return nil, err
	}
	if err := v.expectTrailer(p.body); err != nil {
		return nil, err
	}
	if p.algorithm != "" && v.algorithm == "" {
		known, ok := checksum.Parse(string(p.algorithm))
		switch {
		case !ok:
			return nil, fault.InvalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: " +
				"[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
		case p.fallback == "" || p.md5 == nil: // SDKs that send Content-MD5 instead may name one all the same
			return nil, fault.InvalidRequest("x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.")
		}
		v.algorithm = known
	}
	if v.algorithm == "" {
		v.algorithm = p.fallback
	}
	if v.algorithm != "" {
		v.sum = v.algorithm.New()
	}
	return v, nil
}

// expectTrailer finds the checksum that follows the body.
func (v *verifier) expectTrailer(body io.Reader) error {
	t, ok := body.(trailing)
	if !ok {
		return nil
	}
	for _, name := range t.Announced() {
		text, isSum := strings.CutPrefix(name, "x-amz-checksum-")
		if !isSum {
			continue
		}
		a, known := checksum.Parse(text)
		if !known {
			return fault.NotImplemented("PutObject", name)
		}
		if v.algorithm != "" {
			return fault.InvalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		v.algorithm, v.trailer = a, t
	}
	return nil
}

func (v *verifier) Read(b []byte) (int, error) {
	n, err := v.r.Read(b)
	v.md5.Write(b[:n])
	if v.sum != nil {
		v.sum.Write(b[:n])
	}
	if v.left -= int64(n); v.left < 0 {
		return n, errors.New("a body is longer than it was said to be")
	}
	if errors.Is(err, io.EOF) {
		if problem := v.verify(); problem != nil {
			return n, problem
		}
	}
	return n, err
}

// verify compares what was read with what was said of it.
func (v *verifier) verify() error {
	if v.left != 0 {
		return fault.New("IncompleteBody", http.StatusBadRequest,
			"You did not provide the number of bytes specified by the Content-Length HTTP header")
	}
	if sum := v.md5.Sum(nil); v.wantMD5 != nil && !equal(sum, v.wantMD5) {
		return fault.New("BadDigest", http.StatusBadRequest, "The Content-MD5 you specified did not match what we received.",
			"ExpectedDigest", hex.EncodeToString(v.wantMD5), "CalculatedDigest", base64.StdEncoding.EncodeToString(sum))
	}
	if v.sum == nil {
		return nil
	}
	v.value = base64.StdEncoding.EncodeToString(v.sum.Sum(nil))
	if v.trailer != nil {
		v.want, _ = v.trailer.Trailer(v.algorithm.Header())
		if !v.algorithm.Valid(v.want) {
			return fault.InvalidRequest("Value for " + v.algorithm.Header() + " trailing header is invalid.")
		}
	}
	if v.want != "" && v.want != v.value {
		return fault.BadDigest(string(v.algorithm))
	}
	return nil
}

func equal(a, b []byte) bool { return string(a) == string(b) }
