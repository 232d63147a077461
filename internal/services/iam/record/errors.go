package record

import (
	"strings"

	"github.com/licet/licet/internal/services/iam/request"
)

// NoSuchIdentity answers for a name that no identity of the kind has.
func NoSuchIdentity(k Kind, name string) error {
	if k == ProfileKind {
		return request.NoSuchEntity("Instance Profile %s cannot be found.", name)
	}
	return request.NoSuchEntity("The %s with name %s cannot be found.", k, name)
}

func identityExists(k Kind, name string) error {
	if k == ProfileKind {
		return request.AlreadyExists("Instance Profile %s already exists.", name)
	}
	word := string(k)
	return request.AlreadyExists("%s%s with name %s already exists.", strings.ToUpper(word[:1]), word[1:], name)
}
