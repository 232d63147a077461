package dispatch

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/policy"
)

// The kinds of calls that differ in which keys they have.
const (
	user         = "user"          // with long-term keys
	root         = "root"          // likewise
	userSession  = "user session"  // of GetSessionToken, with MFA
	rootSession  = "root session"  // of AssumeRoot
	role         = "role"          // a session of AssumeRole
	function     = "function"      // a session that Lambda made for a function
	webSession   = "web session"   // a session of AssumeRoleWithWebIdentity
	samlSession  = "SAML session"  // a session of AssumeRoleWithSAML
	federated    = "federated"     // a session of GetFederationToken
	awsService   = "service"       // a service principal, on behalf of a resource
	forward      = "forward"       // a service that calls with a user's credentials
	webCaller    = "web caller"    // who calls AssumeRoleWithWebIdentity
	samlCaller   = "SAML caller"   // who calls AssumeRoleWithSAML
	anonymous    = "anonymous"     // not signed
	fromFunction = "from function" // a call over no network that has an address
)

// groups of calls.
func everywhere() []string {
	return []string{user, root, userSession, rootSession, role, function, webSession, samlSession, federated, awsService, forward, webCaller, samlCaller,
		anonymous, fromFunction}
}

func identities() []string { return except(everywhere(), awsService, webCaller, samlCaller, anonymous) }

func sessions() []string { return except(identities(), user, root, forward) }

func except(all []string, without ...string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(without, name) })
}

func calls() map[string]*service.Call {
	const iam, sts = "arn:aws:iam::" + account, "arn:aws:sts::" + account
	issued := time.Unix(1_699_999_000, 0)
	provider := iam + ":oidc-provider/token.example.com"
	client := func(kind authz.PrincipalKind, p authz.Principal, s *principal.Session) *service.Call {
		p.Kind = kind
		if p.Account == "" && kind != authz.Anonymous {
			p.Account = account
		}
		c := call("GetFunction")
		c.SourceIP, c.UserAgent, c.Referer = netip.MustParseAddr("192.0.2.1"), "agent/1", "https://example.com/"
		c.Caller = principal.Caller{Principal: p, Session: s}
		if kind == authz.User {
			c.Caller.UserName = "dev"
		}
		if kind == authz.User || kind == authz.AssumedRole || kind == authz.FederatedUser {
			c.Caller.Tags = principal.NewTags(map[string]string{"team": "red"})
		}
		return c
	}
	dev := authz.Principal{ARN: iam + ":user/dev", ID: "AIDAX"}
	session := authz.Principal{ARN: sts + ":assumed-role/r/s", IssuerARN: iam + ":role/team/r", ID: "AROAX", SessionName: "s"}
	named := authz.Principal{ARN: sts + ":federated-user/bob", IssuerARN: dev.ARN, ID: dev.ID, SessionName: "bob"}
	all := map[string]*service.Call{
		user:        client(authz.User, dev, nil),
		root:        client(authz.Root, authz.Principal{ARN: iam + ":root"}, nil),
		rootSession: client(authz.Root, authz.Principal{ARN: iam + ":root"}, &principal.Session{IssuedAt: issued, HasPolicies: true}),
		userSession: client(authz.User, dev, &principal.Session{IssuedAt: issued, MFA: true}),
		role:        client(authz.AssumedRole, session, &principal.Session{IssuedAt: issued, SourceIdentity: "me"}),
		function: client(authz.AssumedRole, session,
			&principal.Session{IssuedAt: issued, SourceFunctionARN: "arn:aws:lambda:us-east-1:" + account + ":function:f"}),
		webSession: client(authz.AssumedRole, session, &principal.Session{IssuedAt: issued, FederatedProvider: provider}),
		samlSession: client(authz.AssumedRole, session,
			&principal.Session{IssuedAt: issued, FederatedProvider: iam + ":saml-provider/corp"}),
		federated:    client(authz.FederatedUser, named, &principal.Session{IssuedAt: issued}),
		awsService:   client(authz.Service, authz.Principal{ARN: "s3.amazonaws.com"}, nil),
		forward:      client(authz.User, dev, nil),
		webCaller:    client(authz.WebIdentity, authz.Principal{ARN: provider}, nil),
		samlCaller:   client(authz.SAML, authz.Principal{ARN: iam + ":saml-provider/corp"}, nil),
		anonymous:    client(authz.Anonymous, authz.Principal{}, nil),
		fromFunction: client(authz.AssumedRole, session, &principal.Session{IssuedAt: issued}),
	}
	for _, name := range []string{webCaller, samlCaller} {
		all[name].Caller.Account = ""
	}
	for _, name := range []string{awsService, forward, fromFunction} {
		all[name].SourceIP, all[name].UserAgent, all[name].Referer = netip.Addr{}, "", ""
	}
	all[awsService].Caller.Account = ""
	all[awsService].Internal = &service.Internal{}
	all[awsService].Internal.Keys.Set("aws:SourceArn", "arn:aws:s3:::bucket")
	all[awsService].Internal.Keys.Set("aws:SourceAccount", account)
	all[forward].Internal = &service.Internal{CalledVia: []string{"cloudformation.amazonaws.com", "dynamodb.amazonaws.com"}}
	return all
}

