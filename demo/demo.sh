#!/usr/bin/env bash
# The tour of the README against a fresh server on a free port, with the real AWS CLI. Prints each step with its answer; exits
# non-zero if any step differs from what is expected.
set -euo pipefail
cd "$(dirname "$0")/.."

. demo/story.sh
root_key=$AWS_ACCESS_KEY_ID root_secret=$AWS_SECRET_ACCESS_KEY
as_root() { AWS_ACCESS_KEY_ID=$root_key AWS_SECRET_ACCESS_KEY=$root_secret aws "$@"; }
as_dev() { AWS_ACCESS_KEY_ID=$dev_key AWS_SECRET_ACCESS_KEY=$dev_secret aws "$@"; }

run "Who am I?" '"arn:aws:iam::000000000000:root"' as_root sts get-caller-identity

mkdir "$work/hello"
cat >"$work/hello/app.py" <<'PY'
import boto3
from botocore.exceptions import ClientError


def handler(event, context):
    me = boto3.client("sts").get_caller_identity()["Arn"]
    try:
        boto3.client("iam").list_users()
        users = "allowed"
    except ClientError as e:
        users = str(e)
    print("hello from", me)
    return {"i_am": me, "list_users": users, "event": event}
PY
(cd "$work/hello" && /usr/bin/python3 -m zipfile -c ../hello.zip app.py)

trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
run "An execution role for the function" '"arn:aws:iam::000000000000:role/hello-role"' \
  as_root iam create-role --role-name hello-role --assume-role-policy-document "$trust"
run "A developer, who has no permissions yet" '"arn:aws:iam::000000000000:user/dev"' as_root iam create-user --user-name dev
bold "…with an access key"
key=$(as_root iam create-access-key --user-name dev)
read -r dev_key dev_secret < <(/usr/bin/python3 -c 'import json,sys; k=json.load(sys.stdin)["AccessKey"]; print(k["AccessKeyId"], k["SecretAccessKey"])' <<<"$key")
echo "AccessKeyId: $dev_key"

create=(lambda create-function --function-name hello --runtime python3.12 --handler app.handler --timeout 20
  --role arn:aws:iam::000000000000:role/hello-role --zip-file "fileb://$work/hello.zip")
run "The developer deploys, and is denied in AWS's own words" \
  "An error occurred (AccessDeniedException) when calling the CreateFunction operation: User: arn:aws:iam::000000000000:user/dev is not authorized to perform: lambda:CreateFunction on resource: arn:aws:lambda:us-east-1:000000000000:function:hello because no identity-based policy allows the lambda:CreateFunction action" \
  as_dev "${create[@]}"

grant() { as_root iam put-user-policy --user-name dev --policy-name "$1" --policy-document "$2"; }
deploy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:CreateFunction","lambda:GetFunction"],"Resource":"arn:aws:lambda:us-east-1:000000000000:function:hello"}]}'
run "Grant what was named" "" grant deploy "$deploy"
run "The next permission that is missing: passing the role" \
  "is not authorized to perform: iam:PassRole on resource: arn:aws:iam::000000000000:role/hello-role because no identity-based policy allows the iam:PassRole action" \
  as_dev "${create[@]}"
pass='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::000000000000:role/hello-role","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}}]}'
run "Grant that, for Lambda only" "" grant pass-role "$pass"
run "Deployed" '"FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:hello"' as_dev "${create[@]}"
run "The CLI's own waiter agrees" "" as_dev lambda wait function-active-v2 --function-name hello

invoke() { as_dev lambda invoke --function-name hello --cli-binary-format raw-in-base64-out --payload '{"n":1}' "$work/out.json" && cat "$work/out.json"; }
run "The developer invokes, and is denied" \
  "User: arn:aws:iam::000000000000:user/dev is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:000000000000:function:hello because no identity-based policy allows the lambda:InvokeFunction action" \
  invoke
explain() { AWS_ACCESS_KEY_ID=$root_key AWS_SECRET_ACCESS_KEY=$root_secret licet explain "$@"; }
run "Why?" '"Action":"lambda:InvokeFunction"' explain --last --denied
proposed=$(explain --last --denied --json | /usr/bin/python3 -c 'import json, sys
fix = json.load(sys.stdin)[0]["decisions"][0]["fix"]["changes"][0]["statement"]
print(json.dumps({"Version": "2012-10-17", "Statement": [json.loads(fix)]}))')
run "Grant exactly the statement that it proposes" "" grant invoke "$proposed"
run "It runs, as its execution role" '"i_am": "arn:aws:sts::000000000000:assumed-role/hello-role/hello"' invoke
bold "…and may do only what the role may"
grep -o '"list_users": "[^"]*"' "$work/out.json"
grep -q 'User: arn:aws:sts::000000000000:assumed-role/hello-role/hello is not authorized to perform: iam:ListUsers' "$work/out.json"

logs() { as_root logs describe-log-groups; }
run "Its role may not write logs, so there are none" '"logGroups": []' logs
run "Grant it" "" as_root iam attach-role-policy --role-name hello-role \
  --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
run "Run again" '"StatusCode": 200' invoke
tail_log() {
  for _ in $(seq 50); do
    if stream=$(as_root logs describe-log-streams --log-group-name /aws/lambda/hello --query 'logStreams[0].logStreamName' --output text 2>&1) &&
      as_root logs get-log-events --log-group-name /aws/lambda/hello --log-stream-name "$stream" --query 'events[].message' --output text |
      tee "$work/log" | grep -q REPORT; then
      cat "$work/log"
      return
    fi
    sleep 0.1
  done
  echo "no log appeared"
}
run "And here is its log" "hello from arn:aws:sts::000000000000:assumed-role/hello-role/hello" tail_log
request_id() { as_dev lambda invoke --function-name hello --debug "$work/out.json" 2>&1 | grep -io "x-amzn-requestid': '[^']*" | cut -d"'" -f3; }
run "Why may the developer invoke it? Ask by the request id of an answer" "ALLOWED by identity-based policy dev/inline/invoke" \
  explain "$(request_id)"
bold "Done."
