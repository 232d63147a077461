"""Drives every operation of Lambda that boto3 knows, with all waiters and with all paginators in pages of one, and prints, as JSON,
where an answer does not fit botocore's model, and which operations it did not call (see shapes_test.go)."""

import io
import json
import zipfile

from shapes import NAME, SOON, client, document, expect, problems, refused

ACCOUNT = client("sts").get_caller_identity()["Account"]
MISSING = "ResourceNotFoundException"
called = set()


def archive(name, text):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        file = zipfile.ZipInfo(name)
        file.external_attr = 0o644 << 16
        z.writestr(file, text)
    return packed.getvalue()


def wait(lam, waiter, **kwargs):
    lam.get_waiter(waiter).wait(FunctionName=NAME, WaiterConfig=SOON, **kwargs)


def pages(lam, operation, key, want, **kwargs):
    """want things that kwargs select come, one on each page."""
    got = [len(page[key]) for page in lam.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1}, **kwargs)]
    expect(f"pages of {operation}", got, [1] * want)


def function(lam, role):
    refused(MISSING, lam.get_function, FunctionName=NAME)
    lam.create_function(FunctionName=NAME, Runtime="python3.9", Role=role, Handler="app.handler", Tags={"a": "b"}, Timeout=20,
                        Environment={"Variables": {"KEY": "v"}}, Code={"ZipFile": archive("app.py", "def handler(e, c): return e")},
                        DeadLetterConfig={"TargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"}, TracingConfig={"Mode": "Active"},
                        EphemeralStorage={"Size": 1024})
    for waiter in ("function_exists", "function_active", "function_active_v2"):
        wait(lam, waiter)
    refused("ResourceConflictException", lam.create_function, FunctionName=NAME, Runtime="python3.9", Role=role, Handler="app.handler",
            Code={"ZipFile": archive("app.py", "")})
    lam.get_function_configuration(FunctionName=NAME)
    answer = lam.invoke(FunctionName=NAME, Payload=b'{"a":1}', LogType="Tail")
    expect("Invoke", (answer["StatusCode"], answer["ExecutedVersion"], answer["Payload"].read()), (200, "$LATEST", b'{"a": 1}'))
    refused("InvalidRequestContentException", lam.invoke, FunctionName=NAME, Payload=b"{")
    lam.update_function_configuration(FunctionName=NAME, Description="d")
    for waiter in ("function_updated", "function_updated_v2"):
        wait(lam, waiter)
    lam.update_function_code(FunctionName=NAME, ZipFile=archive("app.py", "def handler(e, c): return 2"))
    wait(lam, "function_updated_v2")
    arn = lam.get_function(FunctionName=NAME)["Configuration"]["FunctionArn"]
    lam.tag_resource(Resource=arn, Tags={"c": "d"})
    lam.untag_resource(Resource=arn, TagKeys=["a"])
    expect("tags", lam.list_tags(Resource=arn)["Tags"], {"c": "d"})
    lam.get_account_settings()
    pages(lam, "list_functions", "Functions", 1)
    refused("PreconditionFailedException", lam.update_function_code, FunctionName=NAME, ZipFile=archive("app.py", ""), RevisionId="none")


def versions(lam):
    lam.publish_version(FunctionName=NAME)
    wait(lam, "published_version_active", Qualifier="1")
    lam.update_function_configuration(FunctionName=NAME, Description="e")
    wait(lam, "function_updated_v2")
    lam.publish_version(FunctionName=NAME, Description="second")
    pages(lam, "list_versions_by_function", "Versions", 3, FunctionName=NAME)
    lam.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    lam.create_alias(FunctionName=NAME, Name="next", FunctionVersion="2")
    refused("ResourceConflictException", lam.create_alias, FunctionName=NAME, Name="live", FunctionVersion="1")
    lam.update_alias(FunctionName=NAME, Name="live", RoutingConfig={})
    expect("routing", lam.get_alias(FunctionName=NAME, Name="live")["FunctionVersion"], "1")
    pages(lam, "list_aliases", "Aliases", 2, FunctionName=NAME)
    refused("ResourceConflictException", lam.delete_function, FunctionName=NAME, Qualifier="1")


