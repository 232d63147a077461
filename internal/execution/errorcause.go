package execution

import "encoding/json"

// errorWithCause is the media type of a handler's error that has a cause with it, which is for X-Ray and not for the caller
// (aws-lambda-runtime-interface-emulator, rapi/handler/invocationerror.go).
const errorWithCause = "application/vnd.aws.lambda.error.cause+json"

// withoutCause is what the caller gets of such an error. Members of other names go, too; a body that is none becomes a text that says so.
func withoutCause(body []byte) []byte {
	var e struct {
		ErrorMessage string   `json:"errorMessage"`
		ErrorType    string   `json:"errorType"`
		StackTrace   []string `json:"stackTrace,omitempty"`
	}
	if json.Unmarshal(body, &e) != nil {
		return []byte(`"Invalid error body"`)
	}
	kept, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings always have a JSON form
	}
	return kept
}
