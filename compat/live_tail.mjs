// Follows a log group with the JavaScript SDK until the first events, and prints what it saw (see logs_filter_test.go).
import { CloudWatchLogsClient, StartLiveTailCommand } from "@aws-sdk/client-cloudwatch-logs";

const logs = new CloudWatchLogsClient({ region: "us-east-1", endpoint: process.env.AWS_ENDPOINT_URL, disableHostPrefix: true });
const { responseStream } = await logs.send(new StartLiveTailCommand({
  logGroupIdentifiers: [process.argv[2]], logEventFilterPattern: '{ $.level = "E*" }',
}));
for await (const event of responseStream) {
  if (event.sessionStart) {
    console.log("sessionStart");
  } else if (event.sessionUpdate.sessionResults.length > 0) {
    console.log(event.sessionUpdate.sessionResults[0].message.trim());
    break;
  }
}
process.exit();
