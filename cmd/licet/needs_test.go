package main

import (
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	awsorganizations "github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/functionurl"
)

// TestNeedsAreAWSs walks all operations of all services and holds what each needs authorized against AWS's own tables: the action
// must exist, the resource must have one of its formats, and each condition key must be one that requests for the action carry.
func TestNeedsAreAWSs(t *testing.T) {
	l := newLaboratory(t)
	l.makeTagged()
	data, err := awsdata.Load()
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, s := range l.s.offered {
		inputs := make(map[string]reflect.Type, len(s.API.Operations))
		for _, op := range s.API.Operations {
			inputs[op.Name] = op.Input
		}
		for _, op := range s.Operations {
			if s.API.SigningName == functionurl.ServiceName { // its codec alone makes inputs: TestFunctionURLNeeds
				continue
			}
			if op.Identifies() { // it needs the token of a provider: TestWebIdentityNeeds and TestSAMLNeeds of sts
				continue
			}
			for _, all := range []bool{false, true} {
				name := s.API.SigningName + ":" + op.Name
				in := newInput(s.API.SigningName, inputs[op.Name], all)
				needs, err := op.Needs(t.Context(), l.call(l.root, s.API.SigningName, op.Name), in.Interface())
				if err != nil {
					t.Errorf("%s: %v (a member wants another value: put it into the table of inputValues)", name, err)
					continue
				}
				if len(needs) == 0 {
					t.Errorf("%s needs no permission", name)
				}
				for _, need := range needs {
					judged++
					for _, problem := range problems(data, name, need) {
						t.Errorf("%s: %s", name, problem)
					}
				}
			}
		}
	}
	if judged < 200 {
		t.Errorf("%d needs were looked at: the walk is broken", judged)
	}
}

// TestFunctionURLNeeds holds what requests to function URLs need against the same tables.
func TestFunctionURLNeeds(t *testing.T) {
	l := newLaboratory(t)
	data, err := awsdata.Load()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(l.s.offered, func(s service.Service) bool { return s.API.SigningName == functionurl.ServiceName })
	if i < 0 {
		t.Fatal("the server has no function URLs")
	}
	l.s.url = "http://127.0.0.1:4566" // where URLs are
	requests := l.s.offered[i]
	f := l.newFunction("f")
	for _, auth := range []lambdatypes.FunctionUrlAuthType{lambdatypes.FunctionUrlAuthTypeNone, lambdatypes.FunctionUrlAuthTypeAwsIam} {
		in := &awslambda.CreateFunctionUrlConfigInput{FunctionName: aws.String(f), AuthType: auth}
		out := l.as(l.root, "lambda", "CreateFunctionUrlConfig", in).(*awslambda.CreateFunctionUrlConfigOutput)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, *out.FunctionUrl, nil)
		if err != nil {
			t.Fatal(err)
		}
		req := &protocol.Request{HTTP: r}
		op, err := requests.Codec.Operation(req)
		if err != nil {
			t.Fatal(err)
		}
		input, err := requests.Codec.Decode(req, op)
		if err != nil {
			t.Fatal(err)
		}
		needs, err := requests.Operations[0].Needs(t.Context(), l.call(l.root, requests.API.SigningName, op.Name), input)
		if err != nil || len(needs) != 2 {
			t.Fatalf("got %d needs, %v", len(needs), err)
		}
		for _, need := range needs {
			for _, problem := range problems(data, op.Name, need) {
				t.Error(problem)
			}
		}
		if got, _ := needs[0].Target.Keys.Get("lambda:FunctionUrlAuthType"); len(got.Values) != 1 || got.Values[0] != string(auth) {
			t.Errorf("got lambda:FunctionUrlAuthType %v, want %s", got.Values, auth)
		}
		if got, _ := needs[1].Target.Keys.Get("lambda:InvokedViaFunctionUrl"); len(got.Values) != 1 || got.Values[0] != "true" {
			t.Errorf("got lambda:InvokedViaFunctionUrl %v, want true", got.Values)
		}
		l.as(l.root, "lambda", "DeleteFunctionUrlConfig", &awslambda.DeleteFunctionUrlConfigInput{FunctionName: aws.String(f)})
	}
}

