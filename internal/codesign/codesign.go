// Package codesign signs deployment packages and checks their signatures. It stands in for AWS Signer, whose service and whose form of
// a signature are not public.
//
// A signature is one more entry of the zip archive, under the name that AWS Signer uses. It is a JSON Web Signature (RFC 7515) by the
// key of the publisher's certificate over what it says: the signing profile, the time, the expiry, and a digest of all other entries:
// their names, modes and contents, in order of their names. Compression and order in the archive do not count.
//
// It never decides what follows from a signature that is missing or bad. A certificate is trusted because it was configured for a
// profile, not for who issued it. All functions are safe for concurrent use. Archives must have been checked for size before.
package codesign

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Entry is the name of the signature in the archive.
const Entry = "META-INF/aws_signer_signature_v1.0.SF"

// maxSignature is the size of a signature that is read, in bytes.
const maxSignature = 1 << 20

// What can be wrong with a signature: the four checks of
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html, but for revocation.
var (
	ErrUnsigned  = errors.New("codesign: the archive has no signature")
	ErrUntrusted = errors.New("codesign: no certificate is known for the signature")
	ErrExpired   = errors.New("codesign: the signature has expired")
	// ErrIntegrity means that the archive, or the signature, was changed.
	ErrIntegrity = errors.New("codesign: the archive is not what was signed")
)

// Signature is what a publisher says of an archive.
type Signature struct {
	// Profile is the ARN of the version of the signing profile.
	Profile string `json:"profile"`
	// Job is the ARN of the signing job.
	Job     string    `json:"job"`
	Signed  time.Time `json:"signed"`
	Expires time.Time `json:"expires"`
}

// signed is the payload of the JSON Web Signature.
type signed struct {
	Signature
	Digest string `json:"digest"`
}

func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.ES512, jose.PS256, jose.PS384, jose.PS512}
}

// algorithm for a key.
func algorithm(key crypto.PublicKey) (jose.SignatureAlgorithm, error) {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve.Params().BitSize {
		case 256:
			return jose.ES256, nil
		case 384:
			return jose.ES384, nil
		case 521:
			return jose.ES512, nil
		}
	case *rsa.PublicKey:
		return jose.PS384, nil
	}
	return "", fmt.Errorf("codesign: keys of type %T cannot sign; take ECDSA on P-256, P-384 or P-521, or RSA", key)
}

// Sign gives the archive with a signature. An archive that has one is refused.
func Sign(archive []byte, s Signature, key crypto.Signer) ([]byte, error) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("codesign: read archive: %w", err)
	}
	if len(r.File) == 0 {
		return nil, errors.New("codesign: the archive is empty")
	}
	if _, err := signatureOf(r); !errors.Is(err, ErrUnsigned) {
		return nil, errors.New("codesign: the archive is signed already")
	}
	digest, err := digest(r)
	if err != nil {
		return nil, err
	}
	payload, err := json.Marshal(signed{s, digest})
	if err != nil {
		return nil, fmt.Errorf("codesign: encode signature: %w", err)
	}
	text, err := seal(payload, key)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range r.File {
		if err := w.Copy(f); err != nil {
			return nil, fmt.Errorf("codesign: copy %s: %w", f.Name, err)
		}
	}
	e, err := w.Create(Entry)
	if err == nil {
		_, err = io.WriteString(e, text)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("codesign: write archive: %w", err)
	}
	return out.Bytes(), nil
}

func seal(payload []byte, key crypto.Signer) (string, error) {
	alg, err := algorithm(key.Public())
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
	if err != nil {
		return "", fmt.Errorf("codesign: %w", err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("codesign: %w", err)
	}
	return jws.CompactSerialize()
}

// Verify gives the signature of an archive if it is by the certificate that is known for its profile, matches, and holds at this time.
// With ErrExpired the signature is given, too: nothing but its time is wrong. The error wraps one of those above, or is that of an
// archive which cannot be read.
func Verify(archive []byte, certificates map[string]*x509.Certificate, now time.Time) (Signature, error) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return Signature{}, fmt.Errorf("codesign: read archive: %w", err)
	}
	text, err := signatureOf(r)
	if err != nil {
		return Signature{}, err
	}
	jws, err := jose.ParseSignedCompact(text, algorithms())
	if err != nil { // a signature in another form, such as AWS Signer's own
		return Signature{}, fmt.Errorf("%w: %v", ErrUntrusted, err)
	}
	var claimed signed // not to be believed before the signature is checked
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &claimed); err != nil {
		return Signature{}, fmt.Errorf("%w: %v", ErrUntrusted, err)
	}
	certificate := certificates[claimed.Profile]
	if certificate == nil {
		return Signature{}, fmt.Errorf("%w of profile %q", ErrUntrusted, claimed.Profile)
	}
	if _, err := jws.Verify(certificate.PublicKey); err != nil {
		return Signature{}, fmt.Errorf("%w: %v", ErrIntegrity, err)
	}
	if claimed.Signed.Before(certificate.NotBefore) || claimed.Signed.After(certificate.NotAfter) {
		return Signature{}, fmt.Errorf("%w that held when it was made", ErrUntrusted)
	}
	found, err := digest(r)
	if err != nil {
		return Signature{}, err
	}
	if found != claimed.Digest {
		return Signature{}, ErrIntegrity
	}
	if !now.Before(claimed.Expires) {
		return claimed.Signature, ErrExpired
	}
	return claimed.Signature, nil
}

// signatureOf reads the entry with the signature.
func signatureOf(r *zip.Reader) (string, error) {
	var found *zip.File
	for _, f := range r.File {
		if f.Name != Entry {
			continue
		}
		if found != nil {
			return "", fmt.Errorf("%w: it has two signatures", ErrIntegrity)
		}
		found = f
	}
	if found == nil {
		return "", ErrUnsigned
	}
	e, err := found.Open()
	if err != nil {
		return "", fmt.Errorf("%w: %v", ErrIntegrity, err)
	}
	defer e.Close() // nothing is written
	text, err := io.ReadAll(io.LimitReader(e, maxSignature))
	if err != nil {
		return "", fmt.Errorf("%w: %v", ErrIntegrity, err)
	}
	return string(bytes.TrimSpace(text)), nil
}

// digest of all entries but the signature.
func digest(r *zip.Reader) (string, error) {
	files := slices.DeleteFunc(slices.Clone(r.File), func(f *zip.File) bool { return f.Name == Entry })
	slices.SortStableFunc(files, func(a, b *zip.File) int { return cmp.Compare(a.Name, b.Name) })
	sum := sha512.New384()
	for _, f := range files {
		if err := addEntry(sum, f); err != nil {
			return "", fmt.Errorf("%w: %s: %v", ErrIntegrity, f.Name, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// addEntry adds the length of the name, the name, the mode and the hash of the content, so that no two lists of entries are the same.
func addEntry(to hash.Hash, f *zip.File) error {
	content, err := f.Open()
	if err != nil {
		return err
	}
	defer content.Close() // nothing is written
	inner := sha256.New()
	if _, err := io.Copy(inner, content); err != nil {
		return err
	}
	var b []byte
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.Name)))
	b = append(b, f.Name...)
	b = binary.BigEndian.AppendUint32(b, uint32(f.Mode()))
	_, err = to.Write(inner.Sum(b))
	return err
}
