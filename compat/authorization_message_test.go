package compat

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// A denial comes with an encoded message, which tells who may decode it what was asked and what decided.
func TestDecodeAuthorizationMessage(t *testing.T) {
	t.Parallel()
	user := server.newUser(t, allow("lambda:*", "*"), `{"Sid":"no","Effect":"Deny","Action":"lambda:GetFunction","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalType":"User"}}}`)
	reader := server.newUser(t, allow("sts:DecodeAuthorizationMessage", "*"))
	_, err := user.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("secret")})
	message := messageOf(t, err)
	decode := func(c clients, text string) (string, error) {
		out, err := c.sts.DecodeAuthorizationMessage(t.Context(), &sts.DecodeAuthorizationMessageInput{EncodedMessage: &text})
		if err != nil {
			return "", err
		}
		return *out.DecodedMessage, nil
	}
	var got struct {
		Allowed, ExplicitDeny bool
		MatchedStatements     struct {
			Items []struct {
				StatementID, Effect string
				Actions, Resources  struct{ Items []struct{ Value string } }
				Conditions          struct{ Items []struct{ Key string } }
			}
		}
		Context struct {
			Principal        struct{ ID, Name, ARN string }
			Action, Resource string
			Conditions       struct {
				Items []struct {
					Key    string
					Values struct{ Items []struct{ Value string } }
				}
			}
		}
	}
	text := must(decode(reader.clients, message))(t)
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	principal := got.Context.Principal
	if got.Allowed || !got.ExplicitDeny || principal.ARN != user.arn || principal.Name != user.name || len(principal.ID) != 21 ||
		got.Context.Action != "lambda:GetFunction" || got.Context.Resource != "arn:aws:lambda:us-east-1:"+account+":function:secret" {
		t.Errorf("got %s", text)
	}
	i := slices.IndexFunc(got.Context.Conditions.Items, func(c struct {
		Key    string
		Values struct{ Items []struct{ Value string } }
	}) bool {
		return c.Key == "aws:PrincipalType"
	})
	if i < 0 || got.Context.Conditions.Items[i].Values.Items[0].Value != "User" {
		t.Errorf("got conditions %v", got.Context.Conditions)
	}
	var statements []string
	for _, st := range got.MatchedStatements.Items {
		statements = append(statements, st.StatementID+" "+st.Effect+" "+st.Actions.Items[0].Value)
	}
	if diff := cmp.Diff(statements, []string{" ALLOW lambda:*", "no DENY lambda:GetFunction"}); diff != "" {
		t.Errorf("statements (-got +want):\n%s", diff)
	}

	_, err = decode(user.clients, message)
	check(t, err, failure{403, "AccessDenied", noPolicyAllows(user.arn, "sts:DecodeAuthorizationMessage", "*", "identity-based policy")})
	for _, bad := range []string{"x", message[1:], message + "A", server.root.AccessKeyID} {
		_, err = decode(reader.clients, bad)
		check(t, err, failure{400, "InvalidAuthorizationMessageException", "Message is not valid"})
	}
}

// messageOf is the encoded message that comes with a denial.
func messageOf(t *testing.T, err error) string {
	t.Helper()
	response, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	message := response.Response.Header.Get("x-licet-authorization-message")
	if message == "" {
		t.Fatalf("no message with %v", err)
	}
	return message
}
