package organizations

import (
	"crypto/rand"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/internal/arn"
)

// Ids have the lengths that AWS's documentation shows: o-exampleorgid, r-examplerootid111 (in practice four characters),
// ou-examplerootid111-exampleouid111, p-examplepolicyid111, car-… and h-… of 32.
const (
	organizationIDLength = 10
	rootIDLength         = 4
	unitIDLength         = 8
	policyIDLength       = 8
	requestIDLength      = 32
	handshakeIDLength    = 32
)

// newID makes lower-case letters and digits.
func newID(prefix string, length int) string {
	text := strings.ToLower(rand.Text() + rand.Text())
	return prefix + text[:length]
}

// patterns are those of the SDK's model. Immutable after newPatterns.
type patterns struct {
	account, root, unit, parent, child, target, policy, request, handshake, taggable *regexp.Regexp
	accountName, email, roleName, service                                            *regexp.Regexp
}

func newPatterns() patterns {
	const account, root, unit, policy = `\d{12}`, `r-[0-9a-z]{4,32}`, `ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}`, `p-[0-9a-zA-Z_]{8,128}`
	whole := func(alternatives ...string) *regexp.Regexp {
		return regexp.MustCompile(`^(?:` + strings.Join(alternatives, "|") + `)$`)
	}
	return patterns{
		account: whole(account), root: whole(root), unit: whole(unit), parent: whole(root, unit), child: whole(account, unit),
		target: whole(root, account, unit), policy: whole(policy), request: whole(`car-[a-z0-9]{8,32}`),
		handshake: whole(`h-[0-9a-z]{8,32}`), taggable: whole(root, account, unit, policy, `rp-[0-9a-zA-Z_]{4,128}`),
		accountName: whole(`[ -~]{1,50}`), email: whole(`[^\s@]+@[^\s@]+\.[^\s@]+`), roleName: whole(`[\w+=,.@-]{1,64}`),
		service: whole(`[\w+=,.@-]{1,128}`),
	}
}

// names makes ARNs.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html (resource types)
type names struct{ partition string }

func (n names) arn(account, resource string) string {
	return arn.ARN{Partition: n.partition, Service: "organizations", AccountID: account, Resource: resource}.String()
}

func (n names) organizationARN(o *tree) string { return n.arn(o.Management, "organization/"+o.ID) }

// nodeARN is the ARN of a root, unit or account.
func (n names) nodeARN(o *tree, id string) string {
	word := "account"
	switch kindOf(id) {
	case types.TargetTypeRoot:
		word = "root"
	case types.TargetTypeOrganizationalUnit:
		word = "ou"
	}
	return n.arn(o.Management, word+"/"+o.ID+"/"+id)
}

func (n names) policyARN(o *tree, p *orgPolicy) string {
	resource := strings.ToLower(string(p.Type)) + "/" + p.ID
	if p.Managed {
		return n.arn("aws", "policy/"+resource)
	}
	return n.arn(o.Management, "policy/"+o.ID+"/"+resource)
}

func (n names) handshakeARN(h *handshake) string {
	return n.arn(h.Management, "handshake/"+h.Organization+"/invite/"+h.ID)
}

// kindOf tells by its id what a node is.
func kindOf(id string) types.TargetType {
	switch {
	case strings.HasPrefix(id, "r-"):
		return types.TargetTypeRoot
	case strings.HasPrefix(id, "ou-"):
		return types.TargetTypeOrganizationalUnit
	default:
		return types.TargetTypeAccount
	}
}
