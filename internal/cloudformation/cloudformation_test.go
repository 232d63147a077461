package cloudformation

import (
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/internal/landscape"
)

func options() Options {
	const logs = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}`
	const queue = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes"],"Resource":"*"}]}`
	all := map[string]string{
		"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole":     logs,
		"arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole":  queue,
		"arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess":                       `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"xray:Put*","Resource":"*"}]}`,
		"arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*NetworkInterface*","Resource":"*"}]}`,
	}
	return Options{
		Account: "111122223333", Region: "eu-west-1", Partition: "aws", StackName: "stack", Parameters: map[string]string{"Given": "given"},
		ManagedPolicy: func(arn string) (string, bool) { text, ok := all[arn]; return text, ok },
		ManagedPolicyARN: func(name string) (string, bool) {
			for arn := range all {
				if strings.HasSuffix(arn, "/"+name) {
					return arn, true
				}
			}
			return "", false
		},
	}
}

func load(t *testing.T, text string) *landscape.Landscape {
	t.Helper()
	l, err := Load("t.yaml", []byte(text), options())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ask decides, and says "allowed", "denied" or "unsure".
func ask(t *testing.T, l *landscape.Landscape, c landscape.Call) string {
	t.Helper()
	a, err := l.Explain(c, time.Unix(1_800_000_000, 0))
	switch {
	case err != nil:
		t.Fatal(err)
	case a.Unsure != nil:
		return "unsure"
	case a.Decision.Allowed:
		return "allowed"
	}
	return "denied"
}

// insist asks about calls of the form "verdict principal action resource [key=value …]".
func insist(t *testing.T, l *landscape.Landscape, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		c := landscape.Call{Principal: words[1], Action: words[2], Resource: words[3]}
		for _, pair := range words[4:] {
			key, value, _ := strings.Cut(pair, "=")
			c.Context.Set(key, value)
		}
		if got := ask(t, l, c); got != words[0] {
			t.Errorf("%s: got %s", strings.TrimSpace(line), got)
		}
	}
}

// Each value becomes the resource of a statement, by which it can be seen.
func TestIntrinsics(t *testing.T) {
	const around = `
Parameters:
  Given: {Type: String}
  Default: {Type: String, Default: default}
  List: {Type: CommaDelimitedList, Default: "a, b"}
  Open: {Type: String}
  Store: {Type: "AWS::SSM::Parameter::Value<String>", Default: /x}
Mappings:
  Map: {eu-west-1: {name: mapped}}
Conditions:
  True: !Equals [a, a]
  False: !Not [!Condition True]
  Both: !And [!Condition True, !Condition False]
  Either: !Or [!Condition False, !Equals [!Ref Given, given]]
  Open: !Equals [!Ref Open, x]
  Same: !Equals [!Ref Open, !Ref Open]
  Zones: !Equals [!Select [0, !GetAZs us-east-1], !Select [0, !GetAZs us-west-2]]
  Many: !Equals [{"Fn::Length": !Split [",", !Ref Open]}, "1"]
  NotBoth: !And [!Condition Open, !Condition False]
Resources:
  Bucket: {Type: "AWS::S3::Bucket"}
  Named: {Type: "AWS::S3::Bucket", Properties: {BucketName: named}}
  Queue: {Type: "AWS::SQS::Queue", Properties: {QueueName: q}}
  Topic: {Type: "AWS::SNS::Topic"}
  Table: {Type: "AWS::DynamoDB::Table", Properties: {TableName: t}}
  Custom: {Type: "Custom::Thing"}
  Gone: {Type: "AWS::S3::Bucket", Condition: False}
  Role:
    Type: AWS::IAM::Role
    Properties:
      Path: /p/
      RoleName: r
      AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Principal: {Service: x.amazonaws.com}, Action: "sts:AssumeRole"}]}
      Policies:
        - PolicyName: own
          PolicyDocument:
            Version: 2012-10-17
            Statement: [{Effect: Allow, Action: "s3:*", Resource: VALUE}]