def concurrency(lam):
    lam.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=9)
    lam.get_function_concurrency(FunctionName=NAME)
    lam.delete_function_concurrency(FunctionName=NAME)
    expect("none", "ReservedConcurrentExecutions" in lam.get_function_concurrency(FunctionName=NAME), False)
    refused("ProvisionedConcurrencyConfigNotFoundException", lam.get_provisioned_concurrency_config, FunctionName=NAME, Qualifier="1")
    for qualifier in ("live", "next"):
        lam.put_provisioned_concurrency_config(FunctionName=NAME, Qualifier=qualifier, ProvisionedConcurrentExecutions=1)
        lam.get_provisioned_concurrency_config(FunctionName=NAME, Qualifier=qualifier)
    pages(lam, "list_provisioned_concurrency_configs", "ProvisionedConcurrencyConfigs", 2, FunctionName=NAME)
    for qualifier in ("live", "next"):
        lam.delete_provisioned_concurrency_config(FunctionName=NAME, Qualifier=qualifier)


def asynchronous(lam):
    refused(MISSING, lam.get_function_event_invoke_config, FunctionName=NAME)
    for qualifier in ("$LATEST", "live"):
        lam.put_function_event_invoke_config(FunctionName=NAME, Qualifier=qualifier, MaximumRetryAttempts=0, DestinationConfig={
            "OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"}})
    lam.update_function_event_invoke_config(FunctionName=NAME, MaximumEventAgeInSeconds=60)
    lam.get_function_event_invoke_config(FunctionName=NAME)
    pages(lam, "list_function_event_invoke_configs", "FunctionEventInvokeConfigs", 2, FunctionName=NAME)
    lam.delete_function_event_invoke_config(FunctionName=NAME)


