package record

import (
	"strings"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/services/iam/request"
)

// AWSAccount stands in the ARNs of AWS managed policies in the place of an account.
const AWSAccount = "aws"

// ParsePolicyARN tells a text that is no ARN from an ARN that names no policy, as AWS does (recorded). One that is too long for the API
// model is refused before anything remembers it.
func ParsePolicyARN(text string) (arn.ARN, error) {
	if err := request.CheckLength("policyArn", text, 0, request.MaxARN); err != nil {
		return arn.ARN{}, err
	}
	a, err := arn.Parse(text)
	if err != nil {
		return arn.ARN{}, request.ValidationError("ARN %s is not valid.", text)
	}
	_, name := PolicyPathAndName(text)
	if a.Service != "iam" || a.Region != "" || !strings.HasPrefix(a.Resource, "policy/") || name == "" ||
		a.AccountID != AWSAccount && !IsAccount(a.AccountID) {
		return arn.ARN{}, request.InvalidInput("ARN %s is not valid.", text)
	}
	return a, nil
}

// IsOfAWS tells whether a policy's ARN is that of an AWS managed policy.
func IsOfAWS(policyARN string) bool { return strings.Contains(policyARN, "::"+AWSAccount+":policy/") }

// PolicyPathAndName splits a policy's ARN: "arn:aws:iam::1:policy/team/x" gives "/team/" and "x".
func PolicyPathAndName(text string) (path, name string) {
	_, rest, _ := strings.Cut(text, ":policy/")
	i := strings.LastIndexByte(rest, '/')
	return "/" + rest[:i+1], rest[i+1:]
}

// MFASerial is the serial number of a virtual device: its ARN.
func (n Names) MFASerial(account, path, name string) string { return n.ARN(account, "mfa"+path+name) }

// ProviderARN is the ARN of a provider.
func (n Names) ProviderARN(account string, k ProviderKind, name string) string {
	return n.ARN(account, string(k)+"/"+name)
}

// ParseProviderARN takes a provider's ARN apart; ok is false for any other text.
func (n Names) ParseProviderARN(k ProviderKind, text string) (account, name string, ok bool) {
	a, err := arn.Parse(text)
	if err != nil || a.Partition != n.Partition || a.Service != "iam" || a.Region != "" || !IsAccount(a.AccountID) {
		return "", "", false
	}
	name, ok = strings.CutPrefix(a.Resource, string(k)+"/")
	return a.AccountID, name, ok && name != ""
}

// ServerCertificateARN is the ARN of a server certificate.
func (n Names) ServerCertificateARN(account, path, name string) string {
	return n.ARN(account, "server-certificate"+path+name)
}

// ParseIdentityARN splits the ARN of a user, group or role. name is without the path, which AWS does not compare here (recorded).
func ParseIdentityARN(text string) (a arn.ARN, k Kind, name string, ok bool) {
	a, err := arn.Parse(text)
	if err != nil || a.Service != "iam" || a.Region != "" || !IsAccount(a.AccountID) {
		return arn.ARN{}, "", "", false
	}
	word, rest, _ := strings.Cut(a.Resource, "/")
	k, name = Kind(word), rest[strings.LastIndexByte(rest, '/')+1:]
	return a, k, name, name != "" && (k == UserKind || k == GroupKind || k == RoleKind)
}

// Names makes ARNs.
type Names struct{ Partition string }

// ARN is the ARN of a resource of IAM.
func (n Names) ARN(account, resource string) string {
	return arn.ARN{Partition: n.Partition, Service: "iam", AccountID: account, Resource: resource}.String()
}

// IdentityARN is the ARN of an identity.
func (n Names) IdentityARN(account string, e *Identity) string {
	if e.Kind == RootKind {
		return n.ARN(account, "root")
	}
	return n.ARN(account, string(e.Kind)+e.Path+e.Name)
}

// PolicyARN is the ARN of a customer managed policy.
func (n Names) PolicyARN(account string, p *ManagedPolicy) string {
	return n.ARN(account, "policy"+p.Path+p.Name)
}

// IsAccount tells whether text is an account id: 12 digits.
func IsAccount(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}