`
	for value, want := range map[string]string{
		`!Ref Given`:     "given",
		`{Ref: Default}`: "default",
		`!Sub "${AWS::Partition}-${AWS::Region}-${AWS::AccountId}-${AWS::StackName}-${AWS::URLSuffix}"`: "aws-eu-west-1-111122223333-stack-amazonaws.com",
		`!Sub ["${a}-${Given}-${!literal}", {a: !Ref Default}]`:                                         "default-given-${literal}",
		`!Sub "${Bucket.Arn}/*"`:                     "arn:aws:s3:::stack-bucket-generated/*",
		`!Ref Named`:                                 "named",
		`!GetAtt Queue.Arn`:                          "arn:aws:sqs:eu-west-1:111122223333:q",
		`!GetAtt [Queue, QueueName]`:                 "q",
		`!Ref Queue`:                                 "https://sqs.eu-west-1.amazonaws.com/111122223333/q",
		`!Ref Topic`:                                 "arn:aws:sns:eu-west-1:111122223333:stack-Topic-GENERATED",
		`!GetAtt Role.Arn`:                           "arn:aws:iam::111122223333:role/p/r",
		`!Join ["-", [a, !Ref Given]]`:               "a-given",
		`!Select [1, !Ref List]`:                     "b",
		`!Select [0, !Split [":", "x:y"]]`:           "x",
		`!FindInMap [Map, !Ref "AWS::Region", name]`: "mapped",
		`!FindInMap [Map, x, y, {DefaultValue: d}]`:  "d",
		`!If [True, a, b]`:                           "a",
		`!If [False, a, b]`:                          "b",
		`!If [Both, a, b]`:                           "b",
		`!If [Either, a, b]`:                         "a",
		`!If [Same, a, b]`:                           "a",
		`!If [NotBoth, a, b]`:                        "b",
		`!If [Open, a, a]`:                           "a",
		`[!If [False, a, !Ref "AWS::NoValue"], b]`:   "b",
		`!Select [1, !Cidr [10.0.0.0/16, 2, 8]]`:     "10.0.1.0/24",
		`!Base64 a`:                                  "YQ==",
		`!If [Open, a, b]`:                           "<what the condition Open chooses>",
		`!Ref Open`:                                  "<the parameter Open>",
		`!Ref Store`:                                 "<the parameter Store, whose value is in Systems Manager,>",
		`!Sub "x-${Open}-y"`:                         "x-<the parameter Open>-y",
		`!ImportValue other`:                         "<the import other>",
		`!GetAtt Custom.Arn`:                         "<Custom.Arn>",
		`!GetAtt Table.StreamArn`:                    "arn:aws:dynamodb:eu-west-1:111122223333:table/t/stream/LATEST",
		`!Ref Gone`:                                  "<Gone, which its condition leaves out,>",
		`"x-{{resolve:ssm:/a:1}}"`:                   "x-<{{resolve:ssm:/a:1}}>",
		`!Select [0, !Split [":", !ImportValue x]]`:  "<the import x>",

		// What is made of something that is not known is not known either.
		`!Select [1, !Split ["-", !ImportValue a-b-c]]`:             "<an item of a list>",
		`!Select [1, !Split [":", !Sub "${Open}:b"]]`:               "<an item of a list>",
		`!Select [0, !Split [":", !Sub "a${Open}:b"]]`:              "a<the parameter Open>",
		`!Select [1, !Split [":", !Sub "a:b:${Open}"]]`:             "b",
		`!Sub "x-{{resolve:ssm:/${Given}}}"`:                        "x-<{{resolve:ssm:/given}}>",
		`!Sub "{{resolve:ssm:/${Open}}}"`:                           "<{{resolve:ssm:/the parameter Open}}>",
		`!Join ["/", ["{{resolve:ssm:", "a}}-{{resolve:ssm:/b}}"]]`: "<{{resolve:ssm:/a}}>-<{{resolve:ssm:/b}}>",
		`!If [Zones, a, b]`:                                         "<what the condition Zones chooses>",
		`!If [Many, a, b]`:                                          "<what the condition Many chooses>",
	} {
		t.Run(value, func(t *testing.T) {
			tm, err := parse("t.yaml", []byte(strings.Replace(around, "VALUE", value, 1)))
			if err != nil {
				t.Fatal(err)
			}
			s := newStack(tm, options())
			s.load()
			if s.err != nil {
				t.Fatal(s.err)
			}
			r := s.resources["Role"]
			v := s.value(s.prop(r, "Policies")).([]any)[0].(map[string]any)["PolicyDocument"].(map[string]any)["Statement"].([]any)[0].(map[string]any)["Resource"]
			if list, ok := v.([]any); ok && len(list) == 1 {
				v = list[0]
			}
			text, _ := v.(string)
			if got := landscape.Shown(text); got != want {
				t.Errorf("got %v, want %s", v, want)
			}
			if strings.Contains(want, "<") && len(s.out.Notes) == 0 {
				t.Error("there is no note")
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "a template is a mapping",
		"[":                  "did not find expected",
		"Outputs: {}":        "there are no Resources",
		"Resources: {A: {}}": "t.yaml:1: the resource A has no Type",
		"Resources:\n  A: {Type: x}\n  A: {Type: x}":                                                         `t.yaml:3: "A" is there twice`,
		"Resources:\n  A: &a {Type: x}\n  B: *a":                                                             "templates have no aliases",
		"Resources:\n  A: {Type: x, Condition: None}":                                                        `there is no condition "None"`,
		"Conditions: {C: !Condition C}\nResources:\n  A: {Type: x, Condition: C}":                            `depends on itself`,
		"Resources:\n  B: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Ref B}}":                       "depends on itself",
		"Resources:\n  B: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Ref Nothing}}":                 `there is no parameter and no resource "Nothing"`,
		"Resources:\n  R: {Type: 'AWS::IAM::Role', Properties: {AssumeRolePolicyDocument: {Statement: 1}}}":  "t.yaml:2: trust policy of R",
		"Resources:\n  F: {Type: 'AWS::Serverless::Function', Properties: {Policies: [{S3ReadPolicy: {}}]}}": "the policy template S3ReadPolicy lacks its parameter BucketName",
		strings.Repeat("a: {", 300) + strings.Repeat("}", 300):                                               "nested too deeply",
	} {
		if _, err := Load("t.yaml", []byte(text), options()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %v, want %s", text, err, want)
		}
	}
}

func TestIdentities(t *testing.T) {
	l := load(t, `
