// Calls licet with the JavaScript SDK and prints, as JSON, what the client saw (see clients_test.go).
import { STSClient, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { IAMClient, ListUsersCommand, GetUserCommand } from "@aws-sdk/client-iam";
import { LambdaClient, ListFunctionsCommand, GetFunctionCommand } from "@aws-sdk/client-lambda";
import { CloudWatchLogsClient, DescribeLogGroupsCommand, DescribeLogStreamsCommand, DescribeQueriesCommand } from "@aws-sdk/client-cloudwatch-logs";

const root = { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY };
const options = (credentials = root) => ({ region: "us-east-1", endpoint: process.env.AWS_ENDPOINT_URL, credentials, maxAttempts: 1 });
const code = async (promise) => {
  try {
    await promise;
    return "no error";
  } catch (e) {
    return e.Code ?? e.Error?.Code ?? e.name;
  }
};

const sts = new STSClient(options());
const iam = new IAMClient(options());
const lambda = new LambdaClient(options());
const logs = new CloudWatchLogsClient(options());
const wrong = new STSClient(options({ ...root, secretAccessKey: "wrong" }));
const unknown = new LambdaClient(options({ accessKeyId: "AKIAAAAAAAAAAAAAAAAA", secretAccessKey: "wrong" }));

console.log(JSON.stringify({
  ARN: (await sts.send(new GetCallerIdentityCommand({}))).Arn,
  Users: (await iam.send(new ListUsersCommand({}))).Users.length,
  Functions: (await lambda.send(new ListFunctionsCommand({}))).Functions.length,
  Groups: (await logs.send(new DescribeLogGroupsCommand({}))).logGroups.length,
  QueryError: await code(iam.send(new GetUserCommand({ UserName: "nobody" }))),
  RESTError: await code(lambda.send(new GetFunctionCommand({ FunctionName: "nothing" }))),
  JSONError: await code(logs.send(new DescribeLogStreamsCommand({ logGroupName: "nothing" }))),
  BadSecret: await code(wrong.send(new GetCallerIdentityCommand({}))),
  UnknownKey: await code(unknown.send(new ListFunctionsCommand({}))),
  Unimplemented: await code(logs.send(new DescribeQueriesCommand({}))),
}));
