package record

import (
	"slices"
	"strings"
)

// IsProtected tells whether a role belongs to AWS: service-linked roles and those of IAM Identity Center (iam.md T8).
func (e *Identity) IsProtected() bool { return e.IsServiceLinked() || e.IsReserved() }

// IsServiceLinked tells whether a role is one of those that AWS services make and use.
func (e *Identity) IsServiceLinked() bool {
	return e.Kind == RoleKind && strings.HasPrefix(e.Path, ServiceLinkedPath)
}

// IsReserved tells whether a role is one of IAM Identity Center.
func (e *Identity) IsReserved() bool {
	return e.Kind == RoleKind && strings.HasPrefix(e.Path, "/aws-reserved/")
}

// ServiceCredential is the one of an id; nil when there is none.
func (e *Identity) ServiceCredential(id string) *ServiceCredential {
	i := slices.IndexFunc(e.ServiceCredentials, func(c ServiceCredential) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &e.ServiceCredentials[i]
}

// ServiceLinkedPath is that of service-linked roles, and of the managed policies that AWS keeps for them.
const ServiceLinkedPath = "/aws-service-role/"

// Certificate is the one of an id; nil when there is none.
func (e *Identity) Certificate(id string) *SigningCertificate {
	i := slices.IndexFunc(e.Certificates, func(c SigningCertificate) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &e.Certificates[i]
}

// MaxInlineSize is the limit of all inline policies of an identity together.
func MaxInlineSize(k Kind) int {
	switch k {
	case UserKind:
		return 2048
	case GroupKind:
		return 5120
	default:
		return 10240
	}
}