Parameters: {Open: {Type: String}}
Conditions: {Open: !Equals [!Ref Open, x]}
Resources:
  User:
    Type: AWS::IAM::User
    Properties:
      UserName: ann
      Groups: [!Ref Group]
      PermissionsBoundary: !Ref Boundary
      Tags: [{Key: team, Value: blue}]
  Group:
    Type: AWS::IAM::Group
    Properties: {Path: /g/, Policies: [{PolicyName: g, PolicyDocument: {Statement: {Effect: Allow, Action: "s3:GetObject", Resource: "*"}}}]}
  Boundary:
    Type: AWS::IAM::ManagedPolicy
    Properties: {PolicyDocument: {Statement: [{Effect: Allow, Action: ["s3:Get*", "sqs:*"], Resource: "*"}]}}
  Shared:
    Type: AWS::IAM::ManagedPolicy
    Properties: {PolicyDocument: {Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*"}]}, Users: [!Ref User], Roles: [!Ref Role]}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {AWS: !GetAtt User.Arn}, Action: "sts:AssumeRole"}]}
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", !Ref Elsewhere]
  Elsewhere: {Type: "Custom::Policy"}
  Inline:
    Type: AWS::IAM::Policy
    Properties: {PolicyName: i, Roles: [!Ref Other], PolicyDocument: {Statement: [{Effect: Deny, Action: "s3:*", Resource: "*"}]}}
  RolePolicy:
    Type: AWS::IAM::RolePolicy
    Properties: {PolicyName: rp, RoleName: !Ref Other, PolicyDocument: {Statement: [{Effect: Allow, Action: "sns:Publish", Resource: "*"}]}}
  Perhaps:
    Type: AWS::IAM::RolePolicy
    Condition: Open
    Properties: {PolicyName: rp, RoleName: !Ref Other, PolicyDocument: {Statement: [{Effect: Allow, Action: "ec2:RunInstances", Resource: "*"}]}}
  Other:
    Type: AWS::IAM::Role
    Properties: {RoleName: other, AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: x.amazonaws.com}, Action: "sts:AssumeRole"}]}}
  More: {Type: "AWS::IAM::UserToGroupAddition", Properties: {GroupName: !Ref Group2, Users: [!Ref User]}}
  Group2:
    Type: AWS::IAM::Group
    Properties: {Policies: [{PolicyName: g, PolicyDocument: {Statement: {Effect: Allow, Action: "sqs:DeleteMessage", Resource: "*"}}}]}
`)
	insist(t, l, `
allowed User s3:GetObject arn:aws:s3:::b/k
denied User s3:PutObject arn:aws:s3:::b/k
allowed ann sqs:SendMessage arn:aws:sqs:eu-west-1:111122223333:q
allowed User sqs:DeleteMessage arn:aws:sqs:eu-west-1:111122223333:q
denied User sns:Publish arn:aws:sns:eu-west-1:111122223333:t
unsure Role logs:PutLogEvents arn:aws:logs:eu-west-1:111122223333:log-group:g:log-stream:s
unsure Role s3:GetObject arn:aws:s3:::b/k
allowed User sts:AssumeRole Role
denied lambda.amazonaws.com sts:AssumeRole Role
denied other s3:GetObject arn:aws:s3:::b/k
denied Other s3:GetObject arn:aws:s3:::x/y
allowed Other sns:Publish arn:aws:sns:eu-west-1:111122223333:t
unsure Other ec2:RunInstances *
`)
	// Its policy Elsewhere may deny what another allows.
	insist(t, l, "unsure Role sqs:SendMessage arn:aws:sqs:eu-west-1:111122223333:q")
}

func TestResourcePolicies(t *testing.T) {
	l := load(t, `
