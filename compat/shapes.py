"""Drives IAM and STS with boto3 through whole lives of things, and prints, as JSON, where an answer lacks a member that
botocore's model requires, has one that the model does not have, or has no request id (see shapes_test.go)."""

import json
import os
import sys

import boto3
from botocore.exceptions import ClientError

URL = os.environ["AWS_ENDPOINT_URL"]
NAME = sys.argv[1]
problems = set()
if not os.environ.get("AWS_SESSION_TOKEN"):
    os.environ.pop("AWS_SESSION_TOKEN", None)


def check(shape, value, path):
    if shape.type_name == "structure":
        for member in shape.required_members:
            if member not in value:
                problems.add(f"{path} lacks {member}")
        for member, inner in value.items():
            if member == "ResponseMetadata":
                continue
            if member in shape.members:
                check(shape.members[member], inner, f"{path}.{member}")
            else:
                problems.add(f"{path} has {member}")
    elif shape.type_name == "list":
        for inner in value:
            check(shape.member, inner, path)
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        problems.add(f"{path} is {value}")


def answered(http_response, parsed, model, **_):
    if not parsed.get("ResponseMetadata", {}).get("RequestId"):
        problems.add(f"{model.name} has no request id")
    if http_response.status_code < 300:
        if http_response.status_code != model.http.get("responseCode", 200):
            problems.add(f"{model.name} answers {http_response.status_code}")
        if model.output_shape:
            check(model.output_shape, parsed, model.name)
        return
    code = parsed["Error"]["Code"]
    shape = model.service_model.shape_for_error_code(code)
    if shape and http_response.status_code != shape.metadata["error"]["httpStatusCode"]:
        problems.add(f"{model.name} answers {http_response.status_code} for {code}")


def client(service, **credentials):
    made = boto3.client(service, endpoint_url=URL, **credentials)
    made.meta.events.register(f"after-call.{service}", answered)
    return made


def refused(code, call, **kwargs):
    try:
        call(**kwargs)
    except ClientError as e:
        got = (e.response["Error"]["Code"], e.response["Error"].get("Type", "Sender"))
        if got != (code, "Sender"):
            problems.add(f"{kwargs}: got {got}, want {code}")
    else:
        problems.add(f"{kwargs}: not refused, want {code}")


def expect(what, got, want):
    if got != want:
        problems.add(f"{what}: got {got}, want {want}")


def document(principal=None, **statement):
    statement = {"Effect": "Allow", **statement}
    if principal:
        statement["Principal"] = principal
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


READ = document(Action="s3:Get*", Resource="*")
SOON = {"Delay": 1, "MaxAttempts": 2}


def users(iam):
    refused("NoSuchEntity", iam.get_user, UserName=NAME)
    iam.get_user()
    iam.list_access_keys()
    expect("tags of CreateUser", iam.create_user(UserName=NAME, Path=f"/{NAME}/", Tags=[{"Key": "k", "Value": ""}])["User"]["Tags"],
           [{"Key": "k", "Value": ""}])
    iam.get_waiter("user_exists").wait(UserName=NAME, WaiterConfig=SOON)
    refused("EntityAlreadyExists", iam.create_user, UserName=NAME.upper())
    for i in range(4):
        iam.create_user(UserName=f"{NAME}-{i}", Path=f"/{NAME}/")
    pages = iam.get_paginator("list_users").paginate(PathPrefix=f"/{NAME}/", PaginationConfig={"PageSize": 2})
    expect("pages of ListUsers", [len(page["Users"]) for page in pages], [2, 2, 1])
    for i in range(4):
        iam.delete_user(UserName=f"{NAME}-{i}")
    for call in (iam.list_groups_for_user, iam.list_user_policies, iam.list_attached_user_policies, iam.list_access_keys,
                 iam.list_mfa_devices, iam.list_ssh_public_keys, iam.list_signing_certificates, iam.list_user_tags,
                 iam.list_service_specific_credentials):
        call(UserName=NAME)
    iam.create_login_profile(UserName=NAME, Password="Shapes-of-1")
    iam.get_login_profile(UserName=NAME)
    iam.delete_login_profile(UserName=NAME)
    made = iam.create_service_specific_credential(UserName=NAME, ServiceName="codecommit.amazonaws.com")["ServiceSpecificCredential"]
    iam.list_service_specific_credentials(UserName=NAME)
    iam.delete_service_specific_credential(UserName=NAME, ServiceSpecificCredentialId=made["ServiceSpecificCredentialId"])
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=NAME)["VirtualMFADevice"]["SerialNumber"]
    iam.list_virtual_mfa_devices()
    iam.delete_virtual_mfa_device(SerialNumber=device)


def groups_and_policies(iam):
    iam.create_group(GroupName=NAME)
    expect("users of an empty group", iam.get_group(GroupName=NAME)["Users"], [])
    iam.add_user_to_group(GroupName=NAME, UserName=NAME)
    iam.get_group(GroupName=NAME)
    iam.list_groups_for_user(UserName=NAME)
    iam.put_group_policy(GroupName=NAME, PolicyName="p", PolicyDocument=READ)
    expect("document of GetGroupPolicy", iam.get_group_policy(GroupName=NAME, PolicyName="p")["PolicyDocument"], json.loads(READ))
    policy = iam.create_policy(PolicyName=NAME, PolicyDocument=READ, Description="d")["Policy"]["Arn"]
    iam.get_waiter("policy_exists").wait(PolicyArn=policy, WaiterConfig=SOON)
    expect("tags of GetPolicy", iam.get_policy(PolicyArn=policy)["Policy"]["Tags"], [])
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=READ, SetAsDefault=True)
    iam.get_policy_version(PolicyArn=policy, VersionId="v2")
    iam.list_policy_versions(PolicyArn=policy)
    iam.attach_group_policy(GroupName=NAME, PolicyArn=policy)
    iam.list_entities_for_policy(PolicyArn=policy)
    iam.put_user_permissions_boundary(UserName=NAME, PermissionsBoundary=policy)
    iam.get_user(UserName=NAME)
    iam.delete_user_permissions_boundary(UserName=NAME)
    for page in iam.get_paginator("list_policies").paginate():
        for p in page["Policies"]:
            expect(f"id of {p['Arn']}", p["PolicyId"][:4], "ANPA")
    return policy


