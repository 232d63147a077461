"""Calls licet with boto3 or with the AWS CLI and prints, as JSON, what the client saw (see clients_test.go)."""

import json
import os
import re
import subprocess
import sys

URL = os.environ["AWS_ENDPOINT_URL"]


def with_boto3(service, operation, key=None, secret=None, **kwargs):
    import boto3
    from botocore.exceptions import ClientError

    client = boto3.client(service, endpoint_url=URL, aws_access_key_id=key, aws_secret_access_key=secret)
    try:
        return getattr(client, operation)(**kwargs), None
    except ClientError as e:
        return None, e.response["Error"]["Code"]


def with_cli(service, operation, key=None, secret=None, **kwargs):
    args = ["/usr/bin/aws", "--endpoint-url", URL, "--output", "json", service, operation.replace("_", "-")]
    for name, value in kwargs.items():
        args += ["--" + re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower(), value]
    env = dict(os.environ)
    if not env.get("AWS_SESSION_TOKEN"):
        env.pop("AWS_SESSION_TOKEN", None)
    if key:
        env["AWS_ACCESS_KEY_ID"] = key
    if secret:
        env["AWS_SECRET_ACCESS_KEY"] = secret
    p = subprocess.run(args, env=env, capture_output=True, text=True)
    if p.returncode == 0:
        return json.loads(p.stdout or "{}"), None
    found = re.search(r"An error occurred \((\w+)\)", p.stderr)
    if not found:
        sys.exit(f"{args}: {p.stderr}")
    return None, found.group(1)


def main():
    if not os.environ.get("AWS_SESSION_TOKEN"):
        os.environ.pop("AWS_SESSION_TOKEN", None)
    call = {"boto3": with_boto3, "cli": with_cli}[sys.argv[1]]

    def answer(*args, **kwargs):
        out, error = call(*args, **kwargs)
        if error:
            sys.exit(f"{args}: {error}")
        return out

    print(json.dumps({
        "ARN": answer("sts", "get_caller_identity")["Arn"],
        "Users": len(answer("iam", "list_users")["Users"]),
        "Functions": len(answer("lambda", "list_functions")["Functions"]),
        "Groups": len(answer("logs", "describe_log_groups")["logGroups"]),
        "QueryError": call("iam", "get_user", UserName="nobody")[1],
        "RESTError": call("lambda", "get_function", FunctionName="nothing")[1],
        "JSONError": call("logs", "describe_log_streams", logGroupName="nothing")[1],
        "BadSecret": call("sts", "get_caller_identity", key=os.environ["AWS_ACCESS_KEY_ID"], secret="wrong")[1],
        "UnknownKey": call("lambda", "list_functions", key="AKIAAAAAAAAAAAAAAAAA", secret="wrong")[1],
        "Unimplemented": call("logs", "describe_queries")[1],
    }))


main()