Parameters: {Open: {Type: String}}
Conditions: {Open: !Equals [!Ref Open, x]}
Resources:
  Role: {Type: "AWS::IAM::Role", Properties: {AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}}}
  F: {Type: "AWS::Lambda::Function", Properties: {FunctionName: f, Role: !GetAtt Role.Arn}}
  Live: {Type: "AWS::Lambda::Alias", Properties: {FunctionName: !Ref F, Name: live, FunctionVersion: "1"}}
  Topic: {Type: "AWS::SNS::Topic"}
  Permission: {Type: "AWS::Lambda::Permission", Properties: {Action: "lambda:InvokeFunction", FunctionName: !Ref F, Principal: sns.amazonaws.com, SourceArn: !Ref Topic}}
  OfAlias: {Type: "AWS::Lambda::Permission", Properties: {Action: "lambda:InvokeFunction", FunctionName: !Ref Live, Principal: "444455556666"}}
  Perhaps: {Type: "AWS::Lambda::Permission", Condition: Open, Properties: {Action: "lambda:InvokeFunction", FunctionName: !Ref F, Principal: iot.amazonaws.com}}
  Org: {Type: "AWS::Lambda::Permission", Properties: {Action: "lambda:GetFunction", FunctionName: !GetAtt F.Arn, Principal: "*", PrincipalOrgID: o-1}}
  Bucket: {Type: "AWS::S3::Bucket", Properties: {BucketName: b, NotificationConfiguration: {LambdaConfigurations: [{Event: "s3:ObjectCreated:*", Function: !GetAtt F.Arn}], QueueConfigurations: [{Event: "s3:ObjectRemoved:*", Queue: !GetAtt Queue.Arn}]}}}
  BucketPolicy: {Type: "AWS::S3::BucketPolicy", Properties: {Bucket: !Ref Bucket, PolicyDocument: {Statement: {Effect: Deny, Principal: "*", Action: "s3:*", Resource: [!GetAtt Bucket.Arn, !Sub "${Bucket.Arn}/*"], Condition: {Bool: {"aws:SecureTransport": false}}}}}}
  Queue: {Type: "AWS::SQS::Queue", Properties: {QueueName: q}}
  QueuePolicy: {Type: "AWS::SQS::QueuePolicy", Properties: {Queues: [!Ref Queue], PolicyDocument: {Statement: {Effect: Allow, Principal: {Service: s3.amazonaws.com}, Action: "sqs:SendMessage", Resource: "*", Condition: {ArnLike: {"aws:SourceArn": !GetAtt Bucket.Arn}}}}}}
  Key: {Type: "AWS::KMS::Key", Properties: {KeyPolicy: {Statement: {Effect: Allow, Principal: {AWS: !GetAtt Role.Arn}, Action: "kms:Decrypt", Resource: "*"}}}}
  Plain: {Type: "AWS::KMS::Key"}
  Subscription: {Type: "AWS::SNS::Subscription", Properties: {TopicArn: !Ref Topic, Protocol: lambda, Endpoint: !GetAtt F.Arn}}
`)
	insist(t, l, `
allowed sns.amazonaws.com lambda:InvokeFunction F aws:SourceArn=arn:aws:sns:eu-west-1:111122223333:stack-Topic-GENERATED
denied sns.amazonaws.com lambda:InvokeFunction F aws:SourceArn=arn:aws:sns:eu-west-1:111122223333:other
unsure iot.amazonaws.com lambda:InvokeFunction F
allowed arn:aws:iam::444455556666:root lambda:InvokeFunction Live
denied arn:aws:iam::444455556666:root lambda:InvokeFunction F
denied arn:aws:iam::444455556666:root lambda:GetFunction F aws:PrincipalOrgID=o-2
allowed arn:aws:iam::444455556666:root lambda:GetFunction F aws:PrincipalOrgID=o-1
denied Role s3:GetObject Bucket/k
denied arn:aws:iam::111122223333:root s3:GetObject Bucket/k aws:SecureTransport=false
allowed arn:aws:iam::111122223333:root s3:GetObject Bucket/k
allowed s3.amazonaws.com sqs:SendMessage Queue aws:SourceArn=arn:aws:s3:::b
denied s3.amazonaws.com sqs:SendMessage Queue aws:SourceArn=arn:aws:s3:::c
allowed F kms:Decrypt Key
denied F kms:Encrypt Key
denied F kms:Decrypt Plain
allowed lambda.amazonaws.com sts:AssumeRole Role
`)
	var denied []string
	for _, c := range l.Calls {
		if got := ask(t, l, c); got != "allowed" {
			denied = append(denied, got+" "+c.Action+" "+c.Why)
		}
	}
	want := "denied logs:CreateLogGroup to write the log of F\ndenied logs:CreateLogStream to write the log of F\n" +
		"denied logs:PutLogEvents to write the log of F\n" +
		"denied lambda:InvokeFunction for the notifications of Bucket"
	if got := strings.Join(denied, "\n"); got != want || len(l.Calls) != 7 {
		t.Errorf("%d calls, got\n%s\nwant\n%s", len(l.Calls), got, want)
	}
}

// What SAM makes: a role with policies, permissions for events, aliases, URLs. All that is configured can work then.
func TestSAM(t *testing.T) {
	l := load(t, `
Transform: AWS::Serverless-2016-10-31
Parameters: {Open: {Type: String}}
Conditions: {Open: !Equals [!Ref Open, x], No: !Equals [a, b]}
Globals:
  Function: {Runtime: nodejs22.x, Tracing: Active, Environment: {Variables: {A: a}}}
