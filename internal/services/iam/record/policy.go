package record

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/internal/services/iam/request"
)

// NewestFirst gives the versions sorted by VersionOrder.
func (p *ManagedPolicy) NewestFirst() []PolicyVersion {
	return slices.SortedFunc(slices.Values(p.Versions), func(a, b PolicyVersion) int {
		return cmp.Compare(VersionOrder(a), VersionOrder(b))
	})
}

// VersionOrder sorts newest first. An id that is not "v" and a number belongs to an AWS managed policy and stands alone.
func VersionOrder(v PolicyVersion) string {
	n, err := strconv.Atoi(strings.TrimPrefix(v.ID, "v"))
	if err != nil {
		return v.ID
	}
	return fmt.Sprintf("%09d", 999_999_999-n)
}

// ManagedPolicy is the stored form of a customer managed policy.
type ManagedPolicy struct {
	ID          string        `json:"id"`
	Name        string        `json:"name"`
	Path        string        `json:"path"`
	Description string        `json:"description,omitempty"`
	Created     time.Time     `json:"created"`
	Updated     time.Time     `json:"updated"`
	Tags        []request.Tag `json:"tags,omitempty"`
	// Default is the id of the version in effect, Last the number of the newest version ever made.
	Default  string          `json:"default"`
	Last     int             `json:"last"`
	Versions []PolicyVersion `json:"versions"`
}

// PolicyVersion is a version of a managed policy.
type PolicyVersion struct {
	ID       string    `json:"id"`
	Document string    `json:"document"`
	Created  time.Time `json:"created"`
}

// Version finds a version by id.
func (p *ManagedPolicy) Version(id string) (PolicyVersion, bool) {
	i := slices.IndexFunc(p.Versions, func(v PolicyVersion) bool { return v.ID == id })
	if i < 0 {
		return PolicyVersion{}, false
	}
	return p.Versions[i], true
}
