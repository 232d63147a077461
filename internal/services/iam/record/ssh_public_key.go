package record

import (
	"crypto/md5"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/awserr"
)

// SSHPublicKey is the stored form of an SSH public key, in the record of its user. Key is in the form of SSH's wire (RFC 4253, 6.6).
type SSHPublicKey struct {
	ID       string    `json:"id"`
	Key      []byte    `json:"key"`
	Active   bool      `json:"active"`
	Uploaded time.Time `json:"uploaded"`
}

// Sizes of https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_ssh-keys.html, in bits.
const (
	leastSSHKey = 2048
	maxSSHKey   = 16384
)

const sshRSA = "ssh-rsa"

// ParseSSHPublicKey reads an RSA key in the form of SSH or PEM, and gives it in the form of SSH's wire.
func ParseSSHPublicKey(body string) ([]byte, error) {
	unrecognized := awserr.New("UnrecognizedPublicKeyEncoding", http.StatusBadRequest, "Invalid public key uploaded.")
	var key *rsa.PublicKey
	if block, _ := pem.Decode([]byte(body)); block != nil {
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, unrecognized
		}
		var ok bool
		if key, ok = parsed.(*rsa.PublicKey); !ok {
			return nil, unrecognized
		}
	} else {
		fields := strings.Fields(body)
		if len(fields) < 2 || fields[0] != sshRSA {
			return nil, unrecognized
		}
		wire, err := base64.StdEncoding.DecodeString(fields[1])
		if err != nil {
			return nil, unrecognized
		}
		if key = parseSSHWire(wire); key == nil {
			return nil, unrecognized
		}
	}
	if bits := key.N.BitLen(); bits < leastSSHKey || bits > maxSSHKey {
		return nil, awserr.New("InvalidPublicKey", http.StatusBadRequest, "Invalid body for public key")
	}
	return sshWire(key), nil
}

// parseSSHWire reads a key in the form of SSH's wire; nil when it is none.
func parseSSHWire(wire []byte) *rsa.PublicKey {
	var fields [3][]byte
	for i := range fields {
		if len(wire) < 4 {
			return nil
		}
		n := binary.BigEndian.Uint32(wire)
		if uint64(n) > uint64(len(wire)-4) {
			return nil
		}
		fields[i], wire = wire[4:4+n], wire[4+n:]
	}
	e, n := new(big.Int).SetBytes(fields[1]), new(big.Int).SetBytes(fields[2])
	if string(fields[0]) != sshRSA || len(wire) != 0 || !e.IsInt64() || e.Int64() > 1<<31-1 || e.Int64() < 3 || n.Sign() <= 0 {
		return nil
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}
}

func sshWire(key *rsa.PublicKey) []byte {
	var out []byte
	for _, field := range [][]byte{[]byte(sshRSA), mpint(big.NewInt(int64(key.E))), mpint(key.N)} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(field)))
		out = append(out, field...)
	}
	return out
}

// mpint is a positive number as RFC 4251, section 5, writes it: its first bit is that of the sign.
func mpint(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) > 0 && b[0]&0x80 != 0 {
		b = append([]byte{0}, b...)
	}
	return b
}

// SSH gives the key as a line of SSH, without comment.
func (k SSHPublicKey) SSH() string {
	return sshRSA + " " + base64.StdEncoding.EncodeToString(k.Key)
}

// PEM gives the key in PEM.
func (k SSHPublicKey) PEM() (string, error) {
	key := parseSSHWire(k.Key)
	if key == nil {
		return "", fmt.Errorf("SSH public key %s cannot be read", k.ID)
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("encode SSH public key %s: %w", k.ID, err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// fingerprint is the MD5 of the key, as SSH shows it.
func (k SSHPublicKey) fingerprint() string {
	sum := md5.Sum(k.Key)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02x", b)
	}
	return strings.Join(parts, ":")
}

// Wire is the key as answers show it.
func (k SSHPublicKey) Wire(e *Identity, body string) *types.SSHPublicKey {
	return &types.SSHPublicKey{
		Fingerprint: aws.String(k.fingerprint()), SSHPublicKeyBody: aws.String(body), SSHPublicKeyId: aws.String(k.ID),
		Status: WireStatus(k.Active), UploadDate: aws.Time(k.Uploaded), UserName: aws.String(e.Name),
	}
}