Resources:
  Bucket: {Type: "AWS::S3::Bucket", Properties: {BucketName: b}}
  Queue: {Type: "AWS::SQS::Queue", Properties: {QueueName: q}}
  Dead: {Type: "AWS::SQS::Queue", Properties: {QueueName: dead}}
  Topic: {Type: "AWS::SNS::Topic", Properties: {TopicName: t}}
  Table: {Type: "AWS::Serverless::SimpleTable"}
  F:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: f
      Policies:
        - DynamoDBCrudPolicy: {TableName: !Ref Table}
        - AWSLambdaVPCAccessExecutionRole
        - Statement: [{Effect: Allow, Action: "ses:SendEmail", Resource: "*"}]
        - !If [No, AdministratorAccess, !Ref "AWS::NoValue"]
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}
      EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SNS, Destination: !Ref Topic}, OnSuccess: {Type: SQS}}}
      FunctionUrlConfig: {AuthType: NONE}
      Events:
        Objects: {Type: S3, Properties: {Bucket: !Ref Bucket, Events: "s3:ObjectCreated:*"}}
        Messages: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}
        Notes: {Type: SNS, Properties: {Topic: !Ref Topic}}
        Daily: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
        Later: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day)}}
        Get: {Type: Api, Properties: {Path: "/a/{id}", Method: get}}
        Any: {Type: HttpApi}
        Lines: {Type: CloudWatchLogs, Properties: {LogGroupName: g, FilterPattern: ""}}
  G:
    Type: AWS::Serverless::Function
    Properties: {AutoPublishAlias: live, Events: {Notes: {Type: SNS, Properties: {Topic: !Ref Topic}}}}
  H:
    Type: AWS::Serverless::Function
    Properties: {Policies: [!If [Open, {Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "*"}]}, AWSLambdaVPCAccessExecutionRole]]}
  I:
    Type: AWS::Serverless::Function
    Properties: {Role: "arn:aws:iam::111122223333:role/elsewhere"}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties: {Policies: [LambdaInvokePolicy: {FunctionName: !Ref F}]}
  K:
    Type: AWS::Serverless::Function
    Properties: {Policies: [NoSuchPolicy: {}]}
Outputs:
  Alias: {Value: !Ref G.Alias}
`)
	insist(t, l, `
