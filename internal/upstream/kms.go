package upstream

import (
	"maps"
	"slices"
	"strings"

	"github.com/licet/licet/internal/service"
)

// The permissions of KMS: https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html; a request that names
// an alias is judged on the key behind it (https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html).

func (q *question) kms() ([]service.Need, bool) {
	switch q.in.operation {
	case "ReEncrypt":
		return []service.Need{
			q.ofKey("kms:ReEncryptFrom", "SourceKeyId", "SourceEncryptionContext"),
			q.ofKey("kms:ReEncryptTo", "DestinationKeyId", "DestinationEncryptionContext"),
		}, true
	case "CreateAlias", "UpdateAlias":
		alias := q.about("kms:"+q.in.operation, q.named("", q.in.text("AliasName")))
		return []service.Need{alias, q.ofKey("kms:"+q.in.operation, "TargetKeyId", "")}, true
	case "DeleteAlias":
		alias := q.about("kms:DeleteAlias", q.named("", q.in.text("AliasName")))
		return []service.Need{alias, q.about("kms:DeleteAlias", q.unknownKey())}, true
	}
	a, ok := q.data.Action("kms:" + q.in.operation)
	if !ok || len(a.ResourceTypes) != 1 || a.ResourceTypes[0].Name != "key" {
		return nil, false
	}
	needs := []service.Need{q.ofKey("kms:"+q.in.operation, "KeyId", "EncryptionContext")}
	if q.in.members["GrantToken"] != nil { // by which RetireGrant finds the key
		needs = append(needs, q.about("kms:"+q.in.operation, q.unknownKey()))
	}
	return needs, true
}

// ofKey is a need on the key that a member names, or that a ciphertext is of.
func (q *question) ofKey(action, member, contextMember string) service.Need {
	name := q.in.text(member)
	alias, isAlias := strings.CutPrefix(name[strings.LastIndex(name, ":")+1:], "alias/")
	var n service.Need
	switch {
	case name == "" || isAlias:
		n = q.about(action, q.unknownKey())
	default:
		n = q.about(action, q.named("key/", name))
	}
	if isAlias {
		set(&n, "kms:RequestAlias", "alias/"+alias)
	} else if name != "" {
		without(&n, "kms:RequestAlias")
	}
	without(&n, "kms:ViaService")
	set(&n, "kms:CallerAccount", q.call.Caller.Account)
	if q.in.members["Recipient"] == nil {
		without(&n, "kms:RecipientAttestation:*")
	}
	q.encryptionContext(&n, contextMember)
	return n
}

// unknownKey is a key of the account whose id is not known. All ids, those of multi-Region keys too, have 36 characters.
func (q *question) unknownKey() resource {
	return resource{arn: q.here("key/" + strings.Repeat("?", 36)), partly: true}
}

func (q *question) encryptionContext(n *service.Need, member string) {
	pairs, ok := q.in.members[member].(map[string]any)
	if !ok {
		if q.in.members[member] == nil {
			without(n, "kms:EncryptionContextKeys", "kms:EncryptionContext:*")
		}
		return
	}
	for name, v := range pairs {
		value, ok := v.(string)
		if !ok {
			return
		}
		set(n, "kms:EncryptionContext:"+name, value)
	}
	setList(n, "kms:EncryptionContextKeys", slices.Sorted(maps.Keys(pairs))...)
	without(n, "kms:EncryptionContext:*")
}