// presence says of a global key in which calls it is present, or why licet does not set it in any.
type presence struct {
	in  []string
	why string
}

func presences() map[string]presence {
	only := func(names ...string) presence { return presence{in: names} }
	in := func(names []string) presence { return presence{in: names} }
	never := func(why string) presence { return presence{why: why} }
	var (
		owned     = in(everywhere())
		endpoint  = never("there are no VPC endpoints")
		instance  = never("there is no EC2")
		glue      = never("there is no Glue")
		build     = never("there is no CodeBuild")
		mcp       = never("there are no MCP services")
		operation = never("the operation sets it, for the tags of its target or its input")
		client    = in(except(everywhere(), awsService, forward, fromFunction))
	)
	return map[string]presence{
		"aws:PrincipalArn":                in(identities()),
		"aws:PrincipalAccount":            in(append(identities(), anonymous)),
		"aws:PrincipalOrgPaths":           in(identities()),
		"aws:PrincipalOrgID":              in(identities()),
		"aws:PrincipalOrgMasterAccountId": in(identities()),
		"aws:PrincipalTag":                in(except(identities(), root, rootSession)),
		"aws:PrincipalIsAWSService":       in(append(identities(), awsService)),
		"aws:PrincipalServiceName":        only(awsService),
		"aws:PrincipalServiceNamesList":   only(awsService),
		"aws:PrincipalType":               in(append(identities(), anonymous)),
		"aws:userid":                      in(append(identities(), anonymous)),
		"aws:username":                    only(user, userSession, forward),
		"aws:ARN":                         never("deprecated; no page of AWS says what it holds"),

		"aws:AssumedRoot":                  only(rootSession),
		"aws:FederatedProvider":            only(webSession, webCaller),
		"aws:TokenIssueTime":               in(sessions()),
		"aws:SignInSessionArn":             never("there is no AWS Sign-In"),
		"aws:MultiFactorAuthAge":           only(userSession),
		"aws:MultiFactorAuthPresent":       only(userSession, rootSession, role, function, fromFunction, forward),
		"aws:ChatbotSourceArn":             never("there is no Amazon Q Developer"),
		"aws:Ec2InstanceSourceVpc":         instance,
		"aws:Ec2InstanceSourcePrivateIPv4": instance,
		"aws:SourceIdentity":               only(role),
		"ec2:RoleDelivery":                 instance,
		"ec2:SourceInstanceArn":            instance,
		"glue:RoleAssumedBy":               glue,
		"glue:CredentialIssuingService":    glue,
		"codebuild:BuildArn":               build,
		"codebuild:ProjectArn":             build,
		"lambda:SourceFunctionArn":         only(function),
		"ssm:SourceInstanceArn":            never("there is no Systems Manager"),
		"identitystore:UserId":             never("there is no IAM Identity Center"),

		"aws:SourceIp":     client,
		"aws:SourceVpc":    endpoint,
		"aws:SourceVpcArn": endpoint,
		"aws:SourceVpce":   endpoint,
		"aws:VpceAccount":  endpoint,
		"aws:VpceOrgID":    endpoint,
		"aws:VpceOrgPaths": endpoint,
		"aws:VpcSourceIp":  endpoint,

		"aws:ResourceAccount":  owned,
		"aws:ResourceOrgPaths": owned,
		"aws:ResourceOrgID":    owned,
		"aws:ResourceTag":      operation,

		"aws:CalledVia":          only(forward),
		"aws:CalledViaFirst":     only(forward),
		"aws:CalledViaLast":      only(forward),
		"aws:ViaAWSService":      in(everywhere()),
		"aws:CalledViaAWSMCP":    mcp,
		"aws:ViaAWSMCPService":   mcp,
		"aws:CurrentTime":        in(everywhere()),
		"aws:EpochTime":          in(everywhere()),
		"aws:referer":            client,
		"aws:RequestedRegion":    in(everywhere()),
		"aws:RequestTag":         operation,
		"aws:TagKeys":            operation,
		"aws:SecureTransport":    in(everywhere()),
		"aws:SourceAccount":      only(awsService),
		"aws:SourceArn":          only(awsService),
		"aws:SourceOrgID":        only(awsService),
		"aws:SourceOrgPaths":     only(awsService),
		"aws:UserAgent":          client,
		"aws:IsMcpServiceAction": mcp,
	}
}