allowed F dynamodb:PutItem Table
allowed F dynamodb:Query Table/index/i
denied F dynamodb:DeleteTable Table
allowed FRole ec2:CreateNetworkInterface *
allowed F ses:SendEmail *
allowed F xray:PutTraceSegments *
denied F s3:GetObject Bucket/k
allowed s3.amazonaws.com lambda:InvokeFunction F aws:SourceArn=arn:aws:s3:::b aws:SourceAccount=111122223333
denied s3.amazonaws.com lambda:InvokeFunction F aws:SourceArn=arn:aws:s3:::b aws:SourceAccount=444455556666
allowed apigateway.amazonaws.com lambda:InvokeFunction F aws:SourceArn=arn:aws:execute-api:eu-west-1:111122223333:stack-ServerlessRestApi-GENERATED/prod/GET/a/7
denied apigateway.amazonaws.com lambda:InvokeFunction F aws:SourceArn=arn:aws:execute-api:eu-west-1:111122223333:stack-ServerlessRestApi-GENERATED/prod/POST/a/7
allowed FLaterRole lambda:InvokeFunction F
allowed arn:aws:iam::444455556666:root lambda:InvokeFunctionUrl F lambda:FunctionUrlAuthType=NONE
allowed sns.amazonaws.com lambda:InvokeFunction GAlias aws:SourceArn=arn:aws:sns:eu-west-1:111122223333:t
denied sns.amazonaws.com lambda:InvokeFunction G aws:SourceArn=arn:aws:sns:eu-west-1:111122223333:t
unsure H s3:GetObject Bucket/k
unsure I s3:GetObject Bucket/k
allowed MachineRole lambda:InvokeFunction F
allowed states.amazonaws.com sts:AssumeRole MachineRole
unsure K s3:GetObject Bucket/k
`)
	for _, c := range l.Calls {
		if got := ask(t, l, c); got != "allowed" && c.Why != "for Lambda to run I" && !strings.HasSuffix(c.Why, " of I") &&
			!strings.HasSuffix(c.Why, " of H") && !strings.HasSuffix(c.Why, " of K") {
			t.Errorf("%s: %s %s %s %s", c.Why, got, c.Principal, c.Action, c.Resource)
		}
	}
}

// Every policy template can be read, with its parameters, and is a policy.
func TestPolicyTemplates(t *testing.T) {
	all := policyTemplates()
	if len(all) != 81 {
		t.Errorf("there are %d", len(all))
	}
	for name, template := range all {
		parameters := make([]string, len(template.parameters))
		for i, p := range template.parameters {
			parameters[i] = p + ": v" + p
		}
		l := load(t, "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n"+
			"      Policies: [{"+name+": {"+strings.Join(parameters, ", ")+"}}]\n")
		if len(l.Notes) > 0 {
			t.Errorf("%s: %v", name, l.Notes)
		}
		if len(template.statements) == 0 {
			t.Errorf("%s allows nothing", name)
		}
		for _, st := range template.statements {
			if len(st.actions) == 0 || len(st.resources) == 0 {
				t.Errorf("%s: %+v", name, st)
			}
			for _, form := range append(st.resources, st.value) {
				for rest := form; strings.Contains(rest, "${"); {
					_, after, _ := strings.Cut(rest, "${")
					p, following, _ := strings.Cut(after, "}")
					rest = following
					if !strings.HasPrefix(p, "AWS::") && !strings.Contains(" "+strings.Join(template.parameters, " ")+" ", " "+p+" ") {
						t.Errorf("%s has no parameter %s", name, p)
					}
				}
			}
		}
	}
}

// JSON templates have tabs, and long forms of functions.
func TestJSON(t *testing.T) {
	l := load(t, "{\n\t\"Resources\": {\n\t\t\"Q\": {\"Type\": \"AWS::SQS::Queue\", \"Properties\": {\"QueueName\": {\"Fn::Join\": [\"-\", [\"a\", {\"Ref\": \"AWS::Region\"}]]}}}\n\t}\n}")
	if arn, err := l.ResourceARN("Q"); err != nil || arn != "arn:aws:sqs:eu-west-1:111122223333:a-eu-west-1" {
		t.Errorf("got %s, %v", arn, err)
	}
	if !Takes([]byte("Resources: {}")) || Takes([]byte(`{"planned_values": {}}`)) || Takes([]byte("[")) {
		t.Error("what a template is")
	}
}

// Whatever a template has, it is read or refused.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("Resources:\n  B: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Sub '${AWS::Region}-${X}'}}\nParameters: {X: {Default: x}}"))
	f.Add([]byte("Transform: AWS::Serverless-2016-10-31\nResources:\n  F: {Type: 'AWS::Serverless::Function', Properties: {Policies: [S3ReadPolicy: {BucketName: !Ref F}], Events: {E: {Type: SQS, Properties: {Queue: q}}}}}"))
	f.Add([]byte("Conditions: {C: !Or [!Equals [a, b], !Not [!Condition C]]}\nResources: {R: {Type: 'AWS::IAM::Role', Condition: C, Properties: {AssumeRolePolicyDocument: !If [C, {}, !Ref 'AWS::NoValue']}}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := Load("t.yaml", text, options())
		if err != nil {
			return
		}
		for _, c := range l.Calls[:min(len(l.Calls), 20)] {
			_, _ = l.Explain(c, time.Unix(1_800_000_000, 0)) // a name may be that of several
		}
	})
}

// What is passed over must not make an answer sure.
func TestOverlooked(t *testing.T) {
	const around = `
Parameters:
  Open: {Type: String}
  None: {Type: String, Default: ""}
Conditions:
  Open: !Equals [!Ref Open, x]
  HasBoundary: !Not [!Equals [!Ref None, ""]]
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: r
      PermissionsBoundary: !If [HasBoundary, !Ref None, !Ref "AWS::NoValue"]
      Tags: [{Key: stage, Value: !Ref Open}]
      AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}
      Policies: [{PolicyName: p, PolicyDocument: {Version: 2012-10-17, Statement: [
        {Effect: Allow, Action: ["s3:GetObject", "lambda:*", "events:*", "sqs:*"], Resource: "*"},
        {Effect: Allow, Action: "s3:PutObject", Resource: "*", Condition: {StringEquals: {"aws:PrincipalTag/stage": prod}}},
        {Effect: Allow, Action: "s3:DeleteObject", Resource: "*", Condition: {StringEquals: {"aws:ResourceTag/stage": dev}}}]}}]
  Bucket: {Type: "AWS::S3::Bucket", Properties: {BucketName: b, Tags: [{Key: stage, Value: dev}]}}
  Tagged: {Type: "AWS::S3::Bucket", Properties: {BucketName: tagged, AbacStatus: Enabled, Tags: [{Key: stage, Value: dev}]}}
  Queue: {Type: "AWS::SQS::Queue", Properties: {QueueName: q}}
  Bus: {Type: "AWS::Events::EventBus", Properties: {Name: bus}}
  User: {Type: "AWS::IAM::User", Properties: {UserName: u}}
  Function: {Type: "AWS::Lambda::Function", Properties: {FunctionName: f, Role: !GetAtt Role.Arn}}
`
	const deny = `{Statement: {Effect: Deny, Principal: "*", Action: "*", Resource: "*"}}`
	const allow = `{Statement: {Effect: Allow, Action: "s3:*", Resource: "*"}}`
	for name, c := range map[string]struct{ more, want string }{
		"nothing": {"", `