def permissions(lam):
    refused(MISSING, lam.get_policy, FunctionName=NAME)
    allow = {"FunctionName": NAME, "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    lam.add_permission(**allow)
    refused("ResourceConflictException", lam.add_permission, **allow)
    json.loads(lam.get_policy(FunctionName=NAME)["Policy"])
    lam.remove_permission(FunctionName=NAME, StatementId="s")
    refused(MISSING, lam.get_function_url_config, FunctionName=NAME)
    for qualifier in ({}, {"Qualifier": "live"}):
        lam.create_function_url_config(FunctionName=NAME, AuthType="AWS_IAM", Cors={"AllowOrigins": ["*"], "MaxAge": 1}, **qualifier)
    lam.update_function_url_config(FunctionName=NAME, AuthType="NONE")
    lam.get_function_url_config(FunctionName=NAME)
    pages(lam, "list_function_url_configs", "FunctionUrlConfigs", 2, FunctionName=NAME)
    lam.delete_function_url_config(FunctionName=NAME)


def layers(lam):
    for name in (NAME, NAME, NAME + "-2"):
        made = lam.publish_layer_version(LayerName=name, Description="d", Content={"ZipFile": archive("python/m.py", "x = 1")},
                                         CompatibleRuntimes=["python3.9"], CompatibleArchitectures=["x86_64"], LicenseInfo="MIT")
    lam.get_layer_version(LayerName=NAME, VersionNumber=1)
    lam.get_layer_version_by_arn(Arn=made["LayerVersionArn"])
    refused("InvalidParameterValueException", lam.get_layer_version, LayerName=NAME, VersionNumber=0)
    lam.add_layer_version_permission(LayerName=NAME, VersionNumber=1, StatementId="s", Action="lambda:GetLayerVersion", Principal="*")
    json.loads(lam.get_layer_version_policy(LayerName=NAME, VersionNumber=1)["Policy"])
    lam.remove_layer_version_permission(LayerName=NAME, VersionNumber=1, StatementId="s")
    lam.update_function_configuration(FunctionName=NAME, Layers=[made["LayerVersionArn"]])
    wait(lam, "function_updated_v2")
    lam.get_function(FunctionName=NAME)
    pages(lam, "list_layers", "Layers", 2)
    pages(lam, "list_layer_versions", "LayerVersions", 2, LayerName=NAME)
    for name, number in ((NAME, 1), (NAME, 2), (NAME + "-2", 1)):
        lam.delete_layer_version(LayerName=name, VersionNumber=number)


def signing(lam):
    profile = {"SigningProfileVersionArns": [f"arn:aws:signer:us-east-1:{ACCOUNT}:/signing-profiles/p/abcdefghij"]}
    configs = [lam.create_code_signing_config(AllowedPublishers=profile)["CodeSigningConfig"]["CodeSigningConfigArn"] for _ in range(2)]
    config = {"CodeSigningConfigArn": configs[0]}
    lam.update_code_signing_config(Description="d", CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"}, **config)
    lam.get_code_signing_config(**config)
    lam.put_function_code_signing_config(FunctionName=NAME, **config)
    lam.get_function_code_signing_config(FunctionName=NAME)
    pages(lam, "list_code_signing_configs", "CodeSigningConfigs", 2)
    pages(lam, "list_functions_by_code_signing_config", "FunctionArns", 1, **config)
    refused("ResourceConflictException", lam.delete_code_signing_config, **config)
    lam.delete_function_code_signing_config(FunctionName=NAME)
    for arn in configs:
        lam.delete_code_signing_config(CodeSigningConfigArn=arn)
    refused(MISSING, lam.get_code_signing_config, **config)


def mappings(lam):
    sqs = client("sqs")
    urls = [sqs.create_queue(QueueName=f"q{i}")["QueueUrl"] for i in range(2)]
    made = [lam.create_event_source_mapping(FunctionName=NAME, EventSourceArn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:q{i}",
                                            BatchSize=2) for i in range(2)]
    lam.update_event_source_mapping(UUID=made[0]["UUID"], Enabled=False, FilterCriteria={"Filters": [{"Pattern": '{"body":["a"]}'}]})
    lam.get_event_source_mapping(UUID=made[0]["UUID"])
    pages(lam, "list_event_source_mappings", "EventSourceMappings", 2, FunctionName=NAME)
    for mapping in made:
        lam.delete_event_source_mapping(UUID=mapping["UUID"])
    for url in urls:
        sqs.delete_queue(QueueUrl=url)
    refused(MISSING, lam.delete_event_source_mapping, UUID="00000000-0000-4000-8000-000000000000")


def leave(lam):
    for alias in ("live", "next"):
        lam.delete_alias(FunctionName=NAME, Name=alias)
    lam.delete_function(FunctionName=NAME)
    refused(MISSING, lam.delete_function, FunctionName=NAME)


def main():
    iam, lam = client("iam"), client("lambda")
    lam.meta.events.register("after-call.lambda", lambda model, **_: called.add(model.name))
    role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=document(
        principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole"))["Role"]["Arn"]
    iam.put_role_policy(RoleName=NAME, PolicyName="own", PolicyDocument=document(Action=["logs:*", "sqs:*", "xray:*"], Resource="*"))
    function(lam, role)
    versions(lam)
    concurrency(lam)
    asynchronous(lam)
    permissions(lam)
    layers(lam)
    signing(lam)
    mappings(lam)
    leave(lam)
    iam.delete_role_policy(RoleName=NAME, PolicyName="own")
    iam.delete_role(RoleName=NAME)
    for operation in set(lam.meta.service_model.operation_names) - called:
        problems.add(f"{operation} was not called")
    print(json.dumps(sorted(problems)))


main()
