package audit

import (
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
)

// Record is one decided call. It keeps the inputs of the decision, not its trace: the decision is a pure function, so that the
// explanation is made by deciding the same inputs again, and compared with the verdict that was recorded.
type Record struct {
	RequestID string    `json:"request_id"`
	Time      time.Time `json:"time"`
	// Account, Region, Service and Operation of the call.
	Account   string           `json:"account"`
	Region    string           `json:"region"`
	Service   string           `json:"service"`
	Operation string           `json:"operation"`
	Caller    principal.Caller `json:"caller"`
	SourceIP  string           `json:"source_ip,omitempty"`
	UserAgent string           `json:"user_agent,omitempty"`
	// Mode is "enforce" or "observe".
	Mode string `json:"mode"`
	// Allowed is the verdict over all needs. In observe mode a call may have gone on without it.
	Allowed bool `json:"allowed"`
	// Exempt is set for operations that AWS never denies.
	Exempt string `json:"exempt,omitempty"`
	// Decisions, one for each need of the operation.
	Decisions []Decision `json:"decisions,omitempty"`
	// Failure is set when the operation was let through and failed.
	Failure *Failure `json:"failure,omitempty"`
}

// Failure is how an operation that was let through failed.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
	// Detail is what the client was not told, such as where a policy's text is wrong.
	Detail string `json:"detail,omitempty"`
}

// Decision is one need of the call with what was decided.
type Decision struct {
	Request authz.Request `json:"request"`
	// Policies that applied, by reference to their texts.
	Policies PolicySet `json:"policies"`
	Allowed  bool      `json:"allowed"`
	// By is the policy type that decided.
	By authz.PolicyType `json:"by,omitempty"`
	// Note explains a decision that no policy made, such as an action that AWS does not have.
	Note string `json:"note,omitempty"`
	// Applied are the policies themselves, while the record is in memory. Policies is made from them.
	Applied authz.Policies `json:"-"`
}

// PolicySet is authz.Policies with each document replaced by the hash of its text.
type PolicySet struct {
	Identity    []PolicyRef   `json:"identity,omitempty"`
	Boundary    *PolicyRef    `json:"boundary,omitempty"`
	Session     []PolicyRef   `json:"session,omitempty"`
	HasSession  bool          `json:"has_session,omitempty"`
	Resource    *PolicyRef    `json:"resource,omitempty"`
	Trust       bool          `json:"trust,omitempty"`
	SCPs        [][]PolicyRef `json:"scps,omitempty"`
	HasSCPs     bool          `json:"has_scps,omitempty"`
	RCPs        [][]PolicyRef `json:"rcps,omitempty"`
	HasRCPs     bool          `json:"has_rcps,omitempty"`
	VPCEndpoint *PolicyRef    `json:"vpc_endpoint,omitempty"`
}

// PolicyRef names a policy and the text it had when the decision was made.
type PolicyRef struct {
	ARN  string `json:"arn,omitempty"`
	Name string `json:"name"`
	// Hash is the hexadecimal SHA-256 of the text.
	Hash string `json:"hash"`
}