// inOrganization is a world whose account is in an organization.
func inOrganization() *world {
	return &world{members: map[string]*organization.Member{account: organization.New(organization.Member{
		ID: "o-1", Account: account, ManagementAccount: "999999999999", Path: "o-1/r-1/ou-1/",
	})}}
}

// questions asks a need of every kind of call.
func questions(t *testing.T, w *world, need *service.Need) map[string]authz.Context {
	t.Helper()
	d, contexts := w.dispatcher(t, Enforce), make(map[string]authz.Context)
	for name, c := range calls() {
		orgs, err := d.membersOf(t.Context(), c, need)
		if err != nil {
			t.Fatal(err)
		}
		contexts[name] = request(c, need, &orgs).Context
	}
	return contexts
}

// Each global key that AWS has is there in the calls that AWS names, and absent from all others. All accounts are in an organization.
func TestPresence(t *testing.T) {
	need := service.Need{Action: "lambda:GetFunction", Target: service.Target{ARN: "arn:aws:lambda:us-east-1:" + account + ":function:f"}}
	contexts := questions(t, inOrganization(), &need)
	rules, known := presences(), 0
	for _, key := range policy.GlobalKeys() {
		rule, ok := rules[key.Name]
		if !ok {
			t.Errorf("no rule for %s: %s", key.Name, key.Present)
			continue
		}
		known++
		if (rule.in == nil) == (rule.why == "") {
			t.Errorf("%s: say where it is present, or why it never is", key.Name)
		}
		name := key.Name
		if key.Tagged {
			name += "/team"
		}
		for call, keys := range contexts {
			got, present := keys.Get(name)
			if want := slices.Contains(rule.in, call); present != want {
				t.Errorf("%s, %s: present %v (%v), want %v", call, name, present, got.Values, want)
			}
			if present && got.Multi != key.Multi {
				t.Errorf("%s, %s: is a list %v, want %v", call, name, got.Multi, key.Multi)
			}
			if present && slices.Contains(got.Values, "") {
				t.Errorf("%s, %s: is empty", call, name)
			}
		}
	}
	if known != len(rules) {
		t.Errorf("%d rules are for no key", len(rules)-known)
	}
	for call, keys := range contexts {
		for name := range keys.All {
			if _, ok := policy.LookupKey(name); !ok {
				t.Errorf("%s: %s is no global key", call, name)
			}
		}
	}
	// Actions without a resource have them, too: managed policies of AWS allow s3:ListAllMyBuckets where aws:ResourceAccount is the caller's.
	need.Target.ARN = "*"
	for key, want := range map[string]string{"aws:ResourceAccount": account, "aws:ResourceOrgID": "o-1", "aws:ResourceOrgPaths": "o-1/r-1/ou-1/"} {
		if got, _ := questions(t, inOrganization(), &need)[user].Get(key); !slices.Equal(got.Values, []string{want}) {
			t.Errorf("%s without a resource: got %v, want %s", key, got.Values, want)
		}
	}
	for call, keys := range questions(t, &world{}, &need) {
		for name := range keys.All {
			if strings.Contains(name, "Org") {
				t.Errorf("%s: %s is there without an organization", call, name)
			}
		}
	}
}