allowed Role s3:GetObject Bucket/k
unsure Role s3:PutObject Bucket/k
denied Role s3:DeleteObject Bucket/k
allowed Role s3:DeleteObject Tagged/k
allowed Role sqs:SendMessage Queue
allowed Role events:PutEvents Bus
denied User s3:GetObject Bucket/k
denied sns.amazonaws.com lambda:InvokeFunction Function
`},
		"policy of an unknown bucket":   {`  P: {Type: "AWS::S3::BucketPolicy", Properties: {Bucket: !Ref Open, PolicyDocument: ` + deny + `}}`, "unsure Role s3:GetObject Bucket/k"},
		"unknown policy of a bucket":    {`  P: {Type: "AWS::S3::BucketPolicy", Properties: {Bucket: !Ref Bucket, PolicyDocument: !If [Open, ` + deny + `, ` + allow + `]}}`, "unsure Role s3:GetObject Bucket/k"},
		"inline policy of a queue":      {`  P: {Type: "AWS::SQS::QueueInlinePolicy", Properties: {Queue: !Ref Queue, PolicyDocument: ` + deny + `}}`, "denied Role sqs:SendMessage Queue"},
		"policy of a bus":               {`  P: {Type: "AWS::Events::EventBusPolicy", Properties: {EventBusName: !Ref Bus, StatementId: s, Statement: {}}}`, "unsure Role events:PutEvents Bus"},
		"policy in a bus":               {`  Bus2: {Type: "AWS::Events::EventBus", Properties: {Name: bus2, Policy: ` + deny + `}}`, "unsure Role events:PutEvents Bus2"},
		"permission of an unknown":      {`  P: {Type: "AWS::Lambda::Permission", Properties: {Action: "lambda:*", FunctionName: !Ref Open, Principal: sns.amazonaws.com}}`, "unsure sns.amazonaws.com lambda:InvokeFunction Function"},
		"no source":                     {`  P: {Type: "AWS::Lambda::Permission", Properties: {Action: "lambda:InvokeFunction", FunctionName: !Ref Function, Principal: sns.amazonaws.com, SourceAccount: !Ref "AWS::NoValue"}}`, "allowed sns.amazonaws.com lambda:InvokeFunction Function"},
		"members of whom nobody knows":  {"  G: {Type: 'AWS::IAM::Group', Properties: {Policies: [{PolicyName: g, PolicyDocument: " + allow + "}]}}\n  P: {Type: 'AWS::IAM::UserToGroupAddition', Properties: {GroupName: !Ref G, Users: [!Ref Open]}}", "unsure User s3:GetObject Bucket/k"},
		"membership that may not be":    {"  G: {Type: 'AWS::IAM::Group', Properties: {Policies: [{PolicyName: g, PolicyDocument: " + allow + "}]}}\n  P: {Type: 'AWS::IAM::UserToGroupAddition', Condition: Open, Properties: {GroupName: !Ref G, Users: [!Ref User]}}", "unsure User s3:GetObject Bucket/k"},
		"state machine of SAM":          {`  M: {Type: "AWS::Serverless::StateMachine", Properties: {Policies: [` + allow + `]}}`, "allowed MRole s3:GetObject Bucket/k\ndenied sns.amazonaws.com states:StartExecution M"},
		"resources that a loop makes":   {`  Fn::ForEach::Roles: [Name, [a, b], {}]`, "unsure Role s3:GetObject Bucket/k"},
		"connector of another function": {`  P: {Type: "AWS::Serverless::Connector", Properties: {Source: {Id: Function}, Destination: {Id: Queue}, Permissions: [Write]}}`, "unsure Role s3:ListBucket Bucket\nunsure sns.amazonaws.com sqs:SendMessage Queue\ndenied sns.amazonaws.com lambda:InvokeFunction Function"},
		"connector in a function": {"  F2:\n    Type: AWS::Serverless::Function\n    Connectors: {C: {Properties: {Destination: {Id: Queue}, Permissions: [Write]}}}\n    Properties: {FunctionName: f2}",
			"unsure F2 s3:ListBucket Bucket\nunsure sns.amazonaws.com sqs:SendMessage Queue"},
	} {
		t.Run(name, func(t *testing.T) { insist(t, load(t, around+c.more), c.want) })
	}
	insist(t, load(t, "Transform: Mine"+around), "unsure Role s3:GetObject Bucket/k")
	insist(t, load(t, "Mappings: {M: {a: {Fn::Transform: {Name: x}, b: c}}}"+around), "unsure Role s3:GetObject Bucket/k")
	if _, err := Load("t.yaml", []byte(around+"\n---\nResources: {}"), options()); err == nil {
		t.Error("a second document is passed over")
	}
}

// A configuration that a condition chooses needs what it says.
func TestChosenConfiguration(t *testing.T) {
	l := load(t, `