def roles(iam, policy):
    trust = document(principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole")
    expect("document of CreateRole", iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=trust)["Role"]["AssumeRolePolicyDocument"],
           json.loads(trust))
    iam.get_waiter("role_exists").wait(RoleName=NAME, WaiterConfig=SOON)
    refused("MalformedPolicyDocument", iam.update_assume_role_policy, RoleName=NAME, PolicyDocument="{")
    iam.update_role(RoleName=NAME, Description="d")
    iam.update_role_description(RoleName=NAME, Description="e")
    iam.attach_role_policy(RoleName=NAME, PolicyArn=policy)
    iam.list_attached_role_policies(RoleName=NAME)
    iam.create_instance_profile(InstanceProfileName=NAME)
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName=NAME, WaiterConfig=SOON)
    expect("roles of an empty profile", iam.get_instance_profile(InstanceProfileName=NAME)["InstanceProfile"]["Roles"], [])
    iam.add_role_to_instance_profile(InstanceProfileName=NAME, RoleName=NAME)
    iam.get_instance_profile(InstanceProfileName=NAME)
    iam.list_instance_profiles_for_role(RoleName=NAME)
    iam.list_instance_profiles()
    iam.list_roles()
    refused("DeleteConflict", iam.delete_role, RoleName=NAME)


def reports(iam, arn):
    for page in iam.get_paginator("get_account_authorization_details").paginate():
        for kind in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
            page[kind]
    iam.get_account_summary()
    iam.list_account_aliases()
    iam.generate_credential_report()
    iam.get_credential_report()["Content"].decode()
    iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject", "s3:PutObject"])
    iam.simulate_custom_policy(PolicyInputList=[READ], ActionNames=["s3:GetObject"], ResourceArns=["arn:aws:s3:::b/k"])
    iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)
    iam.get_context_keys_for_custom_policy(PolicyInputList=[READ])
    iam.list_policies_granting_service_access(Arn=arn, ServiceNamespaces=["s3"])
    job = iam.generate_service_last_accessed_details(Arn=arn)["JobId"]
    iam.get_service_last_accessed_details(JobId=job)
    iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="s3")
    for call in (iam.list_open_id_connect_providers, iam.list_saml_providers, iam.list_server_certificates):
        call()


def sessions(iam, sts):
    sts.get_caller_identity()
    key = iam.create_access_key(UserName=NAME)["AccessKey"]
    iam.list_access_keys(UserName=NAME)
    sts.get_access_key_info(AccessKeyId=key["AccessKeyId"])
    signed = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    iam.put_user_policy(UserName=NAME, PolicyName="sts", PolicyDocument=document(Action="sts:*", Resource="*"))
    user = client("sts", **signed)
    iam.update_assume_role_policy(RoleName=NAME, PolicyDocument=document(
        principal={"AWS": user.get_caller_identity()["Arn"]}, Action="sts:AssumeRole"))
    role = iam.get_role(RoleName=NAME)["Role"]["Arn"]
    user.get_session_token()
    user.get_federation_token(Name="bob", Policy=READ)
    made = user.assume_role(RoleArn=role, RoleSessionName="shapes", Policy=READ)["Credentials"]
    session = client("sts", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"],
                     aws_session_token=made["SessionToken"])
    expect("session", session.get_caller_identity()["Arn"].split("/")[1:], [NAME, "shapes"])
    refused("AccessDenied", user.assume_role, RoleArn=role + "-none", RoleSessionName="shapes")
    refused("AccessDenied", client("iam", **signed).get_user)
    iam.delete_user_policy(UserName=NAME, PolicyName="sts")
    iam.delete_access_key(UserName=NAME, AccessKeyId=key["AccessKeyId"])


def leave(iam, policy):
    iam.remove_role_from_instance_profile(InstanceProfileName=NAME, RoleName=NAME)
    iam.delete_instance_profile(InstanceProfileName=NAME)
    iam.detach_role_policy(RoleName=NAME, PolicyArn=policy)
    iam.delete_role(RoleName=NAME)
    iam.delete_group_policy(GroupName=NAME, PolicyName="p")
    iam.detach_group_policy(GroupName=NAME, PolicyArn=policy)
    iam.remove_user_from_group(GroupName=NAME, UserName=NAME)
    iam.delete_group(GroupName=NAME)
    iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
    iam.delete_policy(PolicyArn=policy)
    iam.delete_user(UserName=NAME)


def main():
    iam, sts = client("iam"), client("sts")
    users(iam)
    policy = groups_and_policies(iam)
    roles(iam, policy)
    reports(iam, iam.get_user(UserName=NAME)["User"]["Arn"])
    sessions(iam, sts)
    leave(iam, policy)
    print(json.dumps(sorted(problems)))


if __name__ == "__main__":
    main()
