// Package checksum makes the checksums of objects in S3, and those of whole objects from those of their parts.
//
// It does no I/O. A Hasher is for one goroutine; all else is safe for concurrent use.
//
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html.
//
// To add an algorithm: a row in algorithms.
package checksum

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"strings"
	"sync"
)

// Algorithm is one of S3's, by its name in the API.
type Algorithm string

// The algorithms.
const (
	CRC32     Algorithm = "CRC32"
	CRC32C    Algorithm = "CRC32C"
	CRC64NVME Algorithm = "CRC64NVME"
	SHA1      Algorithm = "SHA1"
	SHA256    Algorithm = "SHA256"
)

// All lists them.
func All() []Algorithm { return []Algorithm{CRC32, CRC32C, CRC64NVME, SHA1, SHA256} }

// nvme is the polynomial of CRC-64/NVME, reflected (NVM Express NVM Command Set Specification, 5.2.1.3.4). Its table takes 16 kB and is made
// at the first use.
const nvme = 0x9A6C9329AC4BC9B5

var nvmeTable = sync.OnceValue(func() *crc64.Table { return crc64.MakeTable(nvme) })

// polynomials of the algorithms whose values can be combined, with their widths.
func polynomial(a Algorithm) (poly uint64, bits int) {
	switch a {
	case CRC32:
		return crc32.IEEE, 32
	case CRC32C:
		return crc32.Castagnoli, 32
	case CRC64NVME:
		return nvme, 64
	}
	return 0, 0
}

// Combines tells whether the value of a whole can be made from those of its parts.
func (a Algorithm) Combines() bool { _, bits := polynomial(a); return bits > 0 }

// Header is the header that has the value.
func (a Algorithm) Header() string { return "x-amz-checksum-" + strings.ToLower(string(a)) }

// Parse finds an algorithm by name.
func Parse(name string) (Algorithm, bool) {
	for _, a := range All() {
		if strings.EqualFold(string(a), name) {
			return a, true
		}
	}
	return "", false
}

// New makes a hash.
func (a Algorithm) New() hash.Hash {
	switch a {
	case CRC32:
		return crc32.NewIEEE()
	case CRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case CRC64NVME:
		return crc64.New(nvmeTable())
	case SHA1:
		return sha1.New()
	case SHA256:
		return sha256.New()
	}
	panic("checksum: no algorithm " + string(a))
}

// Valid tells whether a text can be a value: base64 of the right length.
func (a Algorithm) Valid(value string) bool {
	sum, err := base64.StdEncoding.DecodeString(value)
	return err == nil && len(sum) == a.New().Size()
}

// Composite is the value of an object of parts that is made of the parts' values; Combined that of the object itself, of parts with these
// lengths. Values must be Valid.
func (a Algorithm) Composite(parts []string) string {
	h := a.New()
	for _, p := range parts {
		h.Write(decode(p))
	}
	return fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(h.Sum(nil)), len(parts))
}

// Combined wants an algorithm that Combines.
func (a Algorithm) Combined(parts []string, sizes []int64) string {
	poly, bits := polynomial(a)
	var sum uint64
	for i, p := range parts {
		sum = shift(sum, poly, bits, sizes[i]) ^ number(decode(p))
	}
	raw := binary.BigEndian.AppendUint64(nil, sum)
	return base64.StdEncoding.EncodeToString(raw[8-bits/8:])
}

func decode(value string) []byte {
	sum, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		panic("checksum: not valid: " + value)
	}
	return sum
}

func number(sum []byte) uint64 {
	var raw [8]byte
	copy(raw[8-len(sum):], sum)
	return binary.BigEndian.Uint64(raw[:])
}

// shift gives the CRC of what had the CRC sum with n zero bytes behind it: multiplication by x^(8n) in the field of the reflected polynomial,
// where the highest bit stands for x^0. (Mark Adler's crc32_combine in zlib does the same.)
func shift(sum, poly uint64, bits int, n int64) uint64 {
	power := uint64(1) << (bits - 1)  // x^0
	square := uint64(1) << (bits - 9) // x^8
	for ; n > 0; n >>= 1 {            // square becomes x^16, x^32 …
		if n&1 != 0 {
			power = multiply(power, square, poly, bits)
		}
		square = multiply(square, square, poly, bits)
	}
	return multiply(sum, power, poly, bits)
}

// multiply is the product of two reflected polynomials modulo poly.
func multiply(a, b, poly uint64, bits int) (product uint64) {
	for bit := uint64(1) << (bits - 1); bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry != 0 {
			b ^= poly
		}
	}
	return product
}