Parameters: {Given: {Type: String}, Open: {Type: String}}
Conditions: {Yes: !Equals [!Ref Given, given], Open: !Equals [!Ref Open, x]}
Resources:
  Role: {Type: "AWS::IAM::Role", Properties: {AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}}}
  F:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      VpcConfig: !If [Yes, {SubnetIds: [s]}, !Ref "AWS::NoValue"]
      DeadLetterConfig: !If [Yes, {TargetArn: "arn:aws:sqs:eu-west-1:111122223333:dead"}, !Ref "AWS::NoValue"]
      TracingConfig: !If [Open, {Mode: Active}, !Ref "AWS::NoValue"]
`)
	var actions []string
	for _, c := range l.Calls {
		actions = append(actions, c.Action)
	}
	got := strings.Join(actions, " ")
	for _, want := range []string{"sqs:SendMessage", "ec2:CreateNetworkInterface"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not needed; got %s", want, got)
		}
	}
	if len(l.Notes) == 0 {
		t.Error("that tracing is not known is not noted")
	}
}

// A role that is imported is nobody's that could be asked.
func TestImportedRole(t *testing.T) {
	l := load(t, `Resources: {F: {Type: "AWS::Lambda::Function", Properties: {Role: !ImportValue role}}}`)
	for _, c := range l.Calls {
		if got := ask(t, l, c); got != "unsure" {
			t.Errorf("%s: got %s", c.Action, got)
		}
	}
}

// One template may give a policy to what another declares.
func TestTwoTemplates(t *testing.T) {
	l := load(t, `
Resources:
  Role: {Type: "AWS::IAM::Role", Properties: {RoleName: shared, AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]},
    Policies: [{PolicyName: p, PolicyDocument: {Statement: {Effect: Allow, Action: "s3:*", Resource: "*"}}}]}}
  Bucket: {Type: "AWS::S3::Bucket", Properties: {BucketName: b}}
`)
	l.Join(load(t, `
Resources:
  P: {Type: "AWS::IAM::RolePolicy", Properties: {PolicyName: q, RoleName: shared, PolicyDocument: {Statement: {Effect: Deny, Action: "s3:DeleteObject", Resource: "*"}}}}
  B: {Type: "AWS::S3::BucketPolicy", Properties: {Bucket: b, PolicyDocument: {Statement: {Effect: Deny, Principal: "*", Action: "s3:PutObject", Resource: "arn:aws:s3:::b/*"}}}}
`))
	insist(t, l, "allowed Role s3:GetObject Bucket/k\ndenied Role s3:DeleteObject Bucket/k\ndenied Role s3:PutObject Bucket/k")
}

// A policy of which nobody knows whose it is may be that of somebody whom another template declares.
func TestGivenToNobodyKnowsWhom(t *testing.T) {
	const allow = `{Version: 2012-10-17, Statement: [{Effect: Allow, Action: "s3:*", Resource: "*"}]}`
	l := load(t, `
Resources:
  User: {Type: AWS::IAM::User, Properties: {UserName: ann, Policies: [{PolicyName: own, PolicyDocument: `+allow+`}]}}
  Other: {Type: AWS::IAM::Role, Properties: {RoleName: other, AssumeRolePolicyDocument: `+strings.Replace(allow, `"s3:*", Resource: "*"`, `"sts:AssumeRole", Principal: "*"`, 1)+`,
    Policies: [{PolicyName: own, PolicyDocument: `+allow+`}]}}
`)
	l.Join(load(t, `
Parameters: {Open: {Type: String}}
Resources:
  Policy: {Type: AWS::IAM::Policy, Properties: {PolicyName: p, Groups: [!Ref Open], PolicyDocument: `+strings.Replace(allow, "Allow", "Deny", 1)+`}}
`))
	insist(t, l, `
		unsure ann s3:GetObject arn:aws:s3:::b/x
		allowed other s3:GetObject arn:aws:s3:::b/x
	`)
}

// A method and a path that are not known may be any.
func TestOpenPath(t *testing.T) {
	l := load(t, `
Transform: AWS::Serverless-2016-10-31
Parameters: {Open: {Type: String}}
Resources:
  Path:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: path, Runtime: python3.12, Handler: h, InlineCode: x, Events: {E: {Type: HttpApi, Properties: {Path: !Ref Open, Method: get}}}}
  Method:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: method, Runtime: python3.12, Handler: h, InlineCode: x, Events: {E: {Type: HttpApi, Properties: {Path: "/a/{id}", Method: !Ref Open}}}}
`)
	const source = "aws:SourceAccount=111122223333 aws:SourceArn=arn:aws:execute-api:eu-west-1:111122223333:stack-ServerlessHttpApi-GENERATED/*/"
	insist(t, l, `
		unsure apigateway.amazonaws.com lambda:InvokeFunction path `+source+`GET/x
		unsure apigateway.amazonaws.com lambda:InvokeFunction method `+source+`POST/a/x
	`)
}
