"""Invokes a function that has no concurrency with boto3 and prints, as JSON, what the client saw (see throttle_test.go)."""

import json
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if not os.environ.get("AWS_SESSION_TOKEN"):
    os.environ.pop("AWS_SESSION_TOKEN", None)
client = boto3.client("lambda", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(retries={"total_max_attempts": 1}))
try:
    client.invoke(FunctionName=sys.argv[1])
except client.exceptions.TooManyRequestsException as e:
    print(json.dumps({
        "Status": e.response["ResponseMetadata"]["HTTPStatusCode"],
        "Code": e.response["Error"]["Code"],
        "Message": e.response["Error"]["Message"],
        "Reason": e.response["Reason"],
        "Type": e.response["Type"],
        "RetryAfter": e.response["retryAfterSeconds"],
    }))
except ClientError as e:
    sys.exit(str(e))
