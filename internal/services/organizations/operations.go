package organizations

import "github.com/licet/licet/internal/service"

// operations is the table of what Organizations does here: operation, place with its condition keys, who has a say, handler, further
// places. Operations that are not here are answered NotImplemented.
func (s *Service) operations() []service.Operation {
	p := &s.patterns
	account, root, unit := onNode("AccountId", p.account), onNode("RootId", p.root), onNode("OrganizationalUnitId", p.unit)
	parent, child, policy := onNode("ParentId", p.parent), onNode("ChildId", p.child), onPolicy("PolicyId", p.policy)
	target := onNode("TargetId", p.target)
	return []service.Operation{
		op(s, "CreateOrganization", anywhere, anybody(s.createOrganization)),
		op(s, "DescribeOrganization", anywhere, reading(s, members, describeOrganization)),
		op(s, "DeleteOrganization", anywhere, anybody(s.deleteOrganization)),
		op(s, "ListRoots", anywhere, reading(s, administrators, listRoots)),

		tagged(s, "CreateAccount", with(anywhere, newAccount), changing(s, management, createAccount)),
		op(s, "DescribeCreateAccountStatus", with(anywhere, request), reading(s, administrators, describeCreateAccountStatus)),
		op(s, "ListCreateAccountStatus", anywhere, reading(s, administrators, listCreateAccountStatus)),
		op(s, "DescribeAccount", account, reading(s, administrators, describeAccount)),
		op(s, "ListAccounts", anywhere, reading(s, administrators, listAccounts)),
		op(s, "ListAccountsForParent", parent, reading(s, administrators, listAccountsForParent)),
		op(s, "CloseAccount", account, changing(s, management, closeAccount)),
		op(s, "RemoveAccountFromOrganization", account, changing(s, management, removeAccountFromOrganization)),
		op(s, "LeaveOrganization", anywhere, changing(s, members, leaveOrganization)),

		tagged(s, "InviteAccountToOrganization", onInvited, changing(s, management, inviteAccount)),
		op(s, "AcceptHandshake", onHandshake, anybody(s.acceptHandshake)),
		op(s, "DeclineHandshake", onHandshake, anybody(s.declineHandshake)),
		op(s, "CancelHandshake", onHandshake, anybody(s.cancelHandshake)),
		op(s, "DescribeHandshake", onHandshake, anybody(s.describeHandshake)),
		op(s, "ListHandshakesForAccount", anywhere, anybody(s.listHandshakesForAccount)),
		op(s, "ListHandshakesForOrganization", anywhere, reading(s, administrators, listHandshakesForOrganization)),

		tagged(s, "CreateOrganizationalUnit", parent, changing(s, management, createOrganizationalUnit)),
		op(s, "UpdateOrganizationalUnit", unit, changing(s, management, updateOrganizationalUnit)),
		op(s, "DescribeOrganizationalUnit", unit, reading(s, administrators, describeOrganizationalUnit)),
		op(s, "DeleteOrganizationalUnit", unit, changing(s, management, deleteOrganizationalUnit)),
		op(s, "ListOrganizationalUnitsForParent", parent, reading(s, administrators, listOrganizationalUnitsForParent)),
		op(s, "ListParents", child, reading(s, administrators, listParents)),
		op(s, "ListChildren", parent, reading(s, administrators, listChildren)),
		op(s, "MoveAccount", account, changing(s, management, moveAccount),
			onNode("SourceParentId", p.parent), onNode("DestinationParentId", p.parent)),

		op(s, "EnablePolicyType", with(root, policyType("PolicyType")), changing(s, management, enablePolicyType)),
		op(s, "DisablePolicyType", with(root, policyType("PolicyType")), changing(s, management, disablePolicyType)),
		tagged(s, "CreatePolicy", onNewPolicy, changing(s, management, createPolicy)),
		op(s, "UpdatePolicy", policy, changing(s, management, updatePolicy)),
		op(s, "DescribePolicy", policy, reading(s, administrators, describePolicy)),
		op(s, "DeletePolicy", policy, changing(s, management, deletePolicy)),
		op(s, "ListPolicies", with(anywhere, policyType("Filter")), reading(s, administrators, listPolicies)),
		op(s, "AttachPolicy", policy, changing(s, management, attachPolicy), with(target, attachedType)),
		op(s, "DetachPolicy", policy, changing(s, management, detachPolicy), with(target, attachedType)),
		op(s, "ListPoliciesForTarget", with(target, policyType("Filter")), reading(s, administrators, listPoliciesForTarget)),
		op(s, "ListTargetsForPolicy", policy, reading(s, administrators, listTargetsForPolicy)),

		op(s, "TagResource", with(onTaggable, requestTags), changing(s, management, tagResource)),
		op(s, "UntagResource", with(onTaggable, requestTagKeys), changing(s, management, untagResource)),
		op(s, "ListTagsForResource", onTaggable, reading(s, administrators, listTagsForResource)),

		tagged(s, "PutResourcePolicy", onResourcePolicy, changing(s, management, putResourcePolicy)),
		op(s, "DescribeResourcePolicy", anywhere, reading(s, administrators, describeResourcePolicy)),
		op(s, "DeleteResourcePolicy", anywhere, changing(s, management, deleteResourcePolicy)),

		op(s, "EnableAWSServiceAccess", with(anywhere, servicePrincipal), changing(s, management, enableAWSServiceAccess)),
		op(s, "DisableAWSServiceAccess", with(anywhere, servicePrincipal), changing(s, management, disableAWSServiceAccess)),
		op(s, "ListAWSServiceAccessForOrganization", anywhere, reading(s, administrators, listAWSServiceAccess)),
		op(s, "RegisterDelegatedAdministrator", with(account, servicePrincipal),
			changing(s, management, registerDelegatedAdministrator)),
		op(s, "DeregisterDelegatedAdministrator", with(account, servicePrincipal),
			changing(s, management, deregisterDelegatedAdministrator)),
		op(s, "ListDelegatedAdministrators", with(anywhere, maybeServicePrincipal),
			reading(s, administrators, listDelegatedAdministrators)),
		op(s, "ListDelegatedServicesForAccount", account, reading(s, administrators, listDelegatedServicesForAccount)),
	}
}
