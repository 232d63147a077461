package principal

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strconv"
)

// Prefixes of identifiers
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html, "Understanding unique ID prefixes").
const (
	UserIDPrefix              = "AIDA"
	RoleIDPrefix              = "AROA"
	GroupIDPrefix             = "AGPA"
	PolicyIDPrefix            = "ANPA"
	AccessKeyPrefix           = "AKIA"
	TemporaryKeyPrefix        = "ASIA"
	PublicKeyIDPrefix         = "APKA"
	CertificateIDPrefix       = "ASCA"
	ServiceCredentialIDPrefix = "ACCA"
	ProfileIDPrefix           = "AIPA"
)

const (
	prefixLength = 4
	// accessKeyIDLength and uniqueIDLength are those of AWS's own identifiers.
	accessKeyIDLength = 20
	uniqueIDLength    = 21
	// accountMark is set in identifiers that carry their account.
	accountMark = 1 << 47
	// accountShift is where the account number starts in the first 48 bits.
	accountShift = 7
	maxAccount   = 999_999_999_999
)

// NewAccessKeyID makes an access key id of a 12-digit account. Like those of AWS it carries the account in its first bits, so that
// AccessKeyAccount needs no look-up (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html).
func NewAccessKeyID(prefix, account string) (string, error) {
	n, err := strconv.ParseUint(account, 10, 64)
	if err != nil || len(account) != 12 {
		return "", fmt.Errorf("account %q is not of 12 digits", account)
	}
	var b [10]byte
	rand.Read(b[:]) // never fails: crypto/rand
	var head [8]byte
	copy(head[2:], b[:6])
	low := binary.BigEndian.Uint64(head[:]) & (1<<accountShift - 1)
	binary.BigEndian.PutUint64(head[:], accountMark|n<<accountShift|low)
	copy(b[:6], head[2:])
	return prefix + base32.StdEncoding.EncodeToString(b[:]), nil
}

// NewUniqueID makes the unique id of a user, role, group or policy. It carries the account as an access key id does.
func NewUniqueID(prefix, account string) (string, error) {
	id, err := NewAccessKeyID(prefix, account)
	if err != nil {
		return "", err
	}
	var b [1]byte
	rand.Read(b[:])
	return id + base32.StdEncoding.EncodeToString(b[:])[:1], nil
}

// AccountOf reads the account out of an access key id or a unique id; ok is false for identifiers that carry none.
func AccountOf(id string) (account string, ok bool) {
	if len(id) != accessKeyIDLength && len(id) != uniqueIDLength {
		return "", false
	}
	b, err := base32.StdEncoding.DecodeString(id[prefixLength:accessKeyIDLength])
	if err != nil {
		return "", false
	}
	var head [8]byte
	copy(head[2:], b[:6])
	v := binary.BigEndian.Uint64(head[:])
	n := v &^ accountMark >> accountShift
	if v&accountMark == 0 || n > maxAccount {
		return "", false
	}
	return fmt.Sprintf("%012d", n), true
}
