package sqs

import (
	"encoding/base64"

	"github.com/google/uuid"
)

// token and tokenKey turn the name of the queue at which a page ended into an opaque token, and that into a key.
func token(name string) *string {
	t := base64.RawURLEncoding.EncodeToString([]byte(name))
	return &t
}

func tokenKey(scope string, token *string) (string, error) {
	if token == nil || *token == "" {
		return "", nil
	}
	name, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil || !named.Match(name) {
		return "", badValue(*token, "NextToken", "It is not a token of this operation.") // ours
	}
	return scope + string(name), nil
}

// newID makes the id of a message.
func newID() string { return uuid.NewString() }
