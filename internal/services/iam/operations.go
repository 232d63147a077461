package iam

import (
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
)

// operations is the table of what IAM does here: operation, resource with its condition keys, handler, further needs. Operations
// that are not here are answered NotImplemented.
func (s *Service) operations() []service.Operation {
	return slices.Concat(s.ownOperations(), s.rooms)
}

// ownOperations is the table of users, groups, roles, policies and the account.
func (s *Service) ownOperations() []service.Operation {
	return []service.Operation{
		op("CreateUser", s.toMake(userKind, requestedBoundary, requestTags), s.createUser,
			tagging[sdk.CreateUserInput]("iam:TagUser", s.toMake(userKind, requestTags))),
		op("GetUser", s.onUserOrCaller, s.getUser),
		op("UpdateUser", s.on(userKind), s.updateUser, s.updateUserTarget),
		op("ListUsers", s.onAll(userKind), s.listUsers),
		op("DeleteUser", s.on(userKind), s.deleteUser),

		op("CreateGroup", s.toMake(groupKind), s.createGroup),
		op("GetGroup", s.on(groupKind), s.getGroup),
		op("UpdateGroup", s.on(groupKind), s.updateGroup, s.updateGroupTarget),
		op("ListGroups", s.onAll(groupKind), s.listGroups),
		op("DeleteGroup", s.on(groupKind), s.deleteGroup),
		op("AddUserToGroup", s.on(groupKind), s.addUserToGroup),
		op("RemoveUserFromGroup", s.on(groupKind), s.removeUserFromGroup),
		op("ListGroupsForUser", s.on(userKind), s.listGroupsForUser),

		op("CreateRole", s.toMake(roleKind, requestedBoundary, requestTags), s.createRole,
			tagging[sdk.CreateRoleInput]("iam:TagRole", s.toMake(roleKind, requestTags))),
		op("GetRole", s.on(roleKind, currentBoundary), s.getRole),
		op("ListRoles", s.onAll(roleKind), s.listRoles),
		op("UpdateRole", s.on(roleKind, currentBoundary), s.updateRole),
		op("UpdateRoleDescription", s.on(roleKind, currentBoundary), s.updateRoleDescription),
		op("UpdateAssumeRolePolicy", s.on(roleKind, currentBoundary), s.updateAssumeRolePolicy),
		op("DeleteRole", s.on(roleKind, currentBoundary), s.deleteRole),

		op("PutUserPolicy", s.on(userKind, currentBoundary), s.putUserPolicy),
		op("GetUserPolicy", s.on(userKind), s.getUserPolicy),
		op("ListUserPolicies", s.on(userKind), s.listUserPolicies),
		op("DeleteUserPolicy", s.on(userKind, currentBoundary), s.deleteUserPolicy),
		op("PutGroupPolicy", s.on(groupKind), s.putGroupPolicy),
		op("GetGroupPolicy", s.on(groupKind), s.getGroupPolicy),
		op("ListGroupPolicies", s.on(groupKind), s.listGroupPolicies),
		op("DeleteGroupPolicy", s.on(groupKind), s.deleteGroupPolicy),
		op("PutRolePolicy", s.on(roleKind, currentBoundary), s.putRolePolicy),
		op("GetRolePolicy", s.on(roleKind), s.getRolePolicy),
		op("ListRolePolicies", s.on(roleKind), s.listRolePolicies),
		op("DeleteRolePolicy", s.on(roleKind, currentBoundary), s.deleteRolePolicy),

		op("AttachUserPolicy", s.on(userKind, policyToAttach, currentBoundary), s.attachUserPolicy),
		op("DetachUserPolicy", s.on(userKind, policyToAttach, currentBoundary), s.detachUserPolicy),
		op("ListAttachedUserPolicies", s.on(userKind), s.listAttachedUserPolicies),
		op("AttachGroupPolicy", s.on(groupKind, policyToAttach), s.attachGroupPolicy),
		op("DetachGroupPolicy", s.on(groupKind, policyToAttach), s.detachGroupPolicy),
		op("ListAttachedGroupPolicies", s.on(groupKind), s.listAttachedGroupPolicies),
		op("AttachRolePolicy", s.on(roleKind, policyToAttach, currentBoundary), s.attachRolePolicy),
		op("DetachRolePolicy", s.on(roleKind, policyToAttach, currentBoundary), s.detachRolePolicy),
		op("ListAttachedRolePolicies", s.on(roleKind), s.listAttachedRolePolicies),

		op("PutUserPermissionsBoundary", byARN(s.on(userKind, requestedBoundary)), s.putUserPermissionsBoundary),
		op("DeleteUserPermissionsBoundary", s.on(userKind, currentBoundary), s.deleteUserPermissionsBoundary),
		op("PutRolePermissionsBoundary", byARN(s.on(roleKind, requestedBoundary)), s.putRolePermissionsBoundary),
		op("DeleteRolePermissionsBoundary", s.on(roleKind, currentBoundary), s.deleteRolePermissionsBoundary),

		op("CreatePolicy", s.onNewPolicy, s.createPolicy, tagging[sdk.CreatePolicyInput]("iam:TagPolicy", s.onNewPolicy)),
		op("GetPolicy", s.onPolicy(), s.getPolicy),
		op("ListPolicies", s.onPolicies, s.listPolicies),
		op("DeletePolicy", s.onPolicy(), s.deletePolicy),
		op("CreatePolicyVersion", s.onPolicy(), s.createPolicyVersion),
		op("GetPolicyVersion", s.onPolicy(), s.getPolicyVersion),
		op("ListPolicyVersions", s.onPolicy(), s.listPolicyVersions),
		op("SetDefaultPolicyVersion", s.onPolicy(), s.setDefaultPolicyVersion),
		op("DeletePolicyVersion", s.onPolicy(), s.deletePolicyVersion),
		op("ListEntitiesForPolicy", s.onPolicy(), s.listEntitiesForPolicy),

		op("GetAccountAuthorizationDetails", anywhere, s.getAccountAuthorizationDetails),

		op("SetSecurityTokenServicePreferences", anywhere, s.setSecurityTokenServicePreferences),

		op("CreateServiceLinkedRole", s.toMakeLinked, s.createServiceLinkedRole),
		op("DeleteServiceLinkedRole", s.on(roleKind), s.deleteServiceLinkedRole),
		op("GetServiceLinkedRoleDeletionStatus", s.onDeletionTask, s.getServiceLinkedRoleDeletionStatus),

		op("CreateInstanceProfile", s.toMake(profileKind, requestTags), s.createInstanceProfile,
			tagging[sdk.CreateInstanceProfileInput]("iam:TagInstanceProfile", s.toMake(profileKind, requestTags))),
		op("GetInstanceProfile", s.on(profileKind), s.getInstanceProfile),
		op("ListInstanceProfiles", s.onAll(profileKind), s.listInstanceProfiles),
		op("ListInstanceProfilesForRole", s.on(roleKind), s.listInstanceProfilesForRole),
		op("DeleteInstanceProfile", s.on(profileKind), s.deleteInstanceProfile),
		op("AddRoleToInstanceProfile", s.on(profileKind), s.addRoleToInstanceProfile, s.passRoleToInstances),
		op("RemoveRoleFromInstanceProfile", s.on(profileKind), s.removeRoleFromInstanceProfile),
		op("TagInstanceProfile", byARN(s.on(profileKind, requestTags)), s.tagInstanceProfile),
		op("UntagInstanceProfile", byARN(s.on(profileKind, requestTagKeys)), s.untagInstanceProfile),
		op("ListInstanceProfileTags", s.on(profileKind), s.listInstanceProfileTags),

		op("EnableOrganizationsRootCredentialsManagement", anywhere, s.enableOrganizationsRootCredentialsManagement),
		op("DisableOrganizationsRootCredentialsManagement", anywhere, s.disableOrganizationsRootCredentialsManagement),
		op("EnableOrganizationsRootSessions", anywhere, s.enableOrganizationsRootSessions),
		op("DisableOrganizationsRootSessions", anywhere, s.disableOrganizationsRootSessions),
		op("ListOrganizationsFeatures", anywhere, s.listOrganizationsFeatures),

		op("CreateAccountAlias", anywhere, s.createAccountAlias),
		op("ListAccountAliases", anywhere, s.listAccountAliases),
		op("DeleteAccountAlias", anywhere, s.deleteAccountAlias),

		op("TagUser", byARN(s.on(userKind, requestTags)), s.tagUser),
		op("UntagUser", byARN(s.on(userKind, requestTagKeys)), s.untagUser),
		op("ListUserTags", s.on(userKind), s.listUserTags),
		op("TagRole", byARN(s.on(roleKind, requestTags)), s.tagRole),
		op("UntagRole", byARN(s.on(roleKind, requestTagKeys)), s.untagRole),
		op("ListRoleTags", s.on(roleKind), s.listRoleTags),
		op("TagPolicy", s.onPolicy(requestTags), s.tagPolicy),
		op("UntagPolicy", s.onPolicy(requestTagKeys), s.untagPolicy),
		op("ListPolicyTags", s.onPolicy(), s.listPolicyTags),
	}
}
