package sigv4

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/licet/licet/internal/awserr"
)

// Bounds of what stands around the data of chunks. S3 states none for lines; its largest chunks are those of the largest object.
const (
	maxChunkLine = 8 << 10
	maxTrailers  = 16
)

// ChunkReader reads the payload of the content encoding aws-chunked:
//
//	<size in hexadecimal>[;chunk-signature=<signature>]\r\n<data>\r\n … 0[;chunk-signature=…]\r\n
//	[<name>:<value>\r\n … [x-amz-trailer-signature:<signature>\r\n]]\r\n
//
// A reader that ends in io.EOF has verified every signature, and that the payload is as long as it was said to be.
type ChunkReader struct {
	r         *bufio.Reader
	signer    *chunkSigner // nil for chunks without signatures
	trailing  bool
	left      int64 // of the whole payload
	chunk     int64 // left of the chunk that is read
	signature string
	hash      hash.Hash
	announced []string // of the trailers
	trailers  map[string]string
	err       error
}

func newChunkReader(r io.Reader, p *Payload) *ChunkReader {
	return &ChunkReader{
		r: bufio.NewReaderSize(r, maxChunkLine), signer: p.chunks, trailing: p.stated != signedChunks,
		announced: announcedTrailers(p.announced), left: p.length, chunk: -1, hash: sha256.New(), trailers: map[string]string{},
	}
}

// Trailer gives a header that followed the chunks, by its name in lower case. They are known after io.EOF.
func (c *ChunkReader) Trailer(name string) (string, bool) {
	value, ok := c.trailers[name]
	return value, ok
}

// Announced are the names, in lower case, of the headers that the client said would follow.
func (c *ChunkReader) Announced() []string { return c.announced }

func announcedTrailers(header string) []string {
	return strings.FieldsFunc(strings.ToLower(header), func(r rune) bool { return r == ',' || r == ' ' })
}

// Read reads of the data of chunks.
func (c *ChunkReader) Read(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if len(b) == 0 {
		return 0, nil
	}
	if c.chunk < 0 {
		if c.err = c.begin(); c.err != nil {
			return 0, c.err
		}
	}
	n, err := c.r.Read(b[:min(int64(len(b)), c.chunk)])
	if c.signer != nil {
		c.hash.Write(b[:n])
	}
	c.chunk, c.left = c.chunk-int64(n), c.left-int64(n)
	if c.chunk == 0 && (err == nil || err == io.EOF) {
		err = c.end()
	}
	if err == io.EOF {
		err = incompleteBody(nil)
	}
	c.err = err
	return n, err
}

// begin reads the head of a chunk, and with that of the last all that follows.
func (c *ChunkReader) begin() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, extension, signed := strings.Cut(line, ";")
	n, err := strconv.ParseUint(size, 16, 62)
	if err != nil || size == "" {
		return malformedChunks()
	}
	if c.signer != nil {
		var ok bool
		if c.signature, ok = strings.CutPrefix(extension, "chunk-signature="); !signed || !ok {
			return malformedChunks()
		}
	}
	if int64(n) > c.left {
		return incompleteBody(nil)
	}
	c.chunk = int64(n)
	c.hash.Reset()
	if n > 0 {
		return nil
	}
	return c.last()
}

// end checks a chunk that was read.
func (c *ChunkReader) end() error {
	if err := c.verifyChunk(); err != nil {
		return err
	}
	line, err := c.line()
	if err != nil {
		return err
	}
	if line != "" {
		return malformedChunks()
	}
	c.chunk = -1
	return nil
}

func (c *ChunkReader) verifyChunk() error {
	if c.signer == nil || hmac.Equal([]byte(c.signer.chunk(c.hash.Sum(nil))), []byte(c.signature)) {
		return nil
	}
	return signatureDoesNotMatch()
}

// last ends the payload.
func (c *ChunkReader) last() error {
	if err := c.verifyChunk(); err != nil {
		return err
	}
	if c.left > 0 {
		return incompleteBody(nil)
	}
	if err := c.readTrailers(); err != nil {
		return err
	}
	if _, err := c.r.ReadByte(); err == nil {
		return malformedChunks()
	} else if !errors.Is(err, io.EOF) {
		return incompleteBody(err)
	}
	return io.EOF
}

// readTrailers reads the headers behind the chunks. Some clients end the body without the empty line.
func (c *ChunkReader) readTrailers() error {
	var canonical bytes.Buffer
	signature := ""
	for range maxTrailers {
		line, err := c.line()
		if errors.Is(err, errEnd) || err == nil && line == "" {
			for _, name := range c.announced {
				if _, ok := c.trailers[name]; !ok {
					return malformedTrailer()
				}
			}
			return c.verifyTrailers(canonical.Bytes(), signature)
		}
		if err != nil {
			return err
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if _, twice := c.trailers[name]; !ok || !c.trailing || twice {
			return malformedChunks()
		}
		if name == "x-amz-trailer-signature" {
			signature = value
			continue
		}
		c.trailers[name] = value
		canonical.WriteString(name + ":" + value + "\n")
	}
	return malformedChunks()
}

func (c *ChunkReader) verifyTrailers(canonical []byte, signature string) error {
	if c.signer == nil || !c.trailing {
		return nil
	}
	if !hmac.Equal([]byte(c.signer.trailer(canonical)), []byte(signature)) {
		return signatureDoesNotMatch()
	}
	return nil
}

// errEnd is the end of the body where a line could begin.
var errEnd = incompleteBody(io.EOF)

// line reads one up to its end, which is \r\n, or \n of old clients' trailers.
func (c *ChunkReader) line() (string, error) {
	line, err := c.r.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0:
		return "", errEnd
	case errors.Is(err, bufio.ErrBufferFull):
		return "", malformedChunks()
	case err != nil:
		return "", incompleteBody(err)
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// malformedTrailer has AWS's code for trailers that are not as announced; the list of codes has the text.
func malformedTrailer() error {
	return awserr.New("MalformedTrailerError", http.StatusBadRequest,
		"The request contained trailing data that was not well-formed or did not conform to our published schema.")
}

func malformedChunks() error {
	return awserr.New("InvalidRequest", http.StatusBadRequest, "The body is not a valid aws-chunked payload.")
}
