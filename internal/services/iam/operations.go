package iam

import (
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/target"
)

// operations is the table of what IAM does here: operation, resource with its condition keys, handler, further needs. Operations
// that are not here are answered NotImplemented.
func (s *Service) operations() []service.Operation {
	return slices.Concat(s.ownOperations(), s.rooms)
}

// ownOperations is the table of users, groups, roles, policies and the account.
func (s *Service) ownOperations() []service.Operation {
	return []service.Operation{
		target.Op("CreateUser", s.toMake(record.UserKind, requestedBoundary, target.NewTags), s.createUser,
			target.Tagging[sdk.CreateUserInput]("iam:TagUser", s.toMake(record.UserKind, target.NewTags))),
		target.Op("GetUser", s.OnUserOrCaller, s.getUser),
		target.Op("UpdateUser", s.On(record.UserKind), s.updateUser, s.updateUserTarget),
		target.Op("ListUsers", s.onAll(record.UserKind), s.listUsers),
		target.Op("DeleteUser", s.On(record.UserKind), s.deleteUser),

		target.Op("CreateGroup", s.toMake(record.GroupKind), s.createGroup),
		target.Op("GetGroup", s.On(record.GroupKind), s.getGroup),
		target.Op("UpdateGroup", s.On(record.GroupKind), s.updateGroup, s.updateGroupTarget),
		target.Op("ListGroups", s.onAll(record.GroupKind), s.listGroups),
		target.Op("DeleteGroup", s.On(record.GroupKind), s.deleteGroup),
		target.Op("AddUserToGroup", s.On(record.GroupKind), s.addUserToGroup),
		target.Op("RemoveUserFromGroup", s.On(record.GroupKind), s.removeUserFromGroup),
		target.Op("ListGroupsForUser", s.On(record.UserKind), s.listGroupsForUser),

		target.Op("CreateRole", s.toMake(record.RoleKind, requestedBoundary, target.NewTags), s.createRole,
			target.Tagging[sdk.CreateRoleInput]("iam:TagRole", s.toMake(record.RoleKind, target.NewTags))),
		target.Op("GetRole", s.On(record.RoleKind, currentBoundary), s.getRole),
		target.Op("ListRoles", s.onAll(record.RoleKind), s.listRoles),
		target.Op("UpdateRole", s.On(record.RoleKind, currentBoundary), s.updateRole),
		target.Op("UpdateRoleDescription", s.On(record.RoleKind, currentBoundary), s.updateRoleDescription),
		target.Op("UpdateAssumeRolePolicy", s.On(record.RoleKind, currentBoundary), s.updateAssumeRolePolicy),
		target.Op("DeleteRole", s.On(record.RoleKind, currentBoundary), s.deleteRole),

		target.Op("PutUserPolicy", s.On(record.UserKind, currentBoundary), s.putUserPolicy),
		target.Op("GetUserPolicy", s.On(record.UserKind), s.getUserPolicy),
		target.Op("ListUserPolicies", s.On(record.UserKind), s.listUserPolicies),
		target.Op("DeleteUserPolicy", s.On(record.UserKind, currentBoundary), s.deleteUserPolicy),
		target.Op("PutGroupPolicy", s.On(record.GroupKind), s.putGroupPolicy),
		target.Op("GetGroupPolicy", s.On(record.GroupKind), s.getGroupPolicy),
		target.Op("ListGroupPolicies", s.On(record.GroupKind), s.listGroupPolicies),
		target.Op("DeleteGroupPolicy", s.On(record.GroupKind), s.deleteGroupPolicy),
		target.Op("PutRolePolicy", s.On(record.RoleKind, currentBoundary), s.putRolePolicy),
		target.Op("GetRolePolicy", s.On(record.RoleKind), s.getRolePolicy),
		target.Op("ListRolePolicies", s.On(record.RoleKind), s.listRolePolicies),
		target.Op("DeleteRolePolicy", s.On(record.RoleKind, currentBoundary), s.deleteRolePolicy),

		target.Op("AttachUserPolicy", s.On(record.UserKind, policyToAttach, currentBoundary), s.attachUserPolicy),
		target.Op("DetachUserPolicy", s.On(record.UserKind, policyToAttach, currentBoundary), s.detachUserPolicy),
		target.Op("ListAttachedUserPolicies", s.On(record.UserKind), s.listAttachedUserPolicies),
		target.Op("AttachGroupPolicy", s.On(record.GroupKind, policyToAttach), s.attachGroupPolicy),
		target.Op("DetachGroupPolicy", s.On(record.GroupKind, policyToAttach), s.detachGroupPolicy),
		target.Op("ListAttachedGroupPolicies", s.On(record.GroupKind), s.listAttachedGroupPolicies),
		target.Op("AttachRolePolicy", s.On(record.RoleKind, policyToAttach, currentBoundary), s.attachRolePolicy),
		target.Op("DetachRolePolicy", s.On(record.RoleKind, policyToAttach, currentBoundary), s.detachRolePolicy),
		target.Op("ListAttachedRolePolicies", s.On(record.RoleKind), s.listAttachedRolePolicies),

		target.Op("PutUserPermissionsBoundary", target.ByARN(s.On(record.UserKind, requestedBoundary)), s.putUserPermissionsBoundary),
		target.Op("DeleteUserPermissionsBoundary", s.On(record.UserKind, currentBoundary), s.deleteUserPermissionsBoundary),
		target.Op("PutRolePermissionsBoundary", target.ByARN(s.On(record.RoleKind, requestedBoundary)), s.putRolePermissionsBoundary),
		target.Op("DeleteRolePermissionsBoundary", s.On(record.RoleKind, currentBoundary), s.deleteRolePermissionsBoundary),

		target.Op("CreatePolicy", s.onNewPolicy, s.createPolicy, target.Tagging[sdk.CreatePolicyInput]("iam:TagPolicy", s.onNewPolicy)),
		target.Op("GetPolicy", s.OnPolicy(), s.getPolicy),
		target.Op("ListPolicies", s.onPolicies, s.listPolicies),
		target.Op("DeletePolicy", s.OnPolicy(), s.deletePolicy),
		target.Op("CreatePolicyVersion", s.OnPolicy(), s.createPolicyVersion),
		target.Op("GetPolicyVersion", s.OnPolicy(), s.getPolicyVersion),
		target.Op("ListPolicyVersions", s.OnPolicy(), s.listPolicyVersions),
		target.Op("SetDefaultPolicyVersion", s.OnPolicy(), s.setDefaultPolicyVersion),
		target.Op("DeletePolicyVersion", s.OnPolicy(), s.deletePolicyVersion),
		target.Op("ListEntitiesForPolicy", s.OnPolicy(), s.listEntitiesForPolicy),

		target.Op("GetAccountAuthorizationDetails", target.Anywhere, s.getAccountAuthorizationDetails),

		target.Op("SetSecurityTokenServicePreferences", target.Anywhere, s.setSecurityTokenServicePreferences),

		target.Op("CreateServiceLinkedRole", s.toMakeLinked, s.createServiceLinkedRole),
		target.Op("DeleteServiceLinkedRole", s.On(record.RoleKind), s.deleteServiceLinkedRole),
		target.Op("GetServiceLinkedRoleDeletionStatus", s.onDeletionTask, s.getServiceLinkedRoleDeletionStatus),

		target.Op("CreateInstanceProfile", s.toMake(record.ProfileKind, target.NewTags), s.createInstanceProfile,
			target.Tagging[sdk.CreateInstanceProfileInput]("iam:TagInstanceProfile", s.toMake(record.ProfileKind, target.NewTags))),
		target.Op("GetInstanceProfile", s.On(record.ProfileKind), s.getInstanceProfile),
		target.Op("ListInstanceProfiles", s.onAll(record.ProfileKind), s.listInstanceProfiles),
		target.Op("ListInstanceProfilesForRole", s.On(record.RoleKind), s.listInstanceProfilesForRole),
		target.Op("DeleteInstanceProfile", s.On(record.ProfileKind), s.deleteInstanceProfile),
		target.Op("AddRoleToInstanceProfile", s.On(record.ProfileKind), s.addRoleToInstanceProfile, s.passRoleToInstances),
		target.Op("RemoveRoleFromInstanceProfile", s.On(record.ProfileKind), s.removeRoleFromInstanceProfile),
		target.Op("TagInstanceProfile", target.ByARN(s.On(record.ProfileKind, target.RequestTags)), s.tagInstanceProfile),
		target.Op("UntagInstanceProfile", target.ByARN(s.On(record.ProfileKind, target.RequestTagKeys)), s.untagInstanceProfile),
		target.Op("ListInstanceProfileTags", s.On(record.ProfileKind), s.listInstanceProfileTags),

		target.Op("EnableOrganizationsRootCredentialsManagement", target.Anywhere, s.enableOrganizationsRootCredentialsManagement),
		target.Op("DisableOrganizationsRootCredentialsManagement", target.Anywhere, s.disableOrganizationsRootCredentialsManagement),
		target.Op("EnableOrganizationsRootSessions", target.Anywhere, s.enableOrganizationsRootSessions),
		target.Op("DisableOrganizationsRootSessions", target.Anywhere, s.disableOrganizationsRootSessions),
		target.Op("ListOrganizationsFeatures", target.Anywhere, s.listOrganizationsFeatures),

		target.Op("CreateAccountAlias", target.Anywhere, s.createAccountAlias),
		target.Op("ListAccountAliases", target.Anywhere, s.listAccountAliases),
		target.Op("DeleteAccountAlias", target.Anywhere, s.deleteAccountAlias),

		target.Op("TagUser", target.ByARN(s.On(record.UserKind, target.RequestTags)), s.tagUser),
		target.Op("UntagUser", target.ByARN(s.On(record.UserKind, target.RequestTagKeys)), s.untagUser),
		target.Op("ListUserTags", s.On(record.UserKind), s.listUserTags),
		target.Op("TagRole", target.ByARN(s.On(record.RoleKind, target.RequestTags)), s.tagRole),
		target.Op("UntagRole", target.ByARN(s.On(record.RoleKind, target.RequestTagKeys)), s.untagRole),
		target.Op("ListRoleTags", s.On(record.RoleKind), s.listRoleTags),
		target.Op("TagPolicy", s.OnPolicy(target.RequestTags), s.tagPolicy),
		target.Op("UntagPolicy", s.OnPolicy(target.RequestTagKeys), s.untagPolicy),
		target.Op("ListPolicyTags", s.OnPolicy(), s.listPolicyTags),
	}
}