// makeTagged makes resources with tags, which are condition keys, under the names that inputs have.
func (l *laboratory) makeTagged() {
	tags := []iamtypes.Tag{{Key: aws.String("Team"), Value: aws.String("blue")}}
	name := aws.String(someName)
	l.iam(&awsiam.CreateUserInput{UserName: name, Tags: tags, PermissionsBoundary: &l.limits[0]})
	l.iam(&awsiam.CreateRoleInput{RoleName: name, Tags: tags, AssumeRolePolicyDocument: aws.String(someTrust)})
	l.iam(&awsiam.CreatePolicyInput{PolicyName: name, Tags: tags, PolicyDocument: aws.String(somePolicy)})
	l.as(l.root, "organizations", "CreateOrganization", &awsorganizations.CreateOrganizationInput{})
	l.iam(&awsiam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: name, Tags: tags})
}

// exceptions are operations, or actions, whose resource is not that of the Service Authorization Reference, with the reason.
func exceptions() map[string]string {
	const list = "AWS's own denials show the prefix of what is listed, though the reference says that the action has no resource"
	return map[string]string{
		"iam:ListUsers": list, "iam:ListGroups": list, "iam:ListRoles": list, "iam:ListInstanceProfiles": list,
		"logs:DescribeLogGroups": list,

		"logs:DeleteDeliverySource": "the reference names the type of another resource, which the operation does not touch",

		"organizations:CreatePolicy":      "the policy that is to be made has no id yet",
		"organizations:PutResourcePolicy": "the policy that is to be made has no id yet",
	}
}

// problems are what AWS's tables do not know about a need.
func problems(data *awsdata.Data, operation string, need service.Need) []string {
	action, ok := data.Action(need.Action)
	if !ok {
		return []string{"AWS has no action " + need.Action}
	}
	var found []string
	formats, _ := data.ResourceFormats(need.Action)
	target := need.Target.ARN
	if exceptions()[need.Action] == "" && exceptions()[operation] == "" && !isRoot(target) {
		switch {
		case target == "*" && slices.ContainsFunc(action.ResourceTypes, func(r awsdata.ResourceTypeRef) bool { return r.Required }):
			found = append(found, need.Action+" on *, but the action is about a resource")
		case target != "*" && !slices.ContainsFunc(formats, func(f string) bool { return data.Fits(target, f) }):
			found = append(found, need.Action+" on "+target+", which has none of the formats "+strings.Join(formats, ", "))
		}
	}
	known := keysOf(data, action)
	if sessions := []string{"sts:TagSession", "sts:SetSourceIdentity"}; slices.Contains(sessions, need.Action) {
		// They are asked for by the call that assumes the role, and trust policies put one condition on all of its actions
		// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html).
		assume, _ := data.Action("sts:AssumeRole")
		known = append(known, keysOf(data, assume)...)
	}
	for name := range need.Target.Keys.All {
		if name == "aws:ResourceAccount" { // of every request; AssumeRoot says whose root user it is about
			continue
		}
		if key, ok := data.ConditionKey(action.Service, name); !ok || !slices.Contains(known, key.Name) {
			found = append(found, need.Action+" with the key "+name+", which its requests do not carry")
		}
	}
	return found
}

// isRoot tells the root user, which GetUser and the operations on access keys are about when it calls them without a name.
func isRoot(arn string) bool { return strings.HasSuffix(arn, ":root") }

// keysOf are the condition keys of an action and of the resources that it takes.
func keysOf(data *awsdata.Data, action awsdata.Action) []string {
	keys := slices.Clone(action.ConditionKeys)
	for _, r := range action.ResourceTypes {
		keys = append(keys, r.ConditionKeys...)
		t, _ := data.ResourceType(action.Service, r.Name)
		keys = append(keys, t.ConditionKeys...)
	}
	return keys
}

