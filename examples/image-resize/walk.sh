#!/usr/bin/env bash
# The story of README.md, step by step: a function with too few permissions, made to work by what licet tells of it, then given the least
# policy that suffices. Exits non-zero if any step differs from what is expected.
set -euo pipefail
cd "$(dirname "$0")/../.."

. demo/story.sh
example=examples/image-resize
role=arn:aws:iam::000000000000:role/resize-role
function=arn:aws:lambda:us-east-1:000000000000:function:resize
export LICET_DATA=$work/data

bold "What the function works with: a bucket of photos, one of thumbnails, a queue, a role that may do nothing but write logs"
aws s3api create-bucket --bucket photos >/dev/null
aws s3api create-bucket --bucket thumbnails >/dev/null
done=$(aws sqs create-queue --queue-name done --query QueueUrl --output text)
aws iam create-role --role-name resize-role --assume-role-policy-document \
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}' >/dev/null
aws iam attach-role-policy --role-name resize-role --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
/usr/bin/python3 -m zipfile -c "$work/resize.zip" $example/resize.py
run "The function" '"FunctionName": "resize"' aws lambda create-function --function-name resize --runtime python3.12 --handler resize.handler \
  --timeout 30 --role $role --zip-file "fileb://$work/resize.zip" --environment "Variables={THUMBNAILS=thumbnails,DONE=$done}"
aws lambda wait function-active-v2 --function-name resize

notify='{"LambdaFunctionConfigurations":[{"LambdaFunctionArn":"'$function'","Events":["s3:ObjectCreated:*"]}]}'
notify() { aws s3api put-bucket-notification-configuration --bucket photos --notification-configuration "$notify"; }
run "The bucket is to tell the function of each photo. S3 asks the function's policy, which has no word of it" \
  "Unable to validate the following destination configurations" notify
why() { licet explain --last --denied "$@"; }
run "Why?" '"Action":"lambda:InvokeFunction"' why
run "Allow what it proposes" '"Sid' aws lambda add-permission --function-name resize --statement-id photos --action lambda:InvokeFunction \
  --principal s3.amazonaws.com --source-arn arn:aws:s3:::photos --source-account 000000000000
run "Now the bucket may" "" notify

put() { aws s3 cp --quiet $example/photo.png "s3://photos/in/$1.png"; }

# denied ACTION: waits until the function is denied the action, and shows what licet says of it.
denied() {
  for _ in $(seq 150); do
    if why --action "$1" >"$work/why" 2>/dev/null; then
      cat "$work/why"
      return
    fi
    sleep 0.1
  done
  echo "no such call was denied"
}

# grant NAME ACTION: gives the role the statement that licet proposes for the action, which names the one photo, for all of them.
grant() {
  aws iam put-role-policy --role-name resize-role --policy-name "$1" --policy-document "$(why --action "$2" --json | /usr/bin/python3 -c 'import json, sys
fix = json.load(sys.stdin)[0]["decisions"][0]["fix"]["changes"][0]["statement"]
print(json.dumps({"Version": "2012-10-17", "Statement": [json.loads(fix)]}))' | sed 's|/in/[a-z]*\.png|/in/*|')"
}

run "A photo. Nothing comes of it" "" put first
run "Which permission is missing?" '"Action":"s3:GetObject"' denied s3:GetObject
run "Grant it for all photos, and try again" "" grant read s3:GetObject
put second
run "The next one" '"Action":"s3:PutObject"' denied s3:PutObject
run "Grant it, and try again" "" grant write s3:PutObject
put third
run "The last one" '"Action":"sqs:SendMessage"' denied sqs:SendMessage
run "Grant it, and try again" "" grant tell sqs:SendMessage
put fourth
# made PHOTO: waits for the message about its thumbnail.
made() {
  for _ in 1 2 3; do
    aws sqs receive-message --queue-url "$done" --wait-time-seconds 10 --query 'Messages[0].Body' --output text | tee "$work/message"
    ! grep -q "$1" "$work/message" || return 0
  done
}
run "It works" '"photo": "in/fourth.png"' made fourth

least() { licet generate-policy --role resize-role --generalize prefix | tee "$work/least.json"; }
run "What is the least that it needs? What it was seen to do says so" '"Resource": "arn:aws:s3:::photos/in/*"' least
only_least() {
  for name in read write tell; do aws iam delete-role-policy --role-name resize-role --policy-name $name; done
  aws iam detach-role-policy --role-name resize-role --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
  aws iam put-role-policy --role-name resize-role --policy-name least --policy-document "file://$work/least.json"
}
run "Give it that, and nothing else" "" only_least
put fifth
run "It suffices" '"photo": "in/fifth.png"' made fifth
run "Nothing is missing, unused or too broad" "" licet generate-policy --role resize-role --generalize prefix --check

bold "The short way: record what the function does while it may do everything"
aws iam delete-role-policy --role-name resize-role --policy-name least
begun=$SECONDS
run "From here on denied calls of the role pass" "RECORDING" licet record start --role resize-role
put sixth
run "It works without a policy" '"photo": "in/sixth.png"' made sixth
put seventh
run "Once more" '"photo": "in/seventh.png"' made seventh
run "Enforce again" "denied calls are refused" licet record stop --role resize-role
recorded() { licet generate-policy --role resize-role --generalize prefix --since "$((SECONDS - begun + 1))s"; }
run "What was seen since" '"Resource": "arn:aws:s3:::photos/in/*"' recorded
bold "Done."