func TestGlobalKeys(t *testing.T) {
	const iam, sts = "arn:aws:iam::" + account, "arn:aws:sts::" + account
	for call, want := range map[string]map[string]string{
		user: {
			"aws:CurrentTime": "2023-11-14T22:13:20Z", "aws:EpochTime": "1700000000", "aws:SourceIp": "192.0.2.1",
			"aws:UserAgent": "agent/1", "aws:referer": "https://example.com/", "aws:SecureTransport": "false",
			"aws:RequestedRegion": "us-east-1", "aws:ViaAWSService": "false", "aws:PrincipalIsAWSService": "false",
			"aws:PrincipalTag/team": "red", "aws:PrincipalAccount": account, "aws:PrincipalArn": iam + ":user/dev",
			"aws:PrincipalType": "User", "aws:userid": "AIDAX", "aws:username": "dev",
		},
		userSession: {
			"aws:PrincipalType": "User", "aws:userid": "AIDAX", "aws:username": "dev", "aws:MultiFactorAuthPresent": "true",
			"aws:MultiFactorAuthAge": "1000", "aws:TokenIssueTime": "2023-11-14T21:56:40Z",
		},
		root: {"aws:PrincipalType": "Account", "aws:userid": account, "aws:PrincipalArn": iam + ":root"},
		// aws:PrincipalArn is the role with its path, not the session (iam.md T6).
		role: {
			"aws:PrincipalType": "AssumedRole", "aws:userid": "AROAX:s", "aws:PrincipalArn": iam + ":role/team/r",
			"aws:MultiFactorAuthPresent": "false", "aws:SourceIdentity": "me",
		},
		function:   {"lambda:SourceFunctionArn": "arn:aws:lambda:us-east-1:" + account + ":function:f"},
		webSession: {"aws:PrincipalType": "AssumedRole", "aws:FederatedProvider": iam + ":oidc-provider/token.example.com"},
		federated: {
			"aws:PrincipalType": "FederatedUser", "aws:userid": account + ":bob", "aws:PrincipalArn": sts + ":federated-user/bob",
		},
		awsService: {
			"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": "s3.amazonaws.com",
			"aws:PrincipalServiceNamesList": "s3.amazonaws.com", "aws:ViaAWSService": "false",
		},
		forward: {
			"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "true", "aws:MultiFactorAuthPresent": "false",
			"aws:CalledVia":      "cloudformation.amazonaws.com dynamodb.amazonaws.com",
			"aws:CalledViaFirst": "cloudformation.amazonaws.com", "aws:CalledViaLast": "dynamodb.amazonaws.com",
		},
		webCaller: {"aws:FederatedProvider": iam + ":oidc-provider/token.example.com"},
		anonymous: {"aws:PrincipalType": "Anonymous", "aws:userid": "anonymous", "aws:PrincipalAccount": "anonymous"},
	} {
		keys := GlobalKeys(calls()[call])
		got := make(map[string]string)
		for name := range want {
			v, _ := keys.Get(name)
			got[name] = strings.Join(v.Values, " ")
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", call, diff)
		}
	}
}

// IAM has one endpoint, in us-east-1, wherever it is called from.
func TestRequestedRegion(t *testing.T) {
	for name, want := range map[string]string{"iam": "us-east-1", "organizations": "us-east-1", "sts": "eu-central-1", "lambda": "eu-central-1"} {
		c := call("GetUser")
		c.Service, c.Region = name, "eu-central-1"
		keys := GlobalKeys(c)
		if got, _ := keys.Get("aws:RequestedRegion"); got.Values[0] != want {
			t.Errorf("%s: got %v, want %s", name, got.Values, want)
		}
	}
}

// A session with MFA stays one when a service goes on with its credentials.
func TestForwardedSession(t *testing.T) {
	c := calls()[userSession]
	c.Internal = &service.Internal{CalledVia: []string{"athena.amazonaws.com"}}
	keys := GlobalKeys(c)
	first, _ := keys.Get("aws:CalledViaFirst")
	last, _ := keys.Get("aws:CalledViaLast")
	mfa, _ := keys.Get("aws:MultiFactorAuthPresent")
	if first.Values[0] != "athena.amazonaws.com" || last.Values[0] != "athena.amazonaws.com" || mfa.Values[0] != "true" {
		t.Errorf("got %v, %v, %v", first, last, mfa)
	}
}

// A clock that runs behind the one by which the session was made must not give an age below zero.
func TestMultiFactorAuthAge(t *testing.T) {
	c := calls()[userSession]
	c.Time = c.Caller.Session.IssuedAt.Add(-time.Minute)
	keys := GlobalKeys(c)
	if got, _ := keys.Get("aws:MultiFactorAuthAge"); got.Values[0] != "0" {
		t.Errorf("got %v", got.Values)
	}
}
