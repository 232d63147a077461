"""Uses S3 of licet with boto3 and prints, as JSON, what it saw (see s3_test.go)."""

import io
import json
import os
import sys
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = os.environ["AWS_ENDPOINT_URL"]


def client(**more):
    return boto3.client("s3", endpoint_url=URL, **more)


def code(call, **kwargs):
    try:
        call(**kwargs)
    except ClientError as e:
        return e.response["Error"]["Code"]
    return ""


def main():
    if not os.environ.get("AWS_SESSION_TOKEN"):
        os.environ.pop("AWS_SESSION_TOKEN", None)
    bucket, s3 = sys.argv[1], client()
    s3.create_bucket(Bucket=bucket)
    seen = {"etag": s3.put_object(Bucket=bucket, Key="k", Body=b"hello", Tagging="a=b")["ETag"]}
    seen["body"] = s3.get_object(Bucket=bucket, Key="k")["Body"].read().decode()
    seen["range"] = s3.get_object(Bucket=bucket, Key="k", Range="bytes=1-3")["Body"].read().decode()
    s3.upload_fileobj(io.BytesIO(b"x" * (9 << 20)), bucket, "parts")
    seen["parts"] = s3.head_object(Bucket=bucket, Key="parts")["ContentLength"]
    # A stream whose hash is not signed has its checksum behind it.
    unsigned = client(config=Config(s3={"payload_signing_enabled": False}))
    unsigned.put_object(Bucket=bucket, Key="streamed", Body=io.BytesIO(b"streamed"), ChecksumAlgorithm="CRC32")
    seen["streamed"] = s3.get_object(Bucket=bucket, Key="streamed", ChecksumMode="ENABLED")["Body"].read().decode()
    seen["keys"] = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    seen["missing"] = code(s3.get_object, Bucket=bucket, Key="missing")
    seen["head"] = code(s3.head_object, Bucket=bucket, Key="missing")
    seen["policy"] = code(s3.get_bucket_policy, Bucket=bucket)
    seen["tags"] = {t["Key"]: t["Value"] for t in s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]}
    v4 = client(config=Config(signature_version="s3v4"))
    link = v4.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=60)
    seen["link"] = urllib.request.urlopen(link).read().decode()
    link = v4.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=60)
    seen["posted"] = urllib.request.urlopen(urllib.request.Request(link, data=b"again", method="PUT")).status
    seen["wrong"] = code(client(aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], aws_secret_access_key="wrong").list_buckets)
    seen["unknown"] = code(client(aws_access_key_id="AKIAAAAAAAAAAAAAAAAA", aws_secret_access_key="wrong").list_buckets)
    print(json.dumps(seen))


main()