// TestMissingOperations wants an operation that is not there to be answered NotImplemented and, of IAM and STS, to be in the list
// of differences from AWS. What is there must not be in the list.
func TestMissingOperations(t *testing.T) {
	l := newLaboratory(t)
	text, err := os.ReadFile("../../docs/DIFFERENCES.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(text), missingHeading)
	if !found {
		t.Fatalf("docs/DIFFERENCES.md has no heading %q", missingHeading)
	}
	list, _, _ = strings.Cut(list, "\n## ")
	listed := regexp.MustCompile(`\b[A-Z]\w+\b`).FindAllString(list, -1)
	for _, s := range l.s.offered {
		for _, op := range s.API.Operations {
			has := slices.ContainsFunc(s.Operations, func(o service.Operation) bool { return o.Name == op.Name })
			if listed := slices.Contains(listed, op.Name); isListed(s.API) && listed == has {
				t.Errorf("%s %s: there %v, under %q in docs/DIFFERENCES.md %v", s.API.SigningName, op.Name, has, missingHeading, listed)
			}
			if has {
				continue
			}
			in := newInput(s.API.SigningName, op.Input, false).Interface()
			_, err := l.s.door.Do(t.Context(), l.call(l.root, s.API.SigningName, op.Name), in)
			if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Code != "NotImplemented" {
				t.Errorf("%s %s: got %v, want NotImplemented", s.API.SigningName, op.Name, err)
			}
		}
	}
}

const missingHeading = "## Operations of IAM and STS that are not there\n"

func isListed(api *protocol.API) bool { return api.SigningName == "iam" || api.SigningName == "sts" }

// Values that inputs have.
const (
	someName   = "thing"
	somePolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	someTrust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	leaveOut   = ""

	someFunctionPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"*","Resource":"*"}]}`
)

// inputValues are the values of members that cannot be called someName: by member, by service and member, or by operation and
// member, of which the last says most.
func inputValues() map[string]string {
	const (
		iam      = "arn:aws:iam::" + defaultAccount + ":"
		logGroup = "arn:aws:logs:" + defaultRegion + ":" + defaultAccount + ":log-group:" + someName
		function = "arn:aws:lambda:" + defaultRegion + ":" + defaultAccount + ":function:" + someName
		queue    = "arn:aws:sqs:" + defaultRegion + ":" + defaultAccount + ":" + someName
	)
	return map[string]string{
		"Marker": leaveOut, "NextToken": leaveOut, "RevisionId": leaveOut, "Qualifier": leaveOut,

		"PolicyArn": iam + "policy/" + someName, "PermissionsBoundary": iam + "policy/" + someName,
		"RoleArn": iam + "role/" + someName, "Role": iam + "role/" + someName,
		"PolicySourceArn": iam + "user/" + someName, "Arn": iam + "user/" + someName,
		"PolicyDocument": somePolicy, "Policy": somePolicy, "AssumeRolePolicyDocument": someTrust,
		"Path": "/", "PathPrefix": "/", "NewPath": "/", "VersionId": "v1", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE",
		"SerialNumber": iam + "mfa/" + someName, "DeletionTaskId": "task/aws-service-role/x.amazonaws.com/x/1",
		"ServiceSpecificCredentialId": "ACCAIOSFODNN7EXAMPLE", "ServiceName": "codecommit.amazonaws.com",
		"ActionNames": "lambda:InvokeFunction", "JobId": "01234567-89ab-cdef-0123-456789abcdef", "ServiceNamespace": "s3",

		"Url": "https://idp.example.com", "OpenIDConnectProviderArn": iam + "oidc-provider/" + someName,
		"SAMLProviderArn": iam + "saml-provider/" + someName, "TargetPrincipal": defaultAccount, "SigningAlgorithm": "RS256",
		"AssumeRoot.DurationSeconds": "900", "AssumeRoot.Arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials",

		"sts.SerialNumber": leaveOut, "sts.TokenCode": leaveOut, "sts.MinimumSessionTokenSize": leaveOut, "sts.ProvidedContexts": leaveOut,

		"lambda.Resource": function, "lambda.Action": "lambda:InvokeFunction", "lambda.Principal": "s3.amazonaws.com",
		"lambda.SourceArn": "arn:aws:s3:::" + someName, "lambda.SourceAccount": defaultAccount, "lambda.PrincipalOrgID": "o-a1b2c3d4e5",
		"lambda.ResourceArn": function, "lambda.Policy": someFunctionPolicy,
		"lambda.KMSKeyArn":            "arn:aws:kms:" + defaultRegion + ":" + defaultAccount + ":key/" + someName,
		"lambda.SourceKMSKeyArn":      "arn:aws:kms:" + defaultRegion + ":" + defaultAccount + ":key/" + someName,
		"lambda.TargetArn":            "arn:aws:sqs:" + defaultRegion + ":" + defaultAccount + ":" + someName,
		"lambda.CodeSigningConfigArn": "arn:aws:lambda:" + defaultRegion + ":" + defaultAccount + ":code-signing-config:csc-0123456789abcdef0",
		"lambda.SubnetIds":            "subnet-0123456789abcdef0",
		"lambda.SecurityGroupIds":     "sg-0123456789abcdef0",
		"lambda.Arn":                  "arn:aws:elasticfilesystem:" + defaultRegion + ":" + defaultAccount + ":access-point/fsap-0123456789abcdef0",
		"lambda.LocalMountPath":       "/mnt/" + someName,
		"lambda.ImageUri":             defaultAccount + ".dkr.ecr." + defaultRegion + ".amazonaws.com/" + someName + ":latest",
		"lambda.MasterRegion":         "ALL",
		"lambda.Layers":               "arn:aws:lambda:" + defaultRegion + ":" + defaultAccount + ":layer:" + someName + ":1",

		"CreateAlias.FunctionVersion": "1", "UpdateAlias.FunctionVersion": "1", "ListAliases.FunctionVersion": "1",

		"lambda.OrganizationId": "o-a1b2c3d4e5", "AddLayerVersionPermission.Action": "lambda:GetLayerVersion",
		"AddLayerVersionPermission.Principal":       defaultAccount,
		"GetLayerVersionByArn.Arn":                  "arn:aws:lambda:" + defaultRegion + ":" + defaultAccount + ":layer:" + someName + ":1",
		"lambda.EventSourceArn":                     "arn:aws:sqs:" + defaultRegion + ":" + defaultAccount + ":" + someName,
		"lambda.Destination":                        "arn:aws:sqs:" + defaultRegion + ":" + defaultAccount + ":" + someName,
		"lambda.MaximumConcurrency":                 "5",
		"lambda.SigningProfileVersionArns":          "arn:aws:signer:" + defaultRegion + ":" + defaultAccount + ":/signing-profiles/" + someName + "/1",
		"PutProvisionedConcurrencyConfig.Qualifier": "live", "GetProvisionedConcurrencyConfig.Qualifier": "live",
		"DeleteProvisionedConcurrencyConfig.Qualifier": "live", "PutFunctionScalingConfig.Qualifier": "1", "GetFunctionScalingConfig.Qualifier": "1",
		"MaximumEventAgeInSeconds": "60",
		"lambda.RuntimeVersionArn": "arn:aws:lambda:" + defaultRegion + "::runtime:0123456789abcdef",

		"lambda.DurableExecutionArn": function + ":1/durable-execution/" + someName + "/" + someName,

		"logs.LogGroupIdentifier": logGroup, "DescribeLogStreams.LogGroupIdentifier": leaveOut, "FilterLogEvents.LogGroupIdentifier": leaveOut,
		"GetLogEvents.LogGroupIdentifier": leaveOut, "GetLogGroupFields.LogGroupIdentifier": leaveOut, "logs.LogGroupArn": logGroup, "logs.ResourceArn": logGroup, "logs.KmsKeyId": leaveOut,
		"EntityPath": "o-0123456789/r-0123/ou-0123-01234567", "OrganizationsPolicyId": "p-0123456789",
		"organizations.AccountId": defaultAccount, "organizations.Id": defaultAccount, "organizations.TargetId": defaultAccount,
		"organizations.ChildId": defaultAccount, "organizations.ResourceId": defaultAccount, "organizations.PolicyId": "p-0123456789",
		"organizations.RootId": "r-0123", "organizations.ParentId": "r-0123", "organizations.SourceParentId": "r-0123",
		"organizations.DestinationParentId": "ou-0123-01234567", "organizations.OrganizationalUnitId": "ou-0123-01234567",
		"organizations.HandshakeId": "h-0123456789", "organizations.CreateAccountRequestId": "car-0123456789",
		"organizations.ServicePrincipal": "s3.amazonaws.com", "organizations.Email": "thing@example.com", "organizations.Filter": "SERVICE_CONTROL_POLICY",
		"ListHandshakesForAccount.Filter": leaveOut, "ListHandshakesForOrganization.Filter": leaveOut,

		"s3-control.ResourceArn": "arn:aws:s3:::" + someName, "s3-control.AccountId": defaultAccount,
		"s3.CopySource": someName + "/" + someName, "s3.Tagging": "key=value",
		"sqs.QueueUrl": "http://127.0.0.1/" + defaultAccount + "/" + someName, "QueueOwnerAWSAccountId": defaultAccount,
		"sqs.SourceArn": queue, "sqs.DestinationArn": queue,
		"sqs.TaskHandle": base64.StdEncoding.EncodeToString([]byte(
			`{"taskId":"01234567-89ab-cdef-0123-456789abcdef","sourceArn":"` + queue + `"}`)),

		"DurationSeconds": "3600", "MaxSessionDuration": "3600", "MemorySize": "512", "Size": "512", "DescribeLogGroups.LogGroupNamePattern": leaveOut,
	}
}

// newInput makes an input whose members have values that are valid: those that operations cannot do without or, with all, every
// one.
func newInput(serviceName string, t reflect.Type, all bool) reflect.Value {
	in := reflect.New(t)
	m := inputMaker{service: serviceName, operation: strings.TrimSuffix(t.Name(), "Input"), all: all, values: inputValues()}
	m.fill(in.Elem(), "", 0)
	return in
}

type inputMaker struct {
	service, operation string
	all                bool
	values             map[string]string
}

// value gives the text of a member, which an enumeration takes from its own values.
func (m inputMaker) value(member string, v reflect.Value) string {
	for _, key := range []string{m.operation + "." + member, m.service + "." + member, member} {
		if value, ok := m.values[key]; ok {
			return value
		}
	}
	if values := v.MethodByName("Values"); values.IsValid() && values.Call(nil)[0].Len() > 0 {
		return values.Call(nil)[0].Index(0).String()
	}
	return someName
}

func (m inputMaker) fill(v reflect.Value, member string, depth int) {
	if !v.CanSet() || depth > 6 || m.value(member, v) == leaveOut {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if e := reflect.New(v.Type().Elem()); e.Elem().Kind() != reflect.Struct || m.all || isRequired(m.operation, member) {
			m.fill(e.Elem(), member, depth+1)
			v.Set(e)
		}
	case reflect.String:
		v.SetString(m.value(member, v))
	case reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(m.value(member, v), 10, 64)
		if err != nil {
			n = 1
		}
		v.SetInt(n)
	case reflect.Slice:
		switch {
		case v.Type().Elem().Kind() == reflect.Uint8:
			v.SetBytes([]byte("{}"))
		case m.all || isRequired(m.operation, member):
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			m.fill(v.Index(0), member, depth+1)
		}
	case reflect.Map:
		if (m.all || isRequired(m.operation, member)) && v.Type().Elem().Kind() == reflect.String {
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf("key").Convert(v.Type().Key()), reflect.ValueOf("value").Convert(v.Type().Elem()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			m.fill(v.Field(i), v.Type().Field(i).Name, depth+1)
		}
	}
}

// isRequired tells of lists, maps and structures that operations cannot do without.
func isRequired(operation, member string) bool {
	switch member {
	case "Delete", "Objects":
		return operation == "DeleteObjects"
	case "ActionNames", "TagKeys", "Code", "Content", "Target", "Audience", "TaskPolicyArn", "AllowedPublishers", "SigningProfileVersionArns":
		return true
	case "Tags":
		return strings.HasPrefix(operation, "Tag")
	}
	return false
}
